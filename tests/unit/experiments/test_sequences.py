"""Peeking every day keeps the stated level, and the calculated number of users finds the lift. Simulated, seeded."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.experiments.sample_size import users_needed
from matinee.experiments.sequences import difference, radius
from matinee.experiments.simulation import daily_conversions, daily_preferences, decided, decided_interleaved

ALPHA, DAYS, RUNS = 0.05, 28, 1000


@pytest.mark.parametrize("rate", [0.02, 0.3])
def test_equal_arms_are_told_apart_no_oftener_than_stated(rate: float) -> None:
    users = users_needed(rate, 0.05, alpha=ALPHA).users
    looks = daily_conversions((rate, rate), users // DAYS, DAYS, RUNS, np.random.default_rng(1))
    assert decided(*looks, ALPHA, users).mean() <= ALPHA


def test_few_users_and_many_looks_keep_the_level() -> None:
    looks = daily_conversions((0.05, 0.05), 50, 300, RUNS, np.random.default_rng(2))
    assert decided(*looks, ALPHA, 10_000).mean() <= ALPHA


@pytest.mark.parametrize("rate", [0.02, 0.3])
def test_a_lift_of_five_percent_is_found_by_the_calculated_number_of_users(rate: float) -> None:
    users = users_needed(rate, 0.05, alpha=ALPHA, power=0.8).users
    days = daily_conversions((rate, rate * 1.05), -(-users // DAYS), DAYS, RUNS, np.random.default_rng(3))
    assert decided(*days, ALPHA, users).mean() >= 0.8


def test_interleaving_without_a_preference_keeps_the_level() -> None:
    looks = daily_preferences(0.0, 0.3, 400, DAYS, RUNS, np.random.default_rng(4))
    assert decided_interleaved(*looks, ALPHA, 400 * DAYS).mean() <= ALPHA


def test_nothing_is_said_of_few_users_or_where_nothing_happened() -> None:
    few = difference([99, 5000], [0.1, 0.9], [0.09, 0.09], ALPHA, 1000)
    still = difference([5000, 5000], [0.0, 0.0], [0.0, 0.0], ALPHA, 1000)
    assert [float(bound) for bound in (*few, *still)] == [-np.inf, np.inf, -np.inf, np.inf]


def test_the_radius_is_that_of_the_paper() -> None:
    # Waudby-Smith et al. 2024, theorem 2.2, by hand for t = 100, sigma = 1, alpha = 0.05, tuned to 100.
    rho2 = (-2 * np.log(0.05) + np.log(1 - 2 * np.log(0.05))) / 100
    expected = np.sqrt(2 * (100 * rho2 + 1) / (100**2 * rho2) * np.log(np.sqrt(100 * rho2 + 1) / 0.05))
    assert float(radius(100, 1.0, 0.05, 100)) == pytest.approx(expected)


def test_the_calculator_refuses_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="rate with the lift"):
        users_needed(0.9, 0.5)
    with pytest.raises(ValueError, match="more than"):
        users_needed(0.1, 1e-9)
