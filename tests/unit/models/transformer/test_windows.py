"""Windows show every event once as a target, in its context, whatever the epoch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matinee.data.interactions import Interactions
from matinee.models.transformer.config import TransformerConfig
from matinee.models.transformer.elapsed import UNKNOWN, bucket, since
from matinee.models.transformer.windows import Batch, Windows

N_ITEMS = 50


def log(lengths: tuple[int, ...] = (3, 12, 1, 30, 7)) -> Interactions:
    user = np.repeat(np.arange(len(lengths)), lengths).astype(np.int32)
    item = np.random.default_rng(0).integers(0, N_ITEMS, len(user)).astype(np.int32)
    return Interactions.of(user, item, np.arange(len(user), dtype=np.int64), n_users=len(lengths), n_items=N_ITEMS)


def windows(data: Interactions, ahead: int = 1, hide_elapsed: float = 0.0, mask_seen: bool = True) -> Windows:
    config = TransformerConfig(length=8, batch_events=16, ahead=ahead, hide_elapsed=hide_elapsed)
    return Windows(data, config, mask_seen=mask_seen, seed=0)


def pairs(batches: list[Batch]) -> list[tuple[int, int]]:
    """(input, target) of every position, sorted."""
    found = []
    for batch in batches:
        there = batch.targets[:, :, 0] >= 0
        found += list(zip(batch.inputs[there].tolist(), batch.targets[:, :, 0][there].tolist(), strict=True))
    return sorted(found)


@pytest.mark.parametrize("epoch", range(4))
def test_every_event_is_a_target_once_after_the_one_before(epoch: int) -> None:
    data = log()
    expected = []
    for user in range(data.n_users):
        history = data.history(user).tolist()
        expected += list(zip([N_ITEMS, *history[:-1]], history, strict=True))
    assert pairs(list(windows(data).batches(epoch))) == sorted(expected)


def test_an_epoch_is_the_same_every_time_and_another_differs() -> None:
    first, again = (list(windows(log()).batches(1)) for _ in range(2))
    assert all(np.array_equal(a.inputs, b.inputs) for a, b in zip(first, again, strict=True))
    other = list(windows(log()).batches(2))
    assert [batch.inputs.tolist() for batch in first] != [batch.inputs.tolist() for batch in other]


def test_windows_and_batches_keep_to_their_sizes() -> None:
    for batch in windows(log()).batches(0):
        assert batch.inputs.shape[1] <= 8
        assert batch.inputs.size <= 16 or len(batch.inputs) == 1


def test_the_next_items_are_targets_up_to_the_end_of_the_history() -> None:
    data = log((4,))
    (batch,) = windows(data, ahead=3).batches(0)
    a, b, c, d = data.history(0).tolist()
    assert batch.targets[0].tolist() == [[a, b, c], [b, c, d], [c, d, -1], [d, -1, -1]]


def seen_at(batch: Batch, row: int, position: int) -> set[int]:
    """The items seen by `position` of window `row`."""
    assert batch.seen is not None
    at, item = np.divmod(batch.seen[row], N_ITEMS)
    return set(item[at == position].tolist())


def test_weights_fall_with_distance_and_sum_to_one() -> None:
    (batch,) = windows(log((4,)), ahead=3).batches(0)
    np.testing.assert_allclose(batch.weights[0, 0], np.array([4, 2, 1]) / 7)
    np.testing.assert_allclose(batch.weights[0, 3], [1, 0, 0])


def test_weights_of_events_multiply_those_of_targets() -> None:
    data = replace(log((4,)), weight=np.array([1, 2, 3, 4], np.float32))
    (batch,) = windows(data, ahead=2).batches(0)
    np.testing.assert_allclose(batch.weights[0, 0], [2 / 3, 2 / 3], rtol=1e-6)
    np.testing.assert_allclose(batch.weights[0, 3], [4, 0])


def test_at_every_position_the_history_so_far_has_been_seen() -> None:
    data = log()
    checked = 0
    for batch in windows(data).batches(3):
        for row in range(len(batch.inputs)):
            there = np.flatnonzero(batch.targets[row, :, 0] >= 0)
            for position in there:
                inputs = batch.inputs[row, : position + 1]
                within = set(inputs[inputs < N_ITEMS].tolist())
                assert within <= seen_at(batch, row, int(position))
                checked += 1
    assert checked == len(data)


def test_what_was_before_the_window_has_been_seen_and_what_comes_later_has_not() -> None:
    item = np.arange(20, dtype=np.int32)
    data = Interactions.of(np.zeros(20, np.int32), item, np.arange(20, dtype=np.int64), n_users=1, n_items=N_ITEMS)
    for batch in windows(data).batches(0):
        for row in range(len(batch.inputs)):
            for position in np.flatnonzero(batch.targets[row, :, 0] >= 0):
                target = int(batch.targets[row, position, 0])
                assert seen_at(batch, row, int(position)) == set(range(target))


def test_without_a_mask_nothing_is_listed_as_seen() -> None:
    assert all(batch.seen is None for batch in windows(log(), mask_seen=False).batches(0))


def test_the_time_to_the_next_event_is_read_in_buckets() -> None:
    data = replace(log((4,)), timestamp=np.array([0, 10, 10, 1000], np.int64))
    (batch,) = windows(data).batches(0)
    assert batch.elapsed[0].tolist() == [UNKNOWN, *bucket(np.array([10, 0, 990])).tolist()]


def test_times_are_hidden_at_the_share_asked_for() -> None:
    batches = list(windows(log((400,)), hide_elapsed=1.0).batches(0))
    assert all((batch.elapsed == UNKNOWN).all() for batch in batches)


def test_times_between_events_are_read_only_when_asked_for() -> None:
    (batch,) = windows(log((4,))).batches(0)
    assert batch.since is None


def test_the_time_from_each_event_is_until_the_target() -> None:
    data = replace(log((4,)), timestamp=np.array([10, 13, 20, 83]))
    config = TransformerConfig(length=8, hide_elapsed=0.0, time_bias=True)
    (batch,) = Windows(data, config, mask_seen=True, seed=0).batches(0)
    assert batch.since is not None
    expected = [[UNKNOWN] * 4, [UNKNOWN, 2, 0, 0], [UNKNOWN, 3, 3, 0], [UNKNOWN, 6, 6, 6]]
    assert batch.since[0].tolist()[0] == expected[0]
    for position in range(1, 4):
        assert batch.since[0, position, : position + 1].tolist() == expected[position][: position + 1]


def test_times_are_hidden_where_the_time_to_the_next_event_is() -> None:
    config = TransformerConfig(length=8, hide_elapsed=0.5, time_bias=True)
    for batch in Windows(log(), config, mask_seen=True, seed=0).batches(0):
        assert batch.since is not None
        unknown = (batch.since == UNKNOWN).all(axis=2)
        np.testing.assert_array_equal(unknown, batch.elapsed == UNKNOWN)


def test_a_question_without_a_time_knows_none_of_any_event() -> None:
    found = since(np.array([-1, 5, 7]), np.array([-1, 8]))
    assert found.tolist() == [[UNKNOWN] * 3, [UNKNOWN, 2, 1]]
