"""A network that was really trained answers alike in torch, as ONNX and in steps, whatever its configuration reads."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import sparse

from matinee.data.interactions import FloatArray, Histories, Interactions
from matinee.models.base import FitOptions, ItemFeatures, Occasion
from matinee.models.transformer.config import TransformerConfig
from matinee.models.transformer.described import described
from matinee.models.transformer.elapsed import BUCKETS, UNKNOWN
from matinee.models.transformer.model import Transformer, masks_seen
from matinee.models.transformer.training import _Run

PLAIN = TransformerConfig(dimension=16, layers=3, length=12, epochs=1, batch_events=128)
CONFIGS = {
    "plain": PLAIN,
    "gated": replace(PLAIN, gated=True),
    "timed": replace(PLAIN, time_bias=True),
    "gated and timed": replace(PLAIN, gated=True, time_bias=True, layers=4),
}
N_USERS, N_ITEMS, NOW = 60, 40, 2 * 10**6
#: Of the scale of the scores: what single precision leaves of a difference after some layers.
TOLERANCE = 1e-5


def log() -> Interactions:
    """Users with histories longer and shorter than what is read; two items are had by nobody."""
    random = np.random.default_rng(0)
    user = np.repeat(np.arange(N_USERS), random.integers(2, 40, N_USERS)).astype(np.int32)
    return Interactions.of(
        user,
        random.integers(0, N_ITEMS - 2, len(user)).astype(np.int32),
        random.integers(0, 10**6, len(user)),
        n_users=N_USERS,
        n_items=N_ITEMS,
        event_type=random.integers(0, 3, len(user)).astype(np.int16),
        context=sparse.csr_array(np.eye(4, dtype=np.float32)[random.integers(0, 4, len(user))]),
        attributes=random.standard_normal((N_USERS, 5)).astype(np.float32),
    )


def features() -> ItemFeatures:
    """Of every item but the last a category and a number."""
    told = (np.arange(N_ITEMS) < N_ITEMS - 1)[:, None]
    categories = np.eye(6, dtype=np.float32)[np.arange(N_ITEMS) % 6] * told
    numbers = np.random.default_rng(1).standard_normal((N_ITEMS, 2)).astype(np.float32) * told
    return ItemFeatures(sparse.csr_array(categories), numbers, np.zeros(N_ITEMS, np.int64))


def asked(length: int) -> Histories:
    random = np.random.default_rng(length)
    return Histories(
        np.array([0, length]),
        random.integers(0, N_ITEMS - 1, length).astype(np.int32),
        np.sort(random.integers(0, 10**6, length)),
        now=np.array([NOW]),
        event_types=random.integers(-1, 3, length).astype(np.int16),
        context=random.standard_normal((1, 4)).astype(np.float32),
        attributes=random.standard_normal((1, 5)).astype(np.float32),
    )


@cache
def trained(name: str) -> tuple[_Run, Transformer]:
    """The run whose network is torch's, and the model of another run of the same."""
    config, data, options = CONFIGS[name], log(), FitOptions()
    matrix = described(features(), np.bincount(data.item, minlength=N_ITEMS) > 0)
    run = _Run(data, config, masks_seen(config, data), None, options, matrix)
    result = run.run()
    run.network.eval()
    # Times that training hardly saw are made unknown behind the training.
    run.network.elapsed.data = torch.from_numpy(result.elapsed)
    run.network.encoder.load_state_dict(run._exported().state_dict())
    return run, Transformer(config).fit(data, features(), options)


def assert_alike(found: FloatArray, expected: FloatArray) -> None:
    """Equal on known items, to `TOLERANCE` of the greatest score."""
    known = np.isfinite(found)
    assert known.sum() == N_ITEMS - 1
    np.testing.assert_allclose(found[known], expected[known], rtol=0, atol=TOLERANCE * np.abs(expected[known]).max())


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("length", [0, 1, 7, 11, 12, 30])
def test_onnx_and_steps_answer_as_torch_does(name: str, length: int) -> None:
    run, model = trained(name)
    history = asked(length)
    expected = run._scores(history)[0]
    memory = model.remember(history)
    assert memory is not None
    assert_alike(model.score(history)[0], expected)
    assert_alike(model.recall([memory], [Occasion(NOW, history.context)])[0], expected)


@pytest.mark.parametrize("name", CONFIGS)
def test_many_histories_together_answer_as_each_alone(name: str) -> None:
    run, model = trained(name)
    histories = [asked(length) for length in (0, 3, 30, 7)]
    memories = [memory for history in histories if (memory := model.remember(history)) is not None]
    found = model.recall(memories, [Occasion(NOW, history.context) for history in histories])
    together = model.score(Histories.joined(histories))
    for row, history in enumerate(histories):
        assert_alike(found[row], run._scores(history)[0])
        assert_alike(together[row], run._scores(history)[0])


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("length", [0, 7])
def test_without_a_time_of_the_question_they_answer_alike_too(name: str, length: int) -> None:
    run, model = trained(name)
    history = replace(asked(length), now=None)
    memory = model.remember(history)
    assert memory is not None
    expected = run._scores(history)[0]
    assert_alike(model.score(history)[0], expected)
    assert_alike(model.recall([memory], [Occasion(context=history.context)])[0], expected)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_saved_model_answers_as_before(name: str, tmp_path: Path) -> None:
    model, history = trained(name)[1], asked(7)
    model.save(tmp_path)
    loaded = Transformer.load(tmp_path, model.config)
    np.testing.assert_array_equal(loaded.score(history), model.score(history))
    memory = loaded.remember(history)
    assert memory is not None
    assert_alike(loaded.recall([memory], [Occasion(NOW, history.context)])[0], model.score(history)[0])


def test_the_test_asks_about_times_that_training_saw() -> None:
    model = trained("plain")[1]
    assert sum(not np.array_equal(model.elapsed[at], model.elapsed[UNKNOWN]) for at in range(BUCKETS)) > 5
