"""Recent popularity counts the days before the question, and leans on the training where little was counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from matinee.data.interactions import Histories, Interactions
from matinee.models.recent import EventsInTime, Recent, RecentConfig

DAY = 86_400


def log() -> Interactions:
    """Item 0 three times long ago, item 1 twice and item 2 once on the last day."""
    item = np.array([0, 0, 0, 1, 1, 2], np.int32)
    time = np.array([0, 1, 2, 20, 20, 21], np.int64) * DAY
    return Interactions.of(np.arange(6, dtype=np.int32), item, time, n_users=6, n_items=4)


def nobody(batch: int = 1) -> Histories:
    return Histories(np.zeros(batch + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64))


def test_the_last_days_of_training_count() -> None:
    scores = Recent().fit(log()).score(nobody())[0]
    np.testing.assert_allclose(np.expm1(scores[:3]), [0, 2, 1], rtol=1e-6)
    assert np.isneginf(scores[3])


def test_the_window_can_be_set() -> None:
    scores = Recent(RecentConfig(window_days=0.5)).fit(log()).score(nobody())[0]
    np.testing.assert_allclose(np.expm1(scores[:3]), [0, 0, 1], rtol=1e-6)


def test_what_was_counted_since_takes_the_place_of_the_training() -> None:
    counted = np.array([[5, 0, 1, 0]], np.float32)
    scores = Recent().fit(log()).score(replace(nobody(), recent=counted))[0]
    np.testing.assert_allclose(np.expm1(scores[:3]), [5, 0, 1], rtol=1e-6)


def test_a_few_events_are_made_up_for_by_the_training() -> None:
    counted = np.array([[1, 0, 0, 0], [0, 0, 0, 0]], np.float32)
    scores = Recent().fit(log()).score(replace(nobody(2), recent=counted))
    np.testing.assert_allclose(np.expm1(scores[0, :3]), [1, 2 * 2 / 3, 2 / 3], rtol=1e-5)
    np.testing.assert_array_equal(scores[1], Recent().fit(log()).score(nobody())[0])


def test_items_that_came_after_the_training_are_passed_over() -> None:
    counted = np.array([[1, 1, 1, 1, 9, 9]], np.float32)
    assert Recent().fit(log()).score(replace(nobody(), recent=counted)).shape == (1, 4)


def test_the_second_of_the_question_does_not_count() -> None:
    counts = EventsInTime.of(log()).counted(np.array([20 * DAY, 20 * DAY + 1, -1]), 7)
    assert counts.tolist() == [[0, 0, 0, 0], [0, 2, 0, 0], [0, 2, 1, 0]]
