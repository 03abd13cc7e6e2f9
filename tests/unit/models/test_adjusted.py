"""A model with new items and a bonus: new items score as their neighbours do, the bonus raises by the own scale."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from matinee.data.interactions import FloatArray, Histories, Interactions
from matinee.models.adjusted import Adjusted
from matinee.models.base import Occasion
from matinee.models.blend import Blend, BlendConfig
from matinee.models.ease import EASE

USERS, ITEMS = 40, 12


def _data() -> Interactions:
    random = np.random.default_rng(3)
    user = np.repeat(np.arange(USERS, dtype=np.int32), 5)
    item = random.integers(0, ITEMS // 2, len(user)).astype(np.int32) * 2 + (user % 2)
    return Interactions.of(user, item, np.arange(len(user), dtype=np.int64), n_users=USERS, n_items=ITEMS)


@pytest.fixture(scope="module")
def ease() -> EASE:
    """A model of 12 items."""
    return EASE().fit(_data())


def _history(*items: int) -> Histories:
    return Histories.one(np.array(items, np.int32), np.arange(len(items), dtype=np.int64))


def _adjusted(ease: EASE, bonus: FloatArray | None = None, strength: float = 0.0) -> Adjusted:
    neighbours = sparse.csr_array(np.eye(1, ITEMS, 4, dtype=np.float32))
    return Adjusted.of(ease, neighbours=neighbours, bonus=bonus, strength=strength)


def test_a_new_item_scores_what_its_neighbour_scores(ease: EASE) -> None:
    scores = _adjusted(ease).score(_history(0, 2))[0]
    assert scores.shape == (ITEMS + 1,)
    np.testing.assert_allclose(scores[:ITEMS], ease.score(_history(0, 2))[0], rtol=1e-5, atol=1e-6)
    assert scores[ITEMS] == pytest.approx(scores[4], abs=1e-5)


def test_an_item_like_nothing_scores_as_the_average_item(ease: EASE) -> None:
    lone = Adjusted.of(ease, neighbours=sparse.csr_array(np.zeros((1, ITEMS), np.float32)))
    scores = lone.score(_history(0))[0]
    assert scores[ITEMS] == pytest.approx(scores[:ITEMS].mean(), abs=1e-5)


def test_the_bonus_is_counted_in_deviations_of_the_scores(ease: EASE) -> None:
    bonus = np.linspace(-1, 1, ITEMS + 1).astype(np.float32)
    plain = _adjusted(ease).score(_history(0, 2))[0]
    raised = _adjusted(ease, bonus, strength=2.0).score(_history(0, 2))[0]
    np.testing.assert_allclose(raised - plain, 2 * plain[:ITEMS].std() * bonus, rtol=1e-3, atol=1e-5)


def test_what_was_seen_stays_behind_all_others() -> None:
    blend = Blend({"transformer": None, "ridge": None, "seen": "last"}).fit(_data())
    model = Adjusted.of(
        blend,
        neighbours=sparse.csr_array(np.eye(1, ITEMS, 4, dtype=np.float32)),
        bonus=np.ones(ITEMS + 1, np.float32),
        strength=1,
    )
    scores = model.score(_history(4, ITEMS))[0]
    assert set(np.argsort(scores)[:2].tolist()) == {4, ITEMS}


def test_saved_and_loaded_it_scores_the_same(ease: EASE, tmp_path: Path) -> None:
    model = _adjusted(ease, np.ones(ITEMS + 1, np.float32), strength=0.5)
    model.save(tmp_path)
    loaded = Adjusted.load(tmp_path, model.config_dict())
    np.testing.assert_array_equal(loaded.score(_history(1, 3)), model.score(_history(1, 3)))


def test_a_remembered_history_scores_as_a_whole_one() -> None:
    log = _data()
    base = Blend(BlendConfig(transformer=None, seen="last")).fit(log)
    neighbours = sparse.csr_array(np.eye(1, ITEMS, 4, dtype=np.float32))
    bonus = np.arange(ITEMS + 1, dtype=np.float32)
    model = Adjusted.of(base, neighbours=neighbours, bonus=bonus, strength=0.5, seen_last=True)
    history = _history(0, 2, 2)
    memory = model.remember(history)
    assert memory is not None
    assert memory.nbytes > 0
    np.testing.assert_allclose(model.recall([memory], [Occasion()])[0], model.score(history)[0], rtol=1e-5, atol=1e-5)


def test_it_remembers_nothing_where_its_base_does_not(ease: EASE) -> None:
    assert _adjusted(ease).remember(_history(0)) is None
