"""Each protocol cuts the log where it says."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data.interactions import Interactions
from matinee.evaluation.splits import PROTOCOLS, Split, leave_one_out, personalize, temporal


def log(lengths: list[int], seed: int = 0) -> Interactions:
    """Users with so many events each; items count up within a user; times are random but rising."""
    user = np.repeat(np.arange(len(lengths)), lengths).astype(np.int32)
    item = np.concatenate([np.arange(n) for n in lengths]).astype(np.int32)
    time = np.concatenate([np.sort(np.random.default_rng([seed, n]).integers(0, 1000, n)) for n in lengths])
    return Interactions.of(user, item, time.astype(np.int64), n_users=len(lengths), n_items=max(lengths))


def case(split: Split, number: int) -> tuple[list[int], list[int]]:
    """Input and truth of a case."""
    return split.inputs(number, number + 1).items.tolist(), split.truths(number, number + 1).items.tolist()


def test_personalize_holds_out_a_tenth_of_users_entirely() -> None:
    data = log([20] * 50)
    split = personalize(data, seed=1)
    assert len(split) == 5
    assert not np.isin(split.train.user, split.user).any()
    assert len(split.train) == 45 * 20


def test_personalize_gives_the_oldest_events_and_asks_for_the_newest_tenth() -> None:
    given, truth = case(personalize(log([20] * 10)), 0)
    assert given == list(range(18))
    assert truth == [18, 19]


@pytest.mark.parametrize(("events", "asked"), [(2, 1), (9, 1), (10, 1), (11, 2), (20, 2), (21, 3)])
def test_personalize_rounds_the_truth_up(events: int, asked: int) -> None:
    given, truth = case(personalize(log([events])), 0)
    assert (len(given), len(truth)) == (events - asked, asked)


def test_personalize_never_holds_out_users_of_one_event() -> None:
    split = personalize(log([1] * 30 + [5] * 10))
    assert split.user.min() >= 30
    assert len(split) == 1


def test_personalize_is_fixed_by_its_seed() -> None:
    data = log([5] * 100)
    np.testing.assert_array_equal(personalize(data, 3).user, personalize(data, 3).user)
    assert not np.array_equal(personalize(data, 3).user, personalize(data, 4).user)


def test_events_of_the_same_second_keep_the_order_of_arrival() -> None:
    items = np.array([7, 3, 9, 1, 5, 0, 2, 8, 6, 4], np.int32)
    data = Interactions.of(np.zeros(10, np.int32), items, np.full(10, 5, np.int64), n_users=1, n_items=10)
    assert case(personalize(data), 0) == (items[:9].tolist(), [4])


def test_leave_one_out_asks_for_every_last_event() -> None:
    split = leave_one_out(log([3, 1, 2]))
    assert split.user.tolist() == [0, 2]
    assert case(split, 0) == ([0, 1], [2])
    assert split.train.user.tolist() == [0, 0, 1, 2]


def test_temporal_trains_strictly_before_its_cases() -> None:
    split = temporal(log([30] * 20))
    first = min(int(split.truths(n, n + 1).timestamps[0]) for n in range(len(split)))
    assert split.train.timestamp.max() < first


def test_temporal_input_is_strictly_earlier_than_the_event() -> None:
    split = temporal(log([30] * 20))
    for number in range(len(split)):
        given, truth = split.inputs(number, number + 1), split.truths(number, number + 1)
        assert len(truth.items) == 1
        assert (given.timestamps < truth.timestamps[0]).all()


def test_temporal_gives_at_most_ten_cases_a_user() -> None:
    user = np.array([0] * 50 + [1] * 50, np.int32)
    time = np.concatenate([np.arange(50), 1000 + np.arange(50)]).astype(np.int64)
    data = Interactions.of(user, np.arange(100, dtype=np.int32), time, n_users=2, n_items=100)
    assert np.bincount(temporal(data).user).max() <= 10


def test_a_user_new_after_training_has_an_empty_input() -> None:
    user = np.array([0] * 18 + [1] * 2, np.int32)
    data = Interactions.of(user, np.arange(20, dtype=np.int32), np.arange(20, dtype=np.int64), n_users=2, n_items=20)
    split = temporal(data)
    assert 1 in split.user
    assert case(split, int(np.flatnonzero(split.user == 1)[0]))[0] == []


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_a_split_names_its_protocol(protocol: str) -> None:
    assert PROTOCOLS[protocol](log([10] * 20), 0).protocol == protocol
