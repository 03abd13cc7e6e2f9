"""Trending-Now ranks by growth from one interval to the next."""

from __future__ import annotations

import numpy as np

from matinee.data.interactions import Interactions
from matinee.models.trending import Trending, TrendingConfig, counts, growth

HOUR = 3600
NOBODY = np.zeros(4, np.float32)


def test_growth_orders_by_the_increase() -> None:
    scores = growth(np.array([5, 12, 3, 0]), np.array([0, 10, 3, 4]), NOBODY)
    assert np.argsort(-scores).tolist() == [0, 1, 2, 3]


def test_of_equal_growth_the_less_noisy_comes_first() -> None:
    scores = growth(np.array([105, 5]), np.array([100, 0]), np.zeros(2, np.float32))
    assert scores[1] > scores[0]
    assert scores[1] - scores[0] < 1


def test_items_that_stand_still_follow_by_popularity() -> None:
    scores = growth(np.array([1, 0, 0]), np.array([0, 0, 0]), np.array([1, 2, 9], np.float32))
    assert np.argsort(-scores).tolist() == [0, 2, 1]


def test_without_interactions_in_either_interval_popular_items_are_the_answer() -> None:
    popular = np.array([3, 1, 2, 5], np.float32)
    np.testing.assert_array_equal(growth(np.zeros(4, np.int64), np.zeros(4, np.int64), popular), popular)


def test_intervals_end_before_their_end() -> None:
    now, before = counts(np.array([0, 0, 1, 1]), np.array([99, 90, 89, 79]), 2, end=100, seconds=10)
    assert now.tolist() == [2, 0]
    assert before.tolist() == [0, 1]


def test_the_interval_decides_what_trends() -> None:
    item = np.array([0] * 6 + [1] * 4, np.int32)
    time = np.concatenate([np.full(6, 10 * HOUR - 5000), np.full(4, 10 * HOUR)]).astype(np.int64)
    data = Interactions.of(np.arange(10, dtype=np.int32), item, time, n_users=10, n_items=2)
    short = Trending(TrendingConfig(interval_seconds=HOUR)).fit(data)
    long = Trending(TrendingConfig(interval_seconds=24 * HOUR)).fit(data)
    assert short.scores.argmax() == 1
    assert long.scores.argmax() == 0
