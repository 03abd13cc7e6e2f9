"""How sure a figure is: bootstrap intervals over users, a jackknife for what belongs to all lists, paired tests.

The unit is the user, because cases of one user are not independent; over several seeds a user is drawn, or flipped,
with all their cases of all seeds. Everything is fixed by `_SEED`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from matinee.data.interactions import LongArray
from matinee.evaluation.metrics import DoubleArray

RESAMPLES, FLIPS = 1000, 10_000
CONFIDENCE = 0.95
#: The jackknife leaves out one of so many groups of users at a time.
GROUPS = 20
_SEED = 20_240_501
_VALUES_AT_ONCE = 2**22


@dataclass(frozen=True)
class Interval:
    """A figure with the bounds of its 95% interval."""

    mean: float
    low: float
    high: float

    @classmethod
    def around(cls, mean: float, low: float, high: float) -> Interval:
        """The interval; bounds that rounding has put on the wrong side of the mean are the mean."""
        return cls(mean, min(low, mean), max(high, mean))

    def as_json(self) -> dict[str, float]:
        """`{mean, low, high}`."""
        return asdict(self)

    def rounded(self) -> dict[str, float]:
        """`{mean, low, high}` to 6 decimals."""
        return {bound: round(figure, 6) for bound, figure in self.as_json().items()}


@dataclass(frozen=True)
class Sums:
    """One seed's cases by user: `sums` (n_users, metrics) and `counts` (n_users,), the number of cases."""

    sums: DoubleArray
    counts: DoubleArray

    @classmethod
    def of(cls, user: LongArray, values: Mapping[str, DoubleArray], n_users: int) -> Sums:
        """Add up `values`, each (cases,), by `user` (cases,)."""
        sums = [np.bincount(user, one, minlength=n_users) for one in values.values()]
        return cls(np.stack(sums, axis=1), np.bincount(user, minlength=n_users).astype(np.float64))

    @property
    def means(self) -> DoubleArray:
        """The mean over cases of every metric: (metrics,)."""
        found: DoubleArray = self.sums.sum(axis=0) / self.counts.sum()
        return found


def bootstrap(seeds: Sequence[Sums]) -> list[Interval]:
    """The mean over seeds of every metric, with the percentile interval over users drawn with replacement."""
    present = np.flatnonzero(np.sum([one.counts for one in seeds], axis=0))
    sums = [one.sums[present] for one in seeds]
    counts = [one.counts[present] for one in seeds]
    means = np.mean([one.means for one in seeds], axis=0)
    random = np.random.default_rng(_SEED)
    n, found = len(present), []
    chunk = max(1, _VALUES_AT_ONCE // n)
    for begin in range(0, RESAMPLES, chunk):
        times = random.multinomial(n, np.full(n, 1 / n), size=min(chunk, RESAMPLES - begin)).astype(np.float64)
        drawn = [
            times @ each / np.maximum(times @ count, 1e-9)[:, None] for each, count in zip(sums, counts, strict=True)
        ]
        found.append(np.mean(drawn, axis=0))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.concatenate(found), [tail, 1 - tail], axis=0)
    return [Interval.around(float(m), float(a), float(b)) for m, a, b in zip(means, low, high, strict=True)]


def over_cases(user: LongArray, values: Mapping[str, DoubleArray], n_users: int) -> dict[str, dict[str, float]]:
    """`{mean, low, high}` of each of `values` (cases,), with bootstrap intervals over users, to 6 decimals."""
    intervals = bootstrap([Sums.of(user, values, n_users)])
    return {name: interval.rounded() for name, interval in zip(values, intervals, strict=True)}


def jackknife(
    seeds: Sequence[NDArray[np.int64]], statistic: Callable[[NDArray[np.int64]], Mapping[str, float]]
) -> dict[str, Interval]:
    """Figures of all lists together, with intervals by leaving out one group of users at a time.

    Each of `seeds` (groups, n_items) counts how often each item is listed to each group. Resampling lists with
    replacement would lower coverage, which leaving few of them out hardly does.
    """

    def over_seeds(left_out: int | None) -> dict[str, float]:
        kept = [one.sum(axis=0) - (0 if left_out is None else one[left_out]) for one in seeds]
        figures = [statistic(each) for each in kept]
        return {name: float(np.mean([figure[name] for figure in figures])) for name in figures[0]}

    groups = [group for group in range(len(seeds[0])) if any(one[group].any() for one in seeds)]
    whole = over_seeds(None)
    without = [over_seeds(group) for group in groups]
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, max(1, len(groups) - 1)))
    found = {}
    for name, value in whole.items():
        values = np.array([one[name] for one in without])
        error = np.sqrt((len(values) - 1) / len(values) * ((values - values.mean()) ** 2).sum()) if groups else 0.0
        found[name] = Interval.around(value, max(0.0, value - reach * error), min(1.0, value + reach * error))
    return found


@dataclass(frozen=True)
class Difference:
    """How much higher one scorer's figure is than another's over the same cases, and how likely that is by chance."""

    difference: float
    low: float
    high: float
    p_value: float

    def as_json(self) -> dict[str, float]:
        """`{difference, low, high, p_value}`."""
        return asdict(self)


def paired(ours: Sequence[Sums], theirs: Sequence[Sums]) -> list[Difference]:
    """For every metric, the difference over the same cases: bootstrap interval, and a two-sided sign-flip test.

    The test asks how often flipping the sign of all differences of a user, each with chance 1/2, gives a mean
    difference as large; p = (1 + such flips) / (1 + flips), 1/10,001 at least. Source: Smucker, Allan and Carterette,
    "A Comparison of Statistical Significance Tests for Information Retrieval Evaluation", CIKM 2007.
    """
    both = list(zip(ours, theirs, strict=True))
    if any(not np.array_equal(a.counts, b.counts) for a, b in both):
        raise ValueError("A paired test needs the same cases on both sides.")
    differences = [Sums(a.sums - b.sums, a.counts) for a, b in both]
    users = np.sum([one.sums / one.counts.sum() for one in differences], axis=0) / len(differences)
    users = users[np.any(users != 0, axis=1)]
    observed = np.abs(users.sum(axis=0))
    random = np.random.default_rng(_SEED)
    extreme = np.zeros(len(observed))
    chunk = max(1, _VALUES_AT_ONCE // max(1, len(users)))
    for begin in range(0, FLIPS, chunk):
        signs = random.integers(0, 2, size=(min(chunk, FLIPS - begin), len(users))) * 2.0 - 1.0
        extreme += (np.abs(signs @ users) >= observed - 1e-12).sum(axis=0)
    chances = (1 + extreme) / (1 + FLIPS)
    return [
        Difference(one.mean, one.low, one.high, float(chance))
        for one, chance in zip(bootstrap(differences), chances, strict=True)
    ]
