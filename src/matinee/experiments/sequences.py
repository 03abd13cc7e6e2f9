"""Confidence sequences: intervals that hold at all looks together, so that one may look, and stop, at any time.

The normal mixture boundary is that of Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric,
nonasymptotic confidence sequences" (Annals of Statistics 49, 2021, equation 14), after Robbins (1970). With the
variance estimated from the data it is the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and
Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences" (Annals of Statistics 52, 2024,
theorem 2.2): exact as the first look moves out, which is why nothing is said before `FEWEST` users an arm.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Doubles = NDArray[np.float64]

#: Users an arm must have before the asymptotic sequences speak.
FEWEST = 100


def mixture_width(alpha: float, tuned_to: float) -> float:
    """The mixture's parameter rho² that makes the interval narrowest at `tuned_to` observations.

    Waudby-Smith et al. 2024, section 2.5: rho² = (-2 log alpha + log(1 - 2 log alpha)) / t.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1, but is {alpha}")
    spread = -2 * math.log(alpha)
    return (spread + math.log(1 + spread)) / max(tuned_to, 1.0)


def radius(count: ArrayLike, deviation: ArrayLike, alpha: float, tuned_to: float) -> Doubles:
    """Half the width of the two-sided (1 - alpha) sequence of a mean, at each look; any shape.

    `count` is the number of observations at the look, `deviation` their standard deviation (a bound on it gives
    Howard's sequence, the sample's own the asymptotic one). Infinite where `count` is 0.
    """
    n, sigma = np.asarray(count, np.float64), np.asarray(deviation, np.float64)
    rho2 = mixture_width(alpha, tuned_to)
    grown = n * rho2 + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        found = sigma * np.sqrt(2 * grown / (n * n * rho2) * np.log(np.sqrt(grown) / alpha))
    return np.where(n > 0, found, np.inf)


def difference(
    counts: ArrayLike, means: ArrayLike, variances: ArrayLike, alpha: float, tuned_to: float
) -> tuple[Doubles, Doubles]:
    """The sequence of mean(arm 1) - mean(arm 0) at each look, as (low, high) of shape (...).

    `counts`, `means` and `variances` are (..., 2): users of each arm so far, the mean and the variance of their
    outcomes. The users of both arms come as one stream: with n of them, the difference has the variance of a mean of n
    observations of variance n (v0 / n0 + v1 / n1), as that of the inverse-propensity scores that the theorem is about,
    augmented by the arms' means. `tuned_to` counts the users of both arms. Infinite before `FEWEST` users an arm.
    """
    n, mean, variance = (np.asarray(one, np.float64) for one in (counts, means, variances))
    total, ready = n.sum(axis=-1), (n >= FEWEST).all(axis=-1)
    deviation = np.sqrt(total * (variance / np.maximum(n, 1)).sum(axis=-1))
    # No variance at all says that nothing has happened yet, not that nothing is uncertain.
    half = np.where(ready & (deviation > 0), radius(total, deviation, alpha, tuned_to), np.inf)
    middle = mean[..., 1] - mean[..., 0]
    return middle - half, middle + half
