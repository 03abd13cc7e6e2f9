"""SIMS: items are alike when the same users interacted with both, discounted by how popular they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from matinee.data.interactions import FloatArray, Histories, IntArray, Interactions
from matinee.models.arrays import AnyArray
from matinee.models.base import FitOptions, ItemFeatures, Progress, RelatedItemsModel
from matinee.models.histories import Sparse, newest_first, user_item_matrix, weighted_rows
from matinee.models.popularity import unique_users

#: Co-interaction counts held at once: 2²⁴ float32 values, 64 MB.
_COUNTS_AT_ONCE = 2**24


@dataclass(frozen=True)
class ItemKNNConfig:
    """The hyperparameters of aws-sims, with its defaults, and two of our own.

    `popularity_discount_factor` in [0, 1]: 0 relates popular items, 1 correlated ones. Pairs with fewer common users
    than `min_cointeraction_count` are unrelated. Users (items) whose number of items (users) lies outside the window
    of percentiles are left out of the counting. `neighbours` are kept for each item: the model is sparse at any size.
    `history_items` is how many of the newest distinct items `score` reads: 1 asks as a SIMS campaign is asked.
    """

    popularity_discount_factor: float = 0.5
    min_cointeraction_count: int = 3
    min_user_history_length_percentile: float = 0.005
    max_user_history_length_percentile: float = 0.995
    min_item_interaction_count_percentile: float = 0.01
    max_item_interaction_count_percentile: float = 0.9
    neighbours: int = 200
    history_items: int = 1


class ItemKNN(RelatedItemsModel):
    """score(i, j) = C_ij / (n_i n_j)^f with C_ij the users of both items, n_i those of one and f the discount factor.

    Related items score above 0. The rest follows by popularity, in [-1, 0): an item without neighbours, and an empty
    history, give popular items.
    """

    name = "item-knn"
    Config = ItemKNNConfig

    def __init__(self, config: ItemKNNConfig | Mapping[str, object] | None = None) -> None:
        super().__init__(config)
        self.related: Sparse = sparse.csr_array(np.zeros((0, 0), np.float32))
        self.fallback: FloatArray = np.zeros(0, np.float32)

    def _fit(self, data: Interactions, features: ItemFeatures | None, options: FitOptions) -> None:
        users = unique_users(data)
        self.fallback = users / (users.max() + 1) - 1
        self.related = self._neighbours(self._counted(user_item_matrix(data)), options)

    def _counted(self, matrix: Sparse) -> Sparse:
        """`matrix` (n_users, n_items) without the rows and columns outside the windows of percentiles."""
        config = self.config
        user = _window(
            np.asarray(matrix.sum(axis=1)),
            config.min_user_history_length_percentile,
            config.max_user_history_length_percentile,
        )
        item = _window(
            np.asarray(matrix.sum(axis=0)),
            config.min_item_interaction_count_percentile,
            config.max_item_interaction_count_percentile,
        )
        counted = sparse.csr_array(sparse.diags_array(user) @ matrix @ sparse.diags_array(item))
        counted.eliminate_zeros()
        return counted

    def _neighbours(self, matrix: Sparse, options: FitOptions) -> Sparse:
        """The best `neighbours` of each item, in blocks of rows: (n_items, n_items)."""
        n_items = matrix.shape[1]
        power = np.maximum(np.asarray(matrix.sum(axis=0)), 1) ** -np.float32(self.config.popularity_discount_factor)
        by_item, block = sparse.csr_array(matrix.T), max(1, _COUNTS_AT_ONCE // n_items)
        keep = min(self.config.neighbours, n_items)
        parts = []
        for begin in range(0, n_items, block):
            options.raise_if_stopped()
            counts = (by_item[begin : begin + block] @ matrix).toarray()
            counts[np.arange(len(counts)), np.arange(begin, begin + len(counts))] = 0
            counts[counts < max(1, self.config.min_cointeraction_count)] = 0
            scores = counts * power[None, :] * power[begin : begin + len(counts), None]
            best = np.argpartition(-scores, keep - 1, axis=1)[:, :keep]
            values = np.take_along_axis(scores, best, axis=1)
            row = np.repeat(np.arange(len(counts)), keep)
            part = weighted_rows(row, best.ravel().astype(np.int32), values.ravel(), (len(counts), n_items))
            part.eliminate_zeros()
            parts.append(part)
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


def _window(counts: FloatArray, low: float, high: float) -> FloatArray:
    """1 for each count above 0 within the percentiles `low` and `high` of those, else 0."""
    used = counts > 0
    if not used.any():
        return used.astype(np.float32)
    bottom, top = np.quantile(counts[used], [low, high])
    inside: FloatArray = (used & (counts >= bottom) & (counts <= top)).astype(np.float32)
    return inside
