"""Lists hold what was listed and asked for; metrics of a part of the items count only these."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data.interactions import FloatArray, Interactions
from matinee.errors import DataProblem
from matinee.evaluation.lists import make_lists, with_truth
from matinee.evaluation.splits import leave_one_out

SPLIT = leave_one_out(
    Interactions.of(
        np.array([0, 0, 1, 1, 1], np.int32),
        np.array([0, 1, 2, 3, 2], np.int32),
        np.arange(5, dtype=np.int64),
        n_users=2,
        n_items=4,
    )
)


def rising(begin: int, end: int) -> FloatArray:
    """Items with higher numbers first."""
    return np.repeat(np.arange(4, dtype=np.float32)[None, :], end - begin, axis=0)


def test_a_case_that_asks_for_seen_items_only_is_left_out() -> None:
    assert make_lists(SPLIT, rising, exclude_seen=True).case.tolist() == [0]
    assert make_lists(SPLIT, rising, exclude_seen=False).case.tolist() == [0, 1]


def test_lists_of_another_library_are_measured_alike() -> None:
    ours = make_lists(SPLIT, rising, exclude_seen=False)
    theirs = with_truth(SPLIT, ours.ranked, exclude_seen=False)
    assert theirs.metrics()[1]["mrr_at_25"].tolist() == ours.metrics()[1]["mrr_at_25"].tolist() == [1 / 3, 1 / 2]


def test_with_only_some_items_asked_for_the_others_keep_their_places() -> None:
    only = np.array([False, False, True, False])
    rows, metrics = make_lists(SPLIT, rising, exclude_seen=False).metrics(only=only)
    assert rows.tolist() == [1]
    assert metrics["mrr_at_25"].tolist() == [0.5]


def test_nothing_asked_for_is_refused() -> None:
    data = Interactions.of(np.zeros(1, np.int32), np.zeros(1, np.int32), np.zeros(1, np.int64), n_users=1, n_items=1)
    with pytest.raises(DataProblem, match="nothing to test on"):
        make_lists(leave_one_out(data), rising, exclude_seen=True)
