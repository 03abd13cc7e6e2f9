"""Simulated experiments, all runs at once: what a sequence's looks would have shown when the truth is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.experiments.sequences import Doubles, difference, radius

Flags = NDArray[np.bool_]


def daily_conversions(
    rates: tuple[float, float], users_a_day: int, days: int, runs: int, random: np.random.Generator
) -> tuple[Doubles, Doubles, Doubles]:
    """Two arms' cumulative users, means and variances at the end of every day: three (runs, days, 2).

    Each day `users_a_day` new users are dealt to the arms by a fair coin; they convert independently at `rates`.
    """
    first = random.binomial(users_a_day, 0.5, (runs, days))
    new = np.stack([first, users_a_day - first], axis=-1)
    converted = random.binomial(new, np.asarray(rates)).cumsum(axis=1)
    counts = new.cumsum(axis=1).astype(np.float64)
    means = converted / np.maximum(counts, 1)
    return counts, means, means * (1 - means)


def daily_preferences(
    lean: float, clicked: float, users_a_day: int, days: int, runs: int, random: np.random.Generator
) -> tuple[Doubles, Doubles, Doubles]:
    """Interleaving's cumulative users, mean preference and its deviation at the end of every day: three (runs, days).

    A share `clicked` of users prefers a team, the second one with probability (1 + lean) / 2.
    """
    users = np.full((runs, days), users_a_day)
    deciding = random.binomial(users, clicked)
    second = random.binomial(deciding, (1 + lean) / 2)
    counts = users.cumsum(axis=1).astype(np.float64)
    means = (2 * second - deciding).cumsum(axis=1) / counts
    deviations = np.sqrt(np.maximum(deciding.cumsum(axis=1) / counts - means**2, 0.0))
    return counts, means, deviations


def decided(counts: Doubles, means: Doubles, variances: Doubles, alpha: float, tuned_to: float) -> Flags:
    """In which runs the sequence of the difference left zero out at any look: (runs,)."""
    low, high = difference(counts, means, variances, alpha, tuned_to)
    return np.asarray(((low > 0) | (high < 0)).any(axis=-1), np.bool_)


def decided_interleaved(counts: Doubles, means: Doubles, deviations: Doubles, alpha: float, tuned_to: float) -> Flags:
    """As `decided`, for mean preferences (runs, days)."""
    return np.asarray((np.abs(means) > radius(counts, deviations, alpha, tuned_to)).any(axis=-1), np.bool_)
