"""Exposures and what came before them."""

from __future__ import annotations

import numpy as np

from matinee.data.actions import ActionEvents, Answer
from matinee.data.interactions import Interactions
from matinee.models.exposures import (
    BEHAVIOUR,
    DAY,
    Exposures,
    behaviour,
    behaviour_before,
    exposures,
    histories_before,
)

TAKEN, NOT_TAKEN, VIEWED = Answer.TAKEN, Answer.NOT_TAKEN, Answer.VIEWED


def events(*rows: tuple[int, int, float, Answer]) -> ActionEvents:
    """Events of two users about two actions; times in days."""
    user, action, days, answer = (np.array(column) for column in zip(*rows, strict=True))
    times = (days * DAY).astype(np.int64)
    return ActionEvents.of(
        user.astype(np.int32), action.astype(np.int32), times, answer.astype(np.int8), n_users=2, n_actions=2
    )


def test_a_view_that_is_followed_within_the_period_is_a_success() -> None:
    shown = exposures(events((0, 0, 1, VIEWED), (0, 0, 5, TAKEN), (0, 1, 2, VIEWED)), 14)
    assert (shown.action.tolist(), shown.taken.tolist()) == ([0, 1], [True, False])


def test_an_event_after_the_period_is_an_exposure_of_its_own() -> None:
    shown = exposures(events((0, 0, 1, NOT_TAKEN), (0, 0, 20, TAKEN)), 14)
    assert shown.taken.tolist() == [False, True]


def test_users_are_kept_apart() -> None:
    shown = exposures(events((0, 0, 1, NOT_TAKEN), (1, 0, 2, TAKEN)), 14)
    assert (shown.user.tolist(), shown.taken.tolist()) == ([0, 1], [False, True])


def test_behaviour_counts_by_action() -> None:
    actions, times = np.array([0, 0, 1], np.int32), np.array([1, 2, 3], np.int64) * DAY
    told = behaviour(actions, times, np.array([TAKEN, NOT_TAKEN, TAKEN], np.int8), 3, 4 * DAY)
    assert told.shape == (3, len(BEHAVIOUR))
    assert np.allclose(told[:, 0], np.log1p([1, 1, 0]))
    assert np.allclose(told[:, 1], np.log1p([1, 0, 0]))
    assert np.allclose(told[:, 4], [1 / 4, 1 / 2, 0])
    assert len(set(told[:, 2].tolist())) == 1


def test_only_what_was_before_an_exposure_is_told() -> None:
    log = events((0, 0, 1, TAKEN), (0, 0, 2, TAKEN), (0, 0, 3, TAKEN))
    shown = Exposures(np.zeros(2, np.int32), np.zeros(2, np.int32), np.array([1, 3]) * DAY, np.ones(2, np.bool_))
    assert np.allclose(behaviour_before(log, shown)[:, 0], np.log1p([0, 2]))


def test_histories_end_before_the_exposure_and_keep_the_newest() -> None:
    data = Interactions.of(
        np.zeros(4, np.int32), np.arange(4, dtype=np.int32), np.arange(4, dtype=np.int64), n_users=1, n_items=4
    )
    shown = Exposures(np.zeros(2, np.int32), np.zeros(2, np.int32), np.array([0, 3]), np.ones(2, np.bool_))
    found = histories_before(data, shown, 2)
    assert (found.indptr.tolist(), found.items.tolist()) == ([0, 0, 2], [1, 2])
