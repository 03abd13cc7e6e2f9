"""Intervals cover what they should, tests tell a difference from none, and both treat a user as one."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.evaluation.beyond import whole
from matinee.evaluation.intervals import GROUPS, Sums, bootstrap, jackknife, over_cases, paired

USERS = 200


def sums(values: np.ndarray, user: np.ndarray | None = None) -> Sums:
    return Sums.of(np.arange(len(values)) if user is None else user, {"m": values}, USERS)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.3, 0.1, USERS)


def test_the_interval_has_the_width_of_the_standard_error() -> None:
    values = noise(0)
    (found,) = bootstrap([sums(values)])
    error = values.std() / np.sqrt(USERS)
    assert found.mean == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_cases_of_one_user_do_not_count_as_many() -> None:
    values = noise(1)
    (once,) = bootstrap([sums(values)])
    (often,) = bootstrap([sums(np.tile(values, 10), np.tile(np.arange(USERS), 10))])
    assert often.high - often.low == pytest.approx(once.high - once.low)


def test_seeds_that_say_the_same_do_not_make_it_surer() -> None:
    (one,), (three,) = bootstrap([sums(noise(2))]), bootstrap([sums(noise(2))] * 3)
    assert three.as_json() == pytest.approx(one.as_json())


def test_a_constant_difference_is_certain_and_none_is_not() -> None:
    values = noise(3)
    (certain,) = paired([sums(values + 0.05)], [sums(values)])
    assert certain.p_value < 0.001
    assert certain.difference == pytest.approx(0.05)
    (same,) = paired([sums(values)], [sums(values)])
    assert (same.difference, same.p_value) == (0.0, 1.0)


def test_independent_scores_of_equal_mean_are_not_told_apart() -> None:
    values, others = noise(4), noise(5)
    (found,) = paired([sums(values)], [sums(others - others.mean() + values.mean() - 0.001)])
    assert found.low < 0 < found.high
    assert found.p_value > 0.3


def test_a_test_of_different_cases_is_refused() -> None:
    with pytest.raises(ValueError, match="same cases"):
        paired([sums(noise(0))], [sums(noise(0)[:-1])])


def test_coverage_stays_inside_its_interval() -> None:
    listed = np.random.default_rng(0).poisson(0.2, (GROUPS, 300))
    found = jackknife([listed], whole)["coverage"]
    assert found.low < found.mean < found.high
    assert found.mean == pytest.approx((listed.sum(axis=0) > 0).mean())


@pytest.mark.parametrize("value", [0.1, 0.3, 0.7])
def test_bounds_are_on_their_side_of_the_mean_to_the_last_bit(value: float) -> None:
    for n, often in ((12, 2), (12, 3), (20, 7), (37, 3)):
        (found,) = bootstrap([sums(np.full(n * often, value), np.arange(n * often) % n)])
        assert found.low <= found.mean <= found.high


def test_everything_is_the_same_every_time() -> None:
    user = np.arange(USERS)
    assert over_cases(user, {"m": noise(6)}, USERS) == over_cases(user, {"m": noise(6)}, USERS)
