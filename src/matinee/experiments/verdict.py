"""What an experiment says at a look: a mean and its sequence for every arm, and every arm against the first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.experiments.sequences import FEWEST, difference, radius

Longs = NDArray[np.int64]
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean over `users`, with the confidence sequence's bounds at this look; infinite while too few are there."""

    users: int
    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the sequence says that the mean is not zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Comparison:
    """One outcome: an estimate for each arm and, for each arm but the first, its difference from the first."""

    arms: tuple[Estimate, ...]
    differences: tuple[Estimate, ...]

    @property
    def winner(self) -> int | None:
        """The arm that is proved best: ahead of the first one or, when all others are behind it, the first one."""
        ahead = [number for number, one in enumerate(self.differences, start=1) if one.low > 0]
        if ahead:
            return max(ahead, key=lambda number: self.arms[number].mean)
        return 0 if self.differences and all(one.high < 0 for one in self.differences) else None


def compare(arm: Longs, outcome: Doubles, arms: int, *, alpha: float, tuned_to: float) -> Comparison:
    """Compare the mean outcome of `arms` arms. `arm` and `outcome` are (users,).

    Each arm's own sequence has the level alpha; the differences from the first arm share it (Bonferroni), so that with
    probability 1 - alpha none of them is ever wrong. `tuned_to` is the number of users that is planned for.
    """
    counts = np.bincount(arm, minlength=arms).astype(np.float64)
    sums = np.bincount(arm, outcome, minlength=arms)
    squares = np.bincount(arm, outcome * outcome, minlength=arms)
    means = sums / np.maximum(counts, 1)
    variances = np.maximum(squares / np.maximum(counts, 1) - means**2, 0.0)
    share = alpha / max(1, arms - 1)
    others = []
    for number in range(1, arms):
        pair = [0, number]
        low, high = difference(counts[pair], means[pair], variances[pair], share, 2 * tuned_to / arms)
        size = int(counts[pair].sum())
        others.append(Estimate(size, float(means[number] - means[0]), float(low), float(high)))
    own = tuple(mean_estimate(outcome[arm == number], alpha=alpha, tuned_to=tuned_to / arms) for number in range(arms))
    return Comparison(own, tuple(others))


def mean_estimate(outcome: Doubles, *, alpha: float, tuned_to: float) -> Estimate:
    """The mean of `outcome` (users,) with its asymptotic confidence sequence at this look."""
    n = len(outcome)
    if n == 0:
        return Estimate(0, 0.0, -np.inf, np.inf)
    mean, deviation = float(outcome.mean()), float(outcome.std())
    ready = n >= FEWEST and deviation > 0
    half = float(radius(n, deviation, alpha, tuned_to)) if ready else np.inf
    return Estimate(n, mean, mean - half, mean + half)
