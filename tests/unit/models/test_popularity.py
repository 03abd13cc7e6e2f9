"""Popularity counts different users, not events."""

from __future__ import annotations

import numpy as np

from matinee.data.interactions import Histories, Interactions
from matinee.models.popularity import Popularity, PopularityConfig, unique_users

DAY = 86_400
USER = np.array([0, 0, 0, 1, 1, 2], np.int32)
ITEM = np.array([0, 0, 1, 1, 2, 1], np.int32)
DATA = Interactions.of(USER, ITEM, np.array([0, 1, 2, 3, 9 * DAY, 10 * DAY], np.int64), n_users=3, n_items=4)


def test_repeated_events_of_a_user_count_once() -> None:
    assert unique_users(DATA).tolist() == [1, 3, 1, 0]


def test_a_window_counts_the_newest_days_only() -> None:
    assert unique_users(DATA, window_days=7).tolist() == [0, 1, 1, 0]


def test_an_item_without_events_in_the_window_is_known_with_count_zero() -> None:
    model = Popularity(PopularityConfig(window_days=7)).fit(DATA)
    nobody = Histories.one(np.zeros(0, np.int32), np.zeros(0, np.int64))
    assert model.score(nobody).tolist() == [[0, 1, 1, -np.inf]]
