"""One history alone scores as it does among others."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from matinee.data.interactions import Histories, Interactions
from matinee.models.base import Occasion
from matinee.models.blend import Blend, BlendConfig
from matinee.models.ease import EASEConfig
from matinee.models.ridge import RidgeConfig
from matinee.models.transformer.config import TransformerConfig
from matinee.models.transformer.model import Transformer

USERS, ITEMS = 60, 30


def data(seed: int, *, repeat: bool = False) -> Interactions:
    """Twelve events of each user; the last two items have none."""
    random = np.random.default_rng(seed)
    rows = [random.choice(ITEMS - 2, 12, replace=repeat) for _ in range(USERS)]
    item: NDArray[np.int32] = np.concatenate(rows).astype(np.int32)
    user = np.repeat(np.arange(USERS, dtype=np.int32), 12)
    return Interactions.of(user, item, np.tile(np.arange(12, dtype=np.int64), USERS), n_users=USERS, n_items=ITEMS)


def blend(log: Interactions, *, max_items: int = ITEMS, seen: Literal["auto", "last", "keep"] = "auto") -> Blend:
    config = BlendConfig(
        transformer=None, ease=EASEConfig(max_items=max_items), ridge=RidgeConfig(max_items=max_items), seen=seen
    )
    return Blend(config).fit(log)


@pytest.mark.parametrize("seen", ["last", "keep"])
@pytest.mark.parametrize("max_items", [10, ITEMS])
def test_one_history_scores_as_it_does_in_a_batch(seen: Literal["last", "keep"], max_items: int) -> None:
    log = data(1, repeat=seen == "keep")
    model = blend(log, max_items=max_items, seen=seen)
    histories = log.histories()
    together = model.score(histories)
    alone = np.concatenate([model.score(histories.take(np.array([row]))) for row in range(USERS)])
    np.testing.assert_allclose(alone, together, rtol=1e-5, atol=1e-5)
    assert np.isneginf(alone[:, -2:]).all()


def test_cold_items_and_those_a_part_does_not_know_score_as_in_a_batch() -> None:
    log = data(2)
    model = blend(log)
    model.cold[:2] = True  # as where the transformer placed them by their metadata
    part = model.parts["ease"]
    known = part.known.copy()
    known[5:8] = False
    part._set_known(known)
    pair = log.histories().take(np.array([3, 4]))
    alone = [model.score(pair.take(np.array([row])))[0] for row in (0, 1)]
    np.testing.assert_allclose(alone, model.score(pair), rtol=1e-5, atol=1e-5)


def test_a_blend_fitted_again_forgets_what_it_knew() -> None:
    model = blend(data(1))
    nobody = Histories.one(np.zeros(0, np.int32), np.zeros(0, np.int64))
    before = model.score(nobody)
    model.fit(data(9))
    pair = Histories(np.zeros(3, np.int64), nobody.items, nobody.timestamps)
    after = model.score(nobody)
    np.testing.assert_allclose(after[0], model.score(pair)[0], rtol=1e-5, atol=1e-5)
    assert not np.allclose(after, before, equal_nan=True)


def asked(log: Interactions, user: int, now: int = 1_000) -> Histories:
    return replace(log.histories().take(np.array([user])), now=np.array([now]))


@pytest.mark.parametrize("seen", ["last", "keep"])
def test_a_remembered_history_scores_as_a_whole_one(seen: Literal["last", "keep"]) -> None:
    log = data(3, repeat=seen == "keep")
    transformer = TransformerConfig(dimension=8, layers=2, length=9, epochs=1)
    model = Blend(BlendConfig(transformer=transformer, ridge=RidgeConfig(max_items=20), seen=seen)).fit(log)
    for user in (0, 5):
        history = asked(log, user)
        memory = model.remember(history)
        assert memory is not None
        found = model.recall([memory], [Occasion(1_000)])[0]
        np.testing.assert_allclose(found, model.score(history)[0], rtol=1e-3, atol=1e-3)
        np.testing.assert_array_equal(
            model.recall([memory], [Occasion(1_000)])[0], found
        )  # and leaves the memory as it was


def test_a_blend_without_a_transformer_remembers_its_scores() -> None:
    log = data(4)
    model = blend(log)
    memory = model.remember(asked(log, 2))
    assert memory is not None
    np.testing.assert_allclose(
        model.recall([memory], [Occasion()])[0], model.score(asked(log, 2))[0], rtol=1e-5, atol=1e-5
    )


def test_a_blend_whose_transformer_has_no_steps_remembers_nothing() -> None:
    log = data(5)
    model = Blend(BlendConfig(transformer=TransformerConfig(dimension=8, layers=1, length=9, epochs=1))).fit(log)
    part = model.parts["transformer"]
    assert isinstance(part, Transformer)
    part.steps = None
    assert model.remember(asked(log, 0)) is None


@pytest.mark.parametrize("transformer", [None, TransformerConfig(dimension=8, layers=1, length=9, epochs=1)])
def test_what_was_counted_since_is_read_alone_as_in_a_batch_and_of_a_memory(
    transformer: TransformerConfig | None,
) -> None:
    log = data(6)
    model = Blend(BlendConfig(transformer=transformer)).fit(log)
    model.weights[-1] = 2
    counted = np.random.default_rng(1).integers(0, 50, ITEMS).astype(np.float32)
    questions = [replace(asked(log, user), recent=counted[None, :]) for user in (2, 9)]
    together = model.score(Histories.joined(questions))
    memories = [model.remember(one) for one in questions]
    occasions = [Occasion(1_000, recent=counted)] * 2
    recalled = model.recall([memory for memory in memories if memory is not None], occasions)
    for row, question in enumerate(questions):
        np.testing.assert_allclose(model.score(question)[0], together[row], rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(recalled[row], together[row], rtol=1e-3, atol=1e-3)
    before = model.recall([memory for memory in memories if memory is not None], [Occasion(1_000)] * 2)
    assert not np.allclose(before, recalled, atol=1e-3)
