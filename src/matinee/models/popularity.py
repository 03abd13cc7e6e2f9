"""Popularity: items by the number of different users who interacted with them. The same answer for everyone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from matinee.data.interactions import FloatArray, Histories, Interactions
from matinee.models.arrays import AnyArray
from matinee.models.base import FitOptions, ItemFeatures, Model
from matinee.models.histories import user_item_matrix

_SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class PopularityConfig:
    """`window_days` counts only events of that many days before the newest one; None counts all."""

    window_days: float | None = None


class Popularity(Model):
    """score(i) = |{u : u interacted with i}|, at most counting the newest `window_days` days."""

    name = "popularity"
    Config = PopularityConfig
    personal = False

    def __init__(self, config: PopularityConfig | Mapping[str, object] | None = None) -> None:
        super().__init__(config)
        self.counts: FloatArray = np.zeros(0, np.float32)

    def _fit(self, data: Interactions, features: ItemFeatures | None, options: FitOptions) -> None:
        self.counts = unique_users(data, self.config.window_days)

    def _score(self, histories: Histories) -> FloatArray:
        return np.repeat(self.counts[None, :], len(histories), axis=0)

    def _arrays(self) -> Mapping[str, AnyArray]:
        return {"counts": self.counts}

    def _restore(self, arrays: Mapping[str, AnyArray]) -> None:
        self.counts = arrays["counts"]


def unique_users(data: Interactions, window_days: float | None = None) -> FloatArray:
    """The number of different users of each item (n_items,), in the newest `window_days` days or ever.

    Where events have weights, a user counts as much as the weightiest of their events with the item.
    """
    if window_days is not None:
        data = data.select(data.timestamp > data.timestamp.max() - window_days * _SECONDS_A_DAY)
    if data.weight is not None:
        return np.asarray(user_item_matrix(data).sum(axis=0), np.float32)
    user, item = data.user, data.item
    pairs = np.unique(user.astype(np.int64) * data.n_items + item)
    return np.bincount(pairs % data.n_items, minlength=data.n_items).astype(np.float32)
