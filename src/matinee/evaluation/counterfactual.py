"""What another version would have earned, from what the present one showed: IPS, SNIPS and doubly robust estimates.

One decision is one thing shown. Of each decision is known what it earned, with what probability the policy in force
showed it (its propensity), and with what probability the other policy would have. Sources: Horvitz and Thompson (1952)
for IPS; Swaminathan and Joachims, "The self-normalized estimator for counterfactual learning" (NeurIPS 2015) for SNIPS;
Dudik, Langford and Li, "Doubly robust policy evaluation and learning" (ICML 2011) for DR, with the reward model fitted
on other folds (Chernozhukov et al. 2018), so that the interval holds for whatever model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Doubles = NDArray[np.float64]
Longs = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Decisions:
    """What was logged: all arrays are (n,).

    `rewards`; `propensities` in (0, 1], of what was shown under the policy in force; `targets` in [0, 1], of the same
    under the other policy; `groups`, numbers of what is independent of each other (users): decisions of one group are
    not. Raises `ValueError` naming the array that does not fit.
    """

    rewards: Doubles
    propensities: Doubles
    targets: Doubles
    groups: Longs

    def __post_init__(self) -> None:
        n = len(self.rewards)
        for name in ("propensities", "targets", "groups"):
            if getattr(self, name).shape != (n,):
                raise ValueError(f"{name} must have one value for each of the {n} rewards")
        if n == 0:
            raise ValueError("there is no decision to estimate from")
        if not np.isfinite(self.rewards).all():
            raise ValueError("rewards must be finite")
        if not ((self.propensities > 0) & (self.propensities <= 1)).all():
            raise ValueError("propensities must lie in (0, 1]: what could not be shown cannot have been")
        if not ((self.targets >= 0) & (self.targets <= 1)).all():
            raise ValueError("targets must lie in [0, 1]")

    @property
    def weights(self) -> Doubles:
        """How much likelier the other policy would have shown it: (n,)."""
        return self.targets / self.propensities

    @property
    def effective(self) -> float:
        """The effective sample size (Kish): how many decisions the weights leave of n."""
        weights = self.weights
        squares = float(weights @ weights)
        return float(weights.sum() ** 2) / squares if squares > 0 else 0.0


@dataclass(frozen=True)
class Value:
    """The estimated mean reward of a decision under the other policy, with its interval at the asked confidence."""

    mean: float
    low: float
    high: float


def inverse_propensity(decisions: Decisions, *, confidence: float = 0.95, most: float = np.inf) -> Value:
    """IPS: the mean of weight times reward. Unbiased when `most`, where weights are cut off, is infinite."""
    scores = np.minimum(decisions.weights, most) * decisions.rewards
    return _interval(float(scores.mean()), scores - scores.mean(), decisions.groups, confidence)


def self_normalised(decisions: Decisions, *, confidence: float = 0.95, most: float = np.inf) -> Value:
    """SNIPS: IPS divided by the mean weight; a little biased, of less variance, and within the rewards' range.

    The interval is that of a ratio (delta method). Raises `ValueError` when every weight is 0.
    """
    weights = np.minimum(decisions.weights, most)
    if not weights.any():
        raise ValueError("the other policy would have shown none of what was shown: nothing can be said about it")
    mean = float(weights @ decisions.rewards / weights.sum())
    return _interval(mean, weights * (decisions.rewards - mean) / weights.mean(), decisions.groups, confidence)


def doubly_robust(
    decisions: Decisions, shown: Doubles, expected: Doubles, *, confidence: float = 0.95, most: float = np.inf
) -> Value:
    """DR: what a reward model expects, corrected by the weighted errors it makes on what was shown.

    `shown` (n,) is the model's reward for what was shown, `expected` (n,) its mean over what the other policy would
    show there. Right when either the propensities or the model are; the model must not have seen the decision itself.
    """
    weights = np.minimum(decisions.weights, most)
    scores = expected + weights * (decisions.rewards - shown)
    return _interval(float(scores.mean()), scores - scores.mean(), decisions.groups, confidence)


def item_rewards(items: Longs, rewards: Doubles, groups: Longs, n_items: int, *, folds: int = 5) -> Doubles:
    """A reward model that is fitted without the fold it is used on: the mean reward of each item, (folds, n_items).

    Row f is learnt from the decisions whose group is not in fold f (`fold_of`); means are drawn to the overall mean by
    the weight of ten decisions, so that rare items do not swing. `items` (n,) are numbers below `n_items`.
    """
    prior, fold = 10.0, fold_of(groups, folds)
    model = np.empty((folds, n_items))
    for number in range(folds):
        kept = fold != number
        overall = float(rewards[kept].mean()) if kept.any() else 0.0
        sums = np.bincount(items[kept], rewards[kept], minlength=n_items)
        counts = np.bincount(items[kept], minlength=n_items)
        model[number] = (sums + prior * overall) / (counts + prior)
    return model


def fold_of(groups: Longs, folds: int = 5) -> Longs:
    """The fold of each decision (n,): all decisions of one group are in one fold."""
    return np.unique(groups, return_inverse=True)[1] % folds


def _interval(mean: float, errors: Doubles, groups: Longs, confidence: float) -> Value:
    """The normal interval of a mean whose influences are `errors` (n,), summed over the groups that are independent.

    One group alone says nothing about how much groups differ: its interval is infinite.
    """
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], errors)
    if len(sums) < 2:
        return Value(mean, -np.inf, np.inf)
    variance = float(sums @ sums) / len(errors) ** 2 * len(sums) / (len(sums) - 1)
    half = float(stats.norm.ppf((1 + confidence) / 2)) * variance**0.5
    return Value(mean, mean - half, mean + half)
