"""Trending-Now: items whose interactions grow most from one interval to the next. The same answer for everyone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from matinee.data.interactions import FloatArray, Histories, Interactions, LongArray
from matinee.models.arrays import AnyArray
from matinee.models.base import FitOptions, ItemFeatures, Model
from matinee.models.popularity import unique_users

#: What a tie-break adds at most: less than one interaction.
_LESS_THAN_ONE = 0.9


@dataclass(frozen=True)
class TrendingConfig:
    """`interval_seconds` is the length of the two intervals that are compared."""

    interval_seconds: int = 7200


class Trending(Model):
    """score(i) is the growth of i's interactions between the two newest intervals, see `growth`.

    The model answers as of the newest interaction that it was trained on. Serving counts again as time goes on, from
    what was imported and streamed, with the same `growth`.
    """

    name = "trending"
    Config = TrendingConfig
    personal = False

    def __init__(self, config: TrendingConfig | Mapping[str, object] | None = None) -> None:
        super().__init__(config)
        self.scores: FloatArray = np.zeros(0, np.float32)

    def _fit(self, data: Interactions, features: ItemFeatures | None, options: FitOptions) -> None:
        end = int(data.timestamp.max()) + 1
        now, before = counts(data.item, data.timestamp, data.n_items, end, self.config.interval_seconds)
        self.scores = growth(now, before, unique_users(data))

    def _score(self, histories: Histories) -> FloatArray:
        return np.repeat(self.scores[None, :], len(histories), axis=0)

    def _arrays(self) -> Mapping[str, AnyArray]:
        return {"scores": self.scores}

    def _restore(self, arrays: Mapping[str, AnyArray]) -> None:
        self.scores = arrays["scores"]


def counts(item: AnyArray, timestamp: LongArray, n_items: int, end: int, seconds: int) -> tuple[LongArray, LongArray]:
    """Interactions of each item (n_items,) in the interval before `end`, epoch seconds, and in the one before that."""
    age = end - 1 - timestamp
    now, before = (
        np.bincount(item[(age >= low) & (age < low + seconds)], minlength=n_items).astype(np.int64)
        for low in (0, seconds)
    )
    return now, before


def growth(now: LongArray, before: LongArray, popularity: FloatArray) -> FloatArray:
    """How much each item's interactions grow, from its counts in two intervals: (n_items,).

    With Poisson counts and one Gamma prior for the rates of both intervals, the expected growth of an item's rate is
    its growth in counts times a factor that all items share: shrinking towards the common rate does not reorder, so
    the order by growth in counts is the Bayes estimate's. Among items of equal growth the one with fewer interactions
    before comes first, whose growth is the more certain for its noise; among those that stand still, popular ones.
    Without an interaction in either interval the answer is `popularity` (n_items,), as for Popularity-Count.
    """
    if not now.any() and not before.any():
        return popularity.astype(np.float32)
    change = (now - before).astype(np.float64)
    popular = popularity / (float(popularity.max(initial=0)) + 1)
    tie = np.where((now == 0) & (before == 0), popular, np.where(change == 0, 1.0, 1 / (1.0 + before)))
    return (change + _LESS_THAN_ONE * tie).astype(np.float32)
