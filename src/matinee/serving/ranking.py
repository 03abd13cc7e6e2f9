"""From scores to an ordered answer: the best allowed items, what their scores read, promoted ones among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import FloatArray, LongArray
from matinee.filters.columns import Mask
from matinee.recipes.catalogue import Scores

One = TypeVar("One")

#: Digits after the point of a score, as recorded from the service.
SCORE_DIGITS = 7


@dataclass(frozen=True)
class Entry:
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
    candidates = np.flatnonzero(allowed & (scores > -np.inf))
    if k <= 0:
        return candidates[:0]
    own = scores[candidates]
    if k < len(own):
        threshold = np.partition(own, len(own) - k)[len(own) - k]
        keep = own >= threshold
        candidates, own = candidates[keep], own[keep]
    return candidates[np.argsort(-own, kind="stable")[:k]]


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
    over = scores > -np.inf
    if kind is not Scores.SOFTMAX_CATALOGUE:
        over &= allowed
    if not over.any():
        return [None] * len(shown)
    highest = scores[over].max()
    total = np.exp(scores[over] - highest, dtype=np.float64).sum()
    shares = np.exp(scores[shown] - highest, dtype=np.float64) / total
    return [
        round(float(share), SCORE_DIGITS) if np.isfinite(scores[item]) else None
        for item, share in zip(shown, shares, strict=True)
    ]


def promoted_count(results: int, percent: int) -> int:
    """How many of `results` a promotion of `percent` fills: the nearest whole number, at least one."""
    return min(results, max(1, int(results * percent / 100 + 0.5)))


def interleave(promoted: list[One], others: list[One], random: np.random.Generator) -> list[One]:
    """Promoted entries at random positions among the others; each kind keeps its own order (spec 7.7)."""
    places = set(random.choice(len(promoted) + len(others), size=len(promoted), replace=False).tolist())
    first, second = iter(promoted), iter(others)
    return [next(first) if place in places else next(second) for place in range(len(promoted) + len(others))]
