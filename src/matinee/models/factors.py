"""PureSVD: items as a few numbers each, from the truncated singular value decomposition of who met what.

Source: P. Cremonesi, Y. Koren, R. Turrin, "Performance of Recommender Algorithms on Top-N Recommendation Tasks",
RecSys 2010, section 3.2. Users are folded in: a user is the sum of their items' vectors, newer items weighing more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse import linalg

from matinee.data.interactions import FloatArray, Histories, Interactions
from matinee.models.arrays import AnyArray
from matinee.models.base import FitOptions, ItemFeatures, Model
from matinee.models.histories import newest_first, recency, user_item_matrix, weighted_rows
from matinee.models.leading import AskingOperator


@dataclass(frozen=True)
class FactorsConfig:
    """`dimension` is the most numbers that an item is told by; columns are divided by users^`popularity_power` first.

    An item of recency rank j (0 is the newest) weighs (1 + j)^-`recency_power`; `history_items` are read at most.
    """

    dimension: int = 32
    popularity_power: float = 0.4
    recency_power: float = 0.3
    history_items: int = 200


class Factors(Model):
    """score(u) = (Σ_j (1 + j)^-p v[i_j]) Vᵀ, scaled so that a history of one item is as loud as one of many."""

    name = "factors"
    Config = FactorsConfig

    def __init__(self, config: FactorsConfig | Mapping[str, object] | None = None) -> None:
        super().__init__(config)
        self.vectors: FloatArray = np.zeros((0, 0), np.float32)

    @property
    def dimension(self) -> int:
        """Numbers that each item and each user has."""
        return int(self.vectors.shape[1])

    def user_vectors(self, histories: Histories) -> FloatArray:
        """What each history tells of its user: (len(histories), dimension), of length 1; all 0 for an empty one."""
        histories = self._known_only(histories)
        row, items, rank = newest_first(histories, self.n_items, self.config.history_items)
        weights = recency(rank, self.config.recency_power)
        summed: FloatArray = weighted_rows(row, items, weights, (len(histories), self.n_items)) @ self.vectors
        lengths = np.linalg.norm(summed, axis=1, keepdims=True)
        return (summed / np.where(lengths > 0, lengths, 1)).astype(np.float32)

    def _fit(self, data: Interactions, features: ItemFeatures | None, options: FitOptions) -> None:
        matrix = user_item_matrix(data)
        users = np.maximum(np.asarray(matrix.sum(axis=0)).ravel(), 1)
        matrix = matrix.multiply(np.power(users, -self.config.popularity_power)[None, :]).tocsr()
        rank = min(self.config.dimension, min(matrix.shape) - 1)
        if rank < 1:
            self.vectors = np.ones((data.n_items, 1), np.float32)
            return
        start = np.random.default_rng(options.seed).standard_normal(min(matrix.shape))
        operator = AskingOperator(matrix.astype(np.float64), options.raise_if_stopped)
        _, _, right = linalg.svds(operator, k=rank, v0=start)
        # A singular vector's sign is arbitrary: the largest entry is made positive, so that refits agree.
        signs = np.sign(right[np.arange(rank), np.abs(right).argmax(axis=1)])
        self.vectors = np.ascontiguousarray((right * signs[:, None])[::-1].T, np.float32)

    def _score(self, histories: Histories) -> FloatArray:
        return self.user_vectors(histories) @ self.vectors.T

    def _arrays(self) -> Mapping[str, AnyArray]:
        return {"vectors": self.vectors}

    def _restore(self, arrays: Mapping[str, AnyArray]) -> None:
        self.vectors = arrays["vectors"]


def scaled(tastes: FloatArray) -> FloatArray:
    """Vectors of length 1 with entries of about 1, so that one strength of regularisation suits all columns."""
    entries: FloatArray = tastes * np.float32(np.sqrt(tastes.shape[1]))
    return entries
