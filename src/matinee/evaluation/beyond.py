"""What lists are like beside being right: coverage, novelty, and how much they favour what is popular anyway."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import IntArray, Interactions, LongArray
from matinee.evaluation.intervals import GROUPS, Interval, jackknife
from matinee.evaluation.lists import Lists
from matinee.evaluation.metrics import DoubleArray, coverage
from matinee.models.popularity import unique_users

#: Novelty and popularity look at so many places of a list.
_PLACES = 10


def per_case(lists: Lists, train: Interactions) -> Mapping[str, DoubleArray]:
    """For each list (cases,), means over its first 10 items:

    - novelty_at_10: self-information -log2 p(i), p(i) the share of training users with item i (an item that nobody
      had counts as if one had it)
    - popularity_at_10: p(i) itself, the average recommendation popularity (ARP)
    - popularity_percentile_at_10: the share of the catalogue that is less popular, ties by half; 0.5 would be no bias
    """
    users = unique_users(train)
    share = np.maximum(users, 1.0) / max(1, len(np.unique(train.user)))
    ordered = np.sort(users)
    below = np.searchsorted(ordered, users, "left") + np.searchsorted(ordered, users, "right")
    return {
        "novelty_at_10": _mean_over_list(lists, -np.log2(share)),
        "popularity_at_10": _mean_over_list(lists, users / max(1, len(np.unique(train.user)))),
        "popularity_percentile_at_10": _mean_over_list(lists, below / (2 * len(users))),
    }


def _mean_over_list(lists: Lists, of_item: NDArray[np.floating]) -> DoubleArray:
    """The mean of a value of items (n_items,) over the first places of each list; 0 for an empty list."""
    top = lists.ranked[:, :_PLACES]
    listed = top >= 0
    sums = np.where(listed, of_item[np.maximum(top, 0)], 0.0).sum(axis=1)
    means: DoubleArray = sums / np.maximum(1, listed.sum(axis=1))
    return means


def exposure(ranked: IntArray, n_items: int) -> NDArray[np.int64]:
    """How often each item (n_items,) is listed, over whole lists."""
    counts: NDArray[np.int64] = np.bincount(ranked[ranked >= 0], minlength=n_items)
    return counts


def whole(listed: NDArray[np.int64]) -> Mapping[str, float]:
    """What belongs to all lists together, from `exposure` (n_items,): coverage and the Gini index of exposure.

    Gini is 0 when every item of the catalogue is listed equally often and near 1 when a few take all places.
    """
    return {"coverage": coverage(listed > 0), "gini": gini(listed)}


def coverage_interval(lists: Lists, user: LongArray, catalogue: int) -> Interval:
    """The share of a catalogue of so many items that is listed, with its interval by a jackknife over groups of users.

    `user` (cases,) is the user of each list.
    """
    groups = [exposure(lists.ranked[user % GROUPS == group], lists.n_items) for group in range(GROUPS)]
    found = jackknife([np.stack(groups)], lambda listed: {"coverage": np.count_nonzero(listed) / max(1, catalogue)})
    return found["coverage"]


def gini(counts: NDArray[np.int64]) -> float:
    """The Gini index of non-negative `counts` (n,); 0 when there are none."""
    total = counts.sum()
    if total == 0:
        return 0.0
    ordered = np.sort(counts)
    n = len(ordered)
    return float(((2 * np.arange(1, n + 1) - n - 1) @ ordered) / (n * total))


#: What a higher figure of each of these means, for tables.
MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "coverage": "share of the catalogue that is listed to somebody",
        "gini": "0: every item is listed equally often; 1: one item takes all places",
        "novelty_at_10": "bits of surprise of a listed item",
        "popularity_at_10": "share of training users who had a listed item",
        "popularity_percentile_at_10": "share of the catalogue that is less popular than a listed item",
    }
)
