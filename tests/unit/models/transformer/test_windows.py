"""Windows show every event once as a target, in its context, whatever the epoch."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data.interactions import Interactions
from matinee.models.transformer.windows import Batch, Windows

N_ITEMS = 50


def log(lengths: tuple[int, ...] = (3, 12, 1, 30, 7)) -> Interactions:
    user = np.repeat(np.arange(len(lengths)), lengths).astype(np.int32)
    item = np.random.default_rng(0).integers(0, N_ITEMS, len(user)).astype(np.int32)
    return Interactions.of(user, item, np.arange(len(user), dtype=np.int64), n_users=len(lengths), n_items=N_ITEMS)


def windows(data: Interactions, **changes: int) -> Windows:
    settings = {"length": 8, "batch_events": 16, "ahead": 1, "seed": 0, **changes}
    return Windows(data, mask_seen=True, **settings)


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


def test_first_seen_says_from_where_an_item_has_been_seen() -> None:
    data = log()
    for batch in windows(data).batches(3):
        assert batch.first_seen is not None
        for row in range(len(batch.inputs)):
            within = [item for item in batch.inputs[row].tolist() if item < N_ITEMS]
            for item in within:
                place = batch.inputs[row].tolist().index(item)
                assert batch.first_seen[row, item] in (-1, place)


def test_items_before_the_window_are_seen_from_its_start() -> None:
    item = np.arange(20, dtype=np.int32)
    data = Interactions.of(np.zeros(20, np.int32), item, np.arange(20, dtype=np.int64), n_users=1, n_items=20)
    for batch in windows(data).batches(0):
        assert batch.first_seen is not None
        for row in range(len(batch.inputs)):
            first = int(batch.targets[row, 0, 0])
            if first > 1:
                assert (batch.first_seen[row, : first - 1] == -1).all()


def test_without_a_mask_there_is_no_first_seen() -> None:
    plain = Windows(log(), length=8, batch_events=16, ahead=1, mask_seen=False, seed=0)
    assert all(batch.first_seen is None for batch in plain.batches(0))
