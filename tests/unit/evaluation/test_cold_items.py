"""Cold items leave training with all their events and are ranked among themselves."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data.interactions import FloatArray, Histories, Interactions
from matinee.errors import DataProblem
from matinee.evaluation.cold_items import hold_out_items, measure_cold
from matinee.models.ease import EASE

ITEMS = 400


def log() -> Interactions:
    """Users who like items of their own parity."""
    random = np.random.default_rng(0)
    user = np.repeat(np.arange(60), 60).astype(np.int32)
    item = np.concatenate([random.choice(ITEMS // 2, 60, replace=False) * 2 + number % 2 for number in range(60)])
    time = np.tile(np.arange(60), 60).astype(np.int64)
    return Interactions.of(user, item.astype(np.int32), time, n_users=60, n_items=ITEMS)


def by_parity(histories: Histories) -> FloatArray:
    """What a model with the right metadata would answer."""
    parity = histories.items[histories.indptr[:-1]] % 2
    scores: FloatArray = (np.arange(ITEMS)[None, :] % 2 == parity[:, None]).astype(np.float32)
    return scores


def test_training_knows_nothing_of_cold_items() -> None:
    split = hold_out_items(log(), seed=0)
    assert split.cold.sum() == 40
    assert not split.cold[split.train.item].any()


def test_metadata_beat_a_random_order_and_a_constant_does_not() -> None:
    split = hold_out_items(log(), seed=0)
    told = measure_cold(split, by_parity)
    assert told.random == pytest.approx(25 / 40)
    assert told.scored == told.cold_items == 40
    assert told.recall_at_25.mean == 1.0
    constant = measure_cold(split, lambda histories: np.zeros((len(histories), ITEMS), np.float32))
    assert constant.recall_at_25.mean == pytest.approx(constant.random, abs=0.1)


def test_a_model_without_scores_for_cold_items_finds_none() -> None:
    split = hold_out_items(log(), seed=0)
    found = measure_cold(split, EASE().fit(split.train).score)
    assert (found.scored, found.recall_at_25.mean) == (0, 0.0)


def test_a_log_without_such_users_is_refused() -> None:
    data = Interactions.of(
        np.arange(4, dtype=np.int32), np.arange(4, dtype=np.int32), np.arange(4), n_users=4, n_items=4
    )
    with pytest.raises(DataProblem, match="No user has events"):
        hold_out_items(data, seed=0)
