"""The encoder in steps gives what the network gives, and a remembered history what a whole one does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from matinee.data.interactions import Histories, Interactions
from matinee.models.base import Occasion
from matinee.models.transformer.config import TransformerConfig
from matinee.models.transformer.elapsed import BUCKETS, bucket, bucket_of
from matinee.models.transformer.export import stepwise_encoder
from matinee.models.transformer.inputs import InputWeights
from matinee.models.transformer.model import Transformer
from matinee.models.transformer.network import Network
from matinee.models.transformer.stepwise import Stepwise

CONFIG = TransformerConfig(dimension=16, layers=3, heads=2, length=7, epochs=1)


def network() -> Network:
    torch.manual_seed(0)
    made = Network(CONFIG, np.random.default_rng(0).standard_normal((11, 16)).astype(np.float32))
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return made.eval()


def model() -> Transformer:
    random = np.random.default_rng(3)
    log = Interactions.of(
        np.repeat(np.arange(6), 20).astype(np.int32),
        random.integers(0, 9, 120).astype(np.int32),  # item 9 is known to nobody
        random.integers(0, 10**6, 120),
        n_users=6,
        n_items=10,
    )
    made = Transformer(CONFIG).fit(log)
    made.elapsed = random.standard_normal(made.elapsed.shape).astype(np.float32)
    made.beside = InputWeights(
        types=random.standard_normal((3, 16)).astype(np.float32),
        context=random.standard_normal((4, 16)).astype(np.float32),
        attributes=random.standard_normal((5, 16)).astype(np.float32),
    )
    return made


def asked(length: int, items: int = 9) -> Histories:
    random = np.random.default_rng(length)
    return Histories(
        np.array([0, length]),
        random.integers(0, items, length).astype(np.int32),
        np.sort(random.integers(0, 10**6, length)),
        now=np.array([2 * 10**6]),
        event_types=random.integers(-1, 2, length).astype(np.int16),
        context=random.standard_normal((1, 4)).astype(np.float32),
        attributes=random.standard_normal((1, 5)).astype(np.float32),
    )


@pytest.mark.parametrize("length", [1, 2, 5, 7])
def test_a_step_gives_the_query_of_the_network(length: int) -> None:
    torch_network = network()
    embedded = np.random.default_rng(length).standard_normal((length, 16)).astype(np.float32)
    added = np.random.default_rng(9).standard_normal(16).astype(np.float32)
    whole = embedded.copy()
    whole[-1] += added
    with torch.no_grad():
        expected = torch_network.encoder(torch.from_numpy(whole[None]))[0, -1].numpy()
    steps = stepwise_encoder(torch_network.encoder)

    found = steps.queries([steps.keep(embedded[:-1], embedded[-1])], added[None])[0]

    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_steps_can_be_kept_as_arrays() -> None:
    steps = stepwise_encoder(network().encoder)
    embedded = np.random.default_rng(0).standard_normal((4, 16)).astype(np.float32)
    again = Stepwise.of(steps.arrays())
    assert again is not None
    found = [one.queries([one.keep(embedded[:-1], embedded[-1])], embedded[:1]) for one in (steps, again)]
    np.testing.assert_array_equal(found[0], found[1])
    assert Stepwise.of({}) is None


@pytest.mark.parametrize("length", [0, 1, 6, 7, 30])
def test_what_is_remembered_scores_as_the_whole_history(length: int, tmp_path: Path) -> None:
    fitted = model()
    fitted.save(tmp_path)
    loaded = Transformer.load(tmp_path, CONFIG)
    history = asked(length)
    memory = loaded.remember(history)
    assert memory is not None
    assert memory.nbytes > 0

    found = loaded.recall([memory], [Occasion(2 * 10**6, history.context)])[0]

    np.testing.assert_allclose(found, fitted.score(history)[0], atol=1e-3, rtol=1e-3)


def test_histories_of_different_lengths_are_asked_about_together() -> None:
    fitted = model()
    histories = [asked(length) for length in (0, 1, 4, 7, 30)]
    memories = [memory for history in histories if (memory := fitted.remember(history)) is not None]
    occasions = [Occasion(2 * 10**6 + 1_000 * at, history.context) for at, history in enumerate(histories)]
    together = fitted.recall(memories, occasions)
    alone = [fitted.recall([one], [occasion])[0] for one, occasion in zip(memories, occasions, strict=True)]
    np.testing.assert_allclose(together, alone, atol=1e-4, rtol=1e-4)


def test_items_that_the_model_does_not_know_are_passed_over() -> None:
    fitted, history = model(), asked(6, items=10)
    assert 9 in history.items
    memory = fitted.remember(history)
    assert memory is not None
    found = fitted.recall([memory], [Occasion(2 * 10**6, history.context)])[0]
    np.testing.assert_allclose(found, fitted.score(history)[0], atol=1e-3, rtol=1e-3)
    assert found[9] == -np.inf


def test_a_model_without_steps_remembers_nothing() -> None:
    fitted = model()
    fitted.steps = None
    assert fitted.remember(asked(3)) is None


def test_one_bucket_is_that_of_many() -> None:
    seconds = [-5, 0, 1, 2, 3, 6, 7, 2**20 - 2, 2**20 - 1, 2**40]
    assert [bucket_of(one) for one in seconds] == bucket(np.array(seconds)).tolist()
    assert bucket_of(2**60) == BUCKETS - 1
