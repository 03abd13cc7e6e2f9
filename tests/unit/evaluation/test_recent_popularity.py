"""Popularity of the last days counts what was there at the moment of a case, and nothing later."""

from __future__ import annotations

import numpy as np

from matinee.data.interactions import Interactions
from matinee.evaluation.recent_popularity import live_popularity
from matinee.evaluation.splits import Split, temporal

DAY = 86_400


def split() -> Split:
    """Item 0 is popular early on; from day 100 on users turn to item 1, then to item 2, at the end to item 3."""
    user = np.arange(30, dtype=np.int32)
    item = np.array([0] * 20 + [1] * 4 + [2] * 3 + [3] * 3, np.int32)
    day = np.concatenate([np.arange(20), 100 + np.arange(10)])
    return temporal(Interactions.of(user, item, day * DAY, n_users=30, n_items=5))


def test_only_the_last_week_before_a_case_counts() -> None:
    cases = split()
    scores = live_popularity(cases)(0, len(cases))
    assert cases.truths(0, 1).timestamps[0] == 106 * DAY
    assert np.floor(scores[0]).tolist() == [0, 4, 2, 0, 0]


def test_a_later_event_changes_nothing_before_it() -> None:
    cases = split()
    scores = live_popularity(cases)(0, len(cases))
    times = cases.truths(0, len(cases)).timestamps
    item_3 = {int(time) // DAY: int(score) for time, score in zip(times, scores[:, 3], strict=True)}
    assert item_3 == {106: 0, 107: 0, 108: 1, 109: 2}


def test_items_without_recent_users_follow_their_popularity_in_training() -> None:
    scores = live_popularity(split())(0, 1)[0]
    assert scores[0] > scores[3] == scores[4]
    assert scores[0] < 1
