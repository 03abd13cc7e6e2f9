"""From scores to an ordered answer: the best allowed items, what their scores read, promoted ones among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import FloatArray, LongArray
from matinee.filters.columns import Mask
from matinee.recipes.catalogue import Scores

One = TypeVar("One")

#: Groups whose maxima are compared for each place of a list: with eight, 1/16 more items than places reach the bar.
_GROUPS_FOR_EACH = 8
#: The lowest score of an item that may be shown.
_LOWEST = np.finfo(np.float32).min
#: Where fewer than one item in so many is allowed, the others are set aside first.
_FEW = 4
#: Digits after the point of a score, as recorded from the service.
SCORE_DIGITS = 7


class Entry(NamedTuple):
    """One line of an answer: the item's number, its score when the recipe has scores, the promotion it comes from.

    `reason` is why it is there, when it is not for being among the best; `propensity` its probability of standing there
    given what stands above, where places are explored.
    """

    item: int
    score: float | None = None
    promotion: str | None = None
    reason: str | None = None
    propensity: float | None = None


def best(scores: FloatArray, allowed: Mask, k: int) -> LongArray:
    """Numbers of the `k` best allowed items, best first; ties by number. An item with -inf is never among them.

    `scores` and `allowed` are (n,); the result is shorter when fewer are allowed.
    """
    if k <= 0:
        return np.zeros(0, np.int64)
    if _FEW * np.count_nonzero(allowed) < len(allowed):
        candidates = np.flatnonzero(allowed)
        own = scores[candidates]
        keep = np.flatnonzero(own >= _bar(own, k))
        candidates, own = candidates[keep], own[keep]
    else:
        masked = np.where(allowed, scores, np.float32(-np.inf))
        candidates = np.flatnonzero(masked >= _bar(masked, k))
        own = scores[candidates]
    return candidates[np.argsort(-own, kind="stable")[:k]]


def _bar(scores: FloatArray, k: int) -> np.float32:
    """A score that at least `k` of `scores` (n,) reach and few more do: the k-th best of the maxima of groups.

    Above -inf, whatever the scores.
    """
    groups = _GROUPS_FOR_EACH * k
    even = len(scores) - len(scores) % groups
    highest = scores[:even].reshape(-1, groups).max(axis=0) if even > groups else scores
    if len(highest) <= k:
        return _LOWEST
    return max(_LOWEST, np.float32(np.partition(highest, len(highest) - k)[len(highest) - k]))


@dataclass(frozen=True, eq=False)
class Lists:
    """A list for each of many rows, one after the other: those of row r are `items[indptr[r]:indptr[r + 1]]`."""

    indptr: LongArray
    items: LongArray

    @property
    def rows(self) -> LongArray:
        """The row of each entry."""
        return np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))


def best_of_each(scores: FloatArray, k: int) -> Lists:
    """As `best`, for every row of `scores` (rows, n), in which what is not allowed is -inf.

    The k-th best of the maxima of n/g groups is no better than the k-th best item, so that only what reaches it need
    be sorted: few more than k items where there are many groups.
    """
    rows, n = scores.shape
    groups = min(n, _GROUPS_FOR_EACH * max(1, k))
    bar = np.full((rows, 1), np.finfo(np.float32).min)
    if 0 < k <= groups:
        highest = scores[:, :groups].copy()
        for at in range(groups, n - groups + 1, groups):  # the rest beyond whole groups cannot lower the bar
            np.maximum(highest, scores[:, at : at + groups], out=highest)
        np.maximum(bar, np.partition(highest, groups - k, axis=1)[:, groups - k, None], out=bar)
    # A matrix is searched as one row, which is several times as quick.
    row, item = np.divmod(np.flatnonzero(scores >= bar), n)
    begin = np.searchsorted(row, np.arange(rows + 1))
    # What reached the bar, side by side, to be sorted row by row.
    found = np.full((rows, int(np.diff(begin).max(initial=0))), np.inf, np.float32)
    place = row, np.arange(len(row)) - begin[row]
    found[place] = -scores[row, item]
    order = np.argsort(found, axis=1, kind="stable")
    counts = np.minimum(np.diff(begin), max(0, k))
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    rank = np.arange(indptr[-1]) - np.repeat(indptr[:-1], counts)
    listed = np.repeat(np.arange(rows), counts)
    return Lists(indptr, item[begin[listed] + order[listed, rank]])


def with_popular_tail(scores: FloatArray, popularity: NDArray[np.int32]) -> FloatArray:
    """Scores of neighbours, then popular items: what is like the item comes first, the rest by number of users.

    `scores` (n,) of one item's neighbours: 0 or less is no neighbour, -inf is never to be shown.
    """
    most = max(1, int(popularity.max(initial=0)))
    popular = popularity.astype(np.float32) / most - 2.0
    return np.where(scores > 0, scores, np.where(np.isneginf(scores), scores, popular)).astype(np.float32)


def probabilities(scores: FloatArray, kind: Scores, allowed: Mask, shown: LongArray) -> list[float | None]:
    """The `score` of each item in `shown` (k,): a softmax over the catalogue or over the candidates (spec 7.4).

    `scores`, `allowed` are (n,). Items that the model does not know have none.
    """
    if kind is Scores.NONE:
        return [None] * len(shown)
    over = scores if kind is Scores.SOFTMAX_CATALOGUE else np.where(allowed, scores, np.float32(-np.inf))
    highest = over.max(initial=np.float32(-np.inf))
    if highest == -np.inf:
        return [None] * len(shown)
    weights = over - highest
    total = np.exp(weights, out=weights).sum(dtype=np.float64)
    own = scores[shown]
    shares = np.exp(own - highest, dtype=np.float64)
    shares /= total
    found: list[float | None] = shares.round(SCORE_DIGITS).tolist()
    unknown = own == -np.inf
    return [None if none else share for none, share in zip(unknown, found, strict=True)] if unknown.any() else found


def probabilities_of_each(scores: FloatArray, allowed: FloatArray, kind: Scores, shown: Lists) -> NDArray[np.float64]:
    """As `probabilities`, for every row: one for each entry of `shown`. Overwrites `scores` or `allowed`.

    `scores` (rows, n) are the model's; in `allowed` what is not allowed is -inf.
    """
    over = scores if kind is Scores.SOFTMAX_CATALOGUE else allowed
    rows = shown.rows
    highest = over.max(axis=1, keepdims=True)
    highest[np.isneginf(highest)] = 0
    shares = np.exp((allowed[rows, shown.items] - highest[rows, 0]).astype(np.float64))
    over -= highest
    shares /= np.exp(over, out=over).sum(axis=1)[rows]
    rounded: NDArray[np.float64] = np.round(shares, SCORE_DIGITS)
    return rounded


def promoted_count(results: int, percent: int) -> int:
    """How many of `results` a promotion of `percent` fills: the nearest whole number, at least one."""
    return min(results, max(1, int(results * percent / 100 + 0.5)))


def interleave(promoted: list[One], others: list[One], random: np.random.Generator) -> list[One]:
    """Promoted entries at random positions among the others; each kind keeps its own order (spec 7.7)."""
    places = set(random.choice(len(promoted) + len(others), size=len(promoted), replace=False).tolist())
    first, second = iter(promoted), iter(others)
    return [next(first) if place in places else next(second) for place in range(len(promoted) + len(others))]
