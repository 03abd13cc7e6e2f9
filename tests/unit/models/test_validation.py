"""The validation part is taken out of the training data and asks only what can be found."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data.interactions import Histories, Interactions
from matinee.models.validation import CUTS, Validation, hold_out


def log(n_users: int = 40, events: int = 20) -> Interactions:
    user = np.repeat(np.arange(n_users), events).astype(np.int32)
    item = np.tile(np.arange(events), n_users).astype(np.int32)
    time = np.tile(np.arange(events), n_users).astype(np.int64)
    return Interactions.of(user, item, time, n_users=n_users, n_items=events)


def test_trap_7_users_held_out_are_not_in_training_and_tails_lose_their_newest_tenth() -> None:
    train, validation = hold_out(log(), users=0.25, tails=0.5, limit=10_000, seed=0)
    lengths = np.diff(train.indptr)
    assert (lengths == 0).sum() == 10
    assert (lengths == 18).sum() == 20
    assert (lengths == 20).sum() == 10
    assert len(validation) == 10 * len(CUTS) + 20


def test_the_limit_bounds_the_cases() -> None:
    _, validation = hold_out(log(), users=0.25, tails=0.5, limit=20, seed=0)
    assert len(validation) == 2 * len(CUTS) + 10


def test_each_cut_asks_for_the_next_tenth() -> None:
    _, validation = hold_out(log(), users=1 / 40, tails=0, limit=10, seed=0)
    assert np.diff(validation.histories.indptr).tolist() == [int(cut * 20) for cut in CUTS]
    assert validation.truth.items.tolist() == [18, 19, 16, 17, 14, 15, 12, 13, 10, 11]


def test_every_other_case_says_when_it_is_asked() -> None:
    _, validation = hold_out(log(), users=1 / 40, tails=0, limit=10, seed=0)
    assert validation.histories.asked().tolist() == [-1, 16, -1, 12, -1]


def test_items_of_the_history_are_not_asked_for() -> None:
    item = np.tile([0, 1, 2, 3, 4, 5, 6, 7, 8, 0], 5).astype(np.int32)
    data = Interactions.of(
        np.repeat(np.arange(5), 10).astype(np.int32), item, np.arange(50, dtype=np.int64), n_users=5, n_items=9
    )
    _, validation = hold_out(data, users=0, tails=1.0, limit=10, seed=0)
    assert len(validation) == 0


def test_somebody_is_left_to_train_on() -> None:
    train, _ = hold_out(log(n_users=2), users=1.0, tails=0, limit=1000, seed=0)
    assert len(np.unique(train.user)) == 1


def test_tails_are_of_users_who_were_there_last() -> None:
    data = log()
    late = np.isin(data.user, [3, 8, 17, 21, 30])
    moved = Interactions.of(
        data.user, data.item, data.timestamp + 1_000 * late, n_users=data.n_users, n_items=data.n_items
    )
    train, _ = hold_out(moved, users=0, tails=5 / 40, limit=100, seed=0)
    assert np.flatnonzero(np.diff(train.indptr) == 18).tolist() == [3, 8, 17, 21, 30]


def test_users_of_few_events_stay_in_training() -> None:
    train, validation = hold_out(log(events=4), users=0.5, tails=0.5, limit=100, seed=0)
    assert len(train) == len(log(events=4))
    assert len(validation) == 0


def test_the_seed_chooses_the_users() -> None:
    first, again, other = (hold_out(log(), users=0.1, tails=0, limit=90, seed=seed)[0].user for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_ndcg_of_a_known_ranking() -> None:
    time = np.zeros(1, np.int64)
    validation = Validation(Histories.one(np.array([0], np.int32), time), Histories.one(np.array([2], np.int32), time))
    scores = np.array([[9.0, 3.0, 2.0, 1.0]], np.float32)
    assert validation.ndcg(scores.copy(), exclude_seen=False) == pytest.approx(1 / np.log2(4))
    assert validation.ndcg(scores.copy(), exclude_seen=True) == pytest.approx(1 / np.log2(3))
