"""Affinity: how much each user is drawn to an item, comparable between users and not only between items.

A recommender's scores say which item is best for one user. To say which user is best for one item, the linear item-item
scores of EASE are read by columns: with a floor, since nobody is sure to stay away, and in proportion to the root of
the user's activity, since whoever does more does more of everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from matinee.data.interactions import FloatArray, Histories, LongArray
from matinee.models.ease import EASE, EASEConfig

#: Entries of a matrix (users, items) that are held at once: 2²² float32 values, 16 MB.
_ENTRIES_AT_ONCE = 2**22


@dataclass(frozen=True)
class AffinityConfig(EASEConfig):
    """As `EASEConfig`. `floor` is what is added to each score, `activity_power` that of the user's number of events.

    `repeats` says whether users come back to the same items; if not, they are not drawn to what they have had.
    """

    regularization: float = 500.0
    recency_power: float = 0.4
    training_recency_power: float = 0.0
    floor: float = 0.01
    activity_power: float = 0.5
    repeats: bool = True


class Affinity(EASE):
    """score(u, i) = (max(0, ease(u, i)) + floor) · events(u)^activity_power."""

    name = "affinity"
    Config = AffinityConfig

    def __init__(self, config: AffinityConfig | Mapping[str, object] | None = None) -> None:
        super().__init__(config)

    def each(self, histories: Histories, items: LongArray) -> FloatArray:
        """How much each user is drawn to each of `items` (k,): (len(histories), k).

        Of an item that the model does not know no history speaks: activity alone decides. Where users do not come back
        (`repeats`), they are not drawn to what they have had: 0.
        """
        histories = self._known_only(histories)
        history = self._recent(histories, self.config.recency_power)
        places = np.flatnonzero((items >= 0) & (items < self.n_items))
        places = places[self.known[items[places]]]
        column = self._column[items[places]]
        dense = np.flatnonzero(column >= 0)
        own = np.zeros((len(histories), len(places)), np.float32)
        own[:, dense] = history[:, self.items] @ np.ascontiguousarray(self.weights[:, column[dense]])
        if self.beyond.nnz:
            own += (history @ self.beyond[:, items[places]]).toarray()
        scores = np.full((len(histories), len(items)), self.config.floor, np.float32)
        scores[:, places] += np.maximum(own, 0)
        if not self.config.repeats:
            scores[:, places] *= (history[:, items[places]].toarray() == 0).astype(np.float32)
        drawn: FloatArray = scores * self._activity(histories)[:, None]
        return drawn

    def drawn(self, histories: Histories, items: LongArray) -> FloatArray:
        """How much each user is drawn to any of `items` (k,), as `each` has it: (len(histories),), the sums."""
        total = np.zeros(len(histories), np.float64)
        step = max(1, _ENTRIES_AT_ONCE // max(1, len(histories)))
        for begin in range(0, len(items), step):
            total += self.each(histories, items[begin : begin + step]).sum(axis=1)
        return total.astype(np.float32)

    def _score(self, histories: Histories) -> FloatArray:
        scores = np.maximum(super()._score(histories), 0) + np.float32(self.config.floor)
        drawn: FloatArray = scores * self._activity(histories)[:, None]
        return drawn

    def _activity(self, histories: Histories) -> FloatArray:
        """events(u)^activity_power of each history (len(histories),)."""
        activity: FloatArray = np.power(np.diff(histories.indptr), self.config.activity_power).astype(np.float32)
        return activity
