"""Outcomes count users whose window has closed, and what lies in it."""

from __future__ import annotations

import numpy as np

from matinee.experiments.outcomes import Shown, inside, matured, user_means
from matinee.experiments.verdict import compare

SHOWN = Shown(3, *(np.array(one, np.int64) for one in ([1, 0, 1, 2], [50, 100, 20, 400], [1, 0, 1, 1])))


def test_a_window_opens_with_the_first_list() -> None:
    assert SHOWN.opened().tolist() == [100, 20, 400]
    assert SHOWN.arms().tolist() == [0, 1, 1]


def test_users_count_in_the_order_in_which_their_windows_close() -> None:
    assert matured(SHOWN.opened(), 100, 200).tolist() == [1, 0]


def test_what_comes_after_the_window_is_out() -> None:
    assert inside(SHOWN.user, SHOWN.at, SHOWN.opened(), 30).tolist() == [False, True, True, True]


def test_a_users_mean_is_over_their_own_lists() -> None:
    assert user_means(SHOWN.user, np.array([1.0, 1.0, 0.0, 0.0]), 4).tolist() == [1.0, 0.5, 0.0, 0.0]


def test_a_clear_difference_has_a_winner_and_none_has_none() -> None:
    random = np.random.default_rng(0)
    arm = random.integers(2, size=4000)
    better = (random.random(4000) < np.where(arm == 1, 0.5, 0.3)).astype(np.float64)
    equal = (random.random(4000) < 0.3).astype(np.float64)
    assert compare(arm, better, 2, alpha=0.05, tuned_to=4000).winner == 1
    assert compare(1 - arm, better, 2, alpha=0.05, tuned_to=4000).winner == 0
    assert compare(arm, equal, 2, alpha=0.05, tuned_to=4000).winner is None
