"""Hits and recall among the top 1% of users."""

from __future__ import annotations

import numpy as np

from matinee.data.interactions import Interactions
from matinee.evaluation.user_segments import measure_segments, split_users, top_users


def log(*rows: tuple[int, int], n_users: int = 200) -> Interactions:
    """Events (user, item) in their order in time."""
    user, item = np.array(rows, np.int32).T
    return Interactions.of(user, item, np.arange(len(rows), dtype=np.int64), n_users=n_users, n_items=3)


def test_trap_7_the_oldest_four_fifths_are_learned_from() -> None:
    learned, asked = split_users(log(*((0, item % 3) for item in range(10)), (1, 2)))
    assert (len(learned), len(asked)) == (9, 2)
    assert learned.timestamp.max() == 10  # a single event is learned from
    assert asked.timestamp.tolist() == [8, 9]


def test_one_percent_is_at_least_one_user() -> None:
    assert (top_users(20), top_users(200), top_users(6040)) == (1, 2, 60)


def test_hits_and_recall_by_hand() -> None:
    learned, asked = log((0, 0), (1, 0), (2, 1)), log((5, 1), (6, 1), (7, 1), (8, 2))
    scores = np.zeros(200, np.float32)
    scores[[5, 6]] = 1
    found = measure_segments([np.array([1]), np.array([2]), np.array([0])], [scores] * 3, learned, asked, repeats=True)
    assert found.hits.tolist() == [2, 0]  # nobody comes for item 0: that query is left out
    assert np.allclose(found.recall, [2 / 3, 0])
    assert found.metrics() == {"coverage": 0.01, "hits_at_1_percent": 1.0, "recall_at_1_percent": 0.3333}


def test_every_metric_lies_within_its_interval() -> None:
    learned, asked = log((0, 0), (1, 0), (2, 1)), log((5, 1), (6, 1), (7, 1), (8, 2), (9, 0))
    scores = np.zeros(200, np.float32)
    scores[[5, 6]] = 1
    found = measure_segments([np.array([n]) for n in range(3)], [scores] * 3, learned, asked, repeats=True)
    metrics, intervals = found.metrics(), found.intervals()
    assert metrics.keys() == intervals.keys()
    for name, value in metrics.items():
        assert intervals[name]["low"] <= value <= intervals[name]["high"]
    assert intervals["hits_at_1_percent"]["high"] > metrics["hits_at_1_percent"]


def test_who_had_the_item_is_not_asked_for_where_nobody_returns() -> None:
    learned, asked = log((5, 1), (6, 0)), log((5, 1), (6, 1))
    scores = np.zeros(200, np.float32)
    scores[[5, 6]] = 1
    found = measure_segments([np.array([1])], [scores], learned, asked, repeats=False)
    assert (found.hits.tolist(), found.recall.tolist()) == ([1], [1])


def test_without_any_query_there_is_coverage_alone() -> None:
    learned = log((0, 0))
    asked = learned.select(np.zeros(1, np.bool_))
    found = measure_segments([np.array([0])], [np.zeros(200, np.float32)], learned, asked, repeats=True)
    assert set(found.metrics()) == {"coverage"}
