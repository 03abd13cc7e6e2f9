"""SIMS: items are alike when the same users interacted with both, discounted by how popular they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from matinee.data.interactions import FloatArray, Histories, IntArray, Interactions
from matinee.models.arrays import AnyArray
from matinee.models.base import FitOptions, ItemFeatures, Progress, RelatedItemsModel
from matinee.models.histories import Sparse, newest_first, user_item_matrix, weighted_rows
from matinee.models.nearness import best_of_rows, together, window
from matinee.models.popularity import unique_users

#: Co-interaction counts held at once: 2²⁴ float32 values, 64 MB.
_COUNTS_AT_ONCE = 2**24


@dataclass(frozen=True)
class ItemKNNConfig:
    """The hyperparameters of aws-sims, with its defaults, and four of our own.

    `popularity_discount_factor` in [0, 1]: 0 relates popular items, 1 correlated ones. Pairs with fewer common users
    than `min_cointeraction_count` are unrelated. Users whose number of items lies outside the window of percentiles
    are left out of the counting; items whose number of users does are no neighbours of items within it, but have
    neighbours when they are asked about. `neighbours` are kept for each item: the model is sparse at any size.
    `history_items` is how many of the newest distinct items `score` reads: 1 asks as a SIMS campaign is asked. A share
    `near` of what a common user counts depends on how near the two events stand, within `stretch` events.
    """

    popularity_discount_factor: float = 0.5
    min_cointeraction_count: int = 3
    min_user_history_length_percentile: float = 0.005
    max_user_history_length_percentile: float = 0.995
    min_item_interaction_count_percentile: float = 0.01
    max_item_interaction_count_percentile: float = 0.9
    neighbours: int = 200
    history_items: int = 1
    stretch: int = 16
    near: float = 0.9


class ItemKNN(RelatedItemsModel):
    """score(i, j) = C_ij / (n_i n_j)^f with C_ij the users of both items, n_i those of one and f the discount factor.

    In C_ij a user counts less the farther apart the two events stand in the history (`nearness.together`): what
    people do next is found more often than with plain counts (benchmarks/related_items.md).

    Related items score above 0. The rest follows by popularity, in [-1, 0): an item without neighbours, and an empty
    history, give popular items.
    """

    name = "item-knn"
    Config: ClassVar[type] = ItemKNNConfig

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.related: Sparse = sparse.csr_array(np.zeros((0, 0), np.float32))
        self.fallback: FloatArray = np.zeros(0, np.float32)

    def _fit(self, data: Interactions, features: ItemFeatures | None, options: FitOptions) -> None:
        config = self.config
        users = unique_users(data)
        self.fallback = users / (users.max() + 1) - 1
        lengths: FloatArray = np.asarray(user_item_matrix(data).sum(axis=1))
        counted = window(lengths, config.min_user_history_length_percentile, config.max_user_history_length_percentile)
        offered = window(
            users, config.min_item_interaction_count_percentile, config.max_item_interaction_count_percentile
        )
        self.related = self._neighbours(data.select(counted[data.user] > 0), offered, options)

    def _neighbours(self, data: Interactions, offered: FloatArray, options: FitOptions) -> Sparse:
        """The best `neighbours` of each item, in blocks of rows: (n_items, n_items).

        Items that are `offered` (n_items,) have neighbours that are, the others have any.
        """
        config, n_items = self.config, data.n_items
        common, near = user_item_matrix(data), together(data, config.stretch, config.near)
        power = np.maximum(np.asarray(common.sum(axis=0)), 1) ** -np.float32(config.popularity_discount_factor)
        by_item, by_item_near = sparse.csr_array(common.T), sparse.csr_array(near.T)
        block, parts = max(1, _COUNTS_AT_ONCE // n_items), []
        for begin in range(0, n_items, block):
            options.raise_if_stopped()
            rows = slice(begin, begin + block)
            counts = (by_item[rows] @ common).toarray()
            scores = (by_item_near[rows] @ near).toarray() * power[None, :] * power[rows, None]
            scores[counts < max(1, config.min_cointeraction_count)] = 0
            scores[np.ix_(offered[rows] > 0, offered == 0)] = 0
            scores[np.arange(len(scores)), np.arange(begin, begin + len(scores))] = 0
            parts.append(best_of_rows(scores, config.neighbours))
            options.on_progress(Progress(min(1.0, (begin + block) / n_items), f"item-knn: {begin + len(counts)} items"))
        return sparse.csr_array(sparse.vstack(parts, format="csr"))

    def _score(self, histories: Histories) -> FloatArray:
        row, items, _ = newest_first(histories, self.n_items, self.config.history_items)
        asked = weighted_rows(row, items, np.ones(len(row), np.float32), (len(histories), self.n_items))
        return self._over_fallback(sparse.csr_array(asked @ self.related))

    def _score_related(self, items: IntArray) -> FloatArray:
        some = items >= 0
        rows = np.flatnonzero(some)
        asked = weighted_rows(rows, items[some], np.ones(len(rows), np.float32), (len(items), self.n_items))
        return self._over_fallback(sparse.csr_array(asked @ self.related))

    def _over_fallback(self, related: Sparse) -> FloatArray:
        """Dense scores (rows, n_items): what is related, before the rest by popularity."""
        scores: FloatArray = np.repeat(self.fallback[None, :], related.shape[0], axis=0)
        rows = np.repeat(np.arange(related.shape[0]), np.diff(related.indptr))
        scores[rows, related.indices] = related.data
        return scores

    def _arrays(self) -> Mapping[str, AnyArray]:
        related = self.related
        return {
            "indptr": related.indptr.astype(np.int64),
            "indices": related.indices.astype(np.int32),
            "values": related.data,
            "fallback": self.fallback,
        }

    def _restore(self, arrays: Mapping[str, AnyArray]) -> None:
        self.fallback = arrays["fallback"]
        parts = (arrays["values"], arrays["indices"], arrays["indptr"])
        self.related = sparse.csr_array(parts, shape=(self.n_items, self.n_items))
