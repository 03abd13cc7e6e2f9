"""Segments hold the cases that they say."""

from __future__ import annotations

import numpy as np

from matinee.data.interactions import Interactions
from matinee.evaluation.case_segments import new_items, segments
from matinee.evaluation.lists import make_lists
from matinee.evaluation.splits import Split, leave_one_out, temporal


def split() -> Split:
    """A user of 40 events, one of 3, and item 9, which appears at the end of training and again after it."""
    user = np.array([0] * 40 + [1] * 3 + [2] * 20, np.int32)
    item = np.concatenate([np.arange(40) % 9, [0, 1, 9], np.arange(18) % 9, [9, 9]]).astype(np.int32)
    time = np.concatenate([np.arange(40), [10, 11, 99], np.arange(18), [95, 98]]).astype(np.int64)
    return temporal(Interactions.of(user, item, time, n_users=3, n_items=10))


def test_cold_and_heavy_users_are_told_by_their_inputs() -> None:
    cases = split()
    lists = make_lists(cases, lambda begin, end: np.zeros((end - begin, 10), np.float32), exclude_seen=False)
    length = (cases.input_end - cases.input_start)[lists.case]
    found = segments(cases, lists)
    assert (length[found["cold_users"][0]] <= 5).all()
    assert (length[found["heavy_users"][0]] == length.max()).all()


def _heavy(lengths: list[int]) -> list[int]:
    """The input lengths of the heavy cases, of users whose last event is asked for."""
    user = np.repeat(np.arange(len(lengths)), np.array(lengths) + 1).astype(np.int32)
    time = np.concatenate([np.arange(length + 1) for length in lengths]).astype(np.int64)
    log = Interactions.of(user, np.zeros(len(user), np.int32), time, n_users=len(lengths), n_items=1)
    cases = leave_one_out(log)
    lists = make_lists(cases, lambda begin, end: np.zeros((end - begin, 1), np.float32), exclude_seen=False)
    found = segments(cases, lists)
    length = (cases.input_end - cases.input_start)[lists.case]
    return sorted(length[found["heavy_users"][0]].tolist()) if "heavy_users" in found else []


def test_heavy_users_are_a_tenth_at_most() -> None:
    assert _heavy(list(range(10, 40))) == [37, 38, 39]
    assert _heavy([20] * 12 + [8] * 17 + [30]) == [30]


def test_nobody_is_heavy_where_all_are_alike() -> None:
    assert _heavy([20] * 30) == []


def test_an_item_first_seen_after_training_is_new() -> None:
    assert new_items(split()).tolist() == [False] * 9 + [True]


def test_new_items_alone_are_asked_for() -> None:
    cases = split()
    lists = make_lists(
        cases, lambda begin, end: np.tile(np.arange(10.0, dtype=np.float32), (end - begin, 1)), exclude_seen=False
    )
    rows, metrics = segments(cases, lists)["new_items"]
    assert len(rows) == int((cases.truths(0, len(cases)).items == 9).sum())
    assert metrics["mrr_at_25"].tolist() == [1.0] * len(rows)
