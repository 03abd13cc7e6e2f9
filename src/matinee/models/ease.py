"""EASE: a linear item-item model in closed form, with the history weighted by recency when it scores.

Source: H. Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, equation 8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import linalg, sparse

from matinee.data.interactions import FloatArray, Histories, IntArray, Interactions
from matinee.models.arrays import AnyArray
from matinee.models.base import FitOptions, ItemFeatures, RelatedItemsModel
from matinee.models.histories import Sparse, newest_first, user_item_matrix, weighted_rows
from matinee.models.popularity import unique_users

#: Pairs of items that are summed as a sparse matrix at once, at least: about 200 MB.
_PAIRS_AT_ONCE = 2**24


@dataclass(frozen=True)
class EASEConfig:
    """`regularization` is λ; an item of recency rank j (0 is the newest) weighs (1 + j)^-`recency_power` when scoring.

    In training it weighs (1 + j)^-`training_recency_power`; with 0, as in the paper, λ wants to be four times as large.
    `history_items` is how many of the newest distinct items are read. At most `max_items` items, the ones with the
    most users, take part: the solution is dense, 8 bytes · max_items² at its peak (1.2 GB at 12,000). Others score 0.
    """

    regularization: float = 50.0
    recency_power: float = 0.75
    training_recency_power: float = 0.25
    history_items: int = 500
    max_items: int = 12_000


class EASE(RelatedItemsModel):
    """score(u) = Σ_j (1 + j)^-p B[i_j], B = I - P diag(P)^-1, P = (XᵀX + λI)^-1."""

    name = "ease"
    Config = EASEConfig

    def __init__(self, config: EASEConfig | Mapping[str, object] | None = None) -> None:
        super().__init__(config)
        self.items: IntArray = np.zeros(0, np.int32)
        self.weights: FloatArray = np.zeros((0, 0), np.float32)

    def _fit(self, data: Interactions, features: ItemFeatures | None, options: FitOptions) -> None:
        self.items = most_used(unique_users(data), self.config.max_items)
        self._index_items()
        matrix = self._recent(data.histories(), self.config.training_recency_power)
        if data.weight is not None:
            matrix = sparse.csr_array(matrix.multiply(user_item_matrix(data)[:, self.items]))
        gram = _gram(matrix, options)
        self.weights = item_weights(gram, self.config.regularization)

    def _score(self, histories: Histories) -> FloatArray:
        if len(histories) == 1:  # without a sparse matrix, whose making takes longer than the product
            items, rank = newest_first(histories, self.n_items, self.config.history_items)[1:]
            column = self._column[items]
            inside = column >= 0
            recency = np.power(1.0 + rank[inside], -self.config.recency_power).astype(np.float32)
            return self._spread((recency @ self.weights[column[inside]])[None, :])
        return self._spread(self._recent(histories, self.config.recency_power) @ self.weights)

    def _recent(self, histories: Histories, power: float) -> Sparse:
        """(1 + j)^-power for each history's distinct items that take part: (len(histories), items that take part)."""
        row, items, rank = newest_first(histories, self.n_items, self.config.history_items)
        column = self._column[items]
        inside = column >= 0
        weights = np.power(1.0 + rank[inside], -power).astype(np.float32)
        return weighted_rows(row[inside], column[inside], weights, (len(histories), len(self.items)))

    def _score_related(self, items: IntArray) -> FloatArray:
        column = np.where(items >= 0, self._column[items], -1)
        return self._spread(np.where((column >= 0)[:, None], self.weights[column], np.float32(0)))

    def _spread(self, compact: FloatArray) -> FloatArray:
        """Scores (rows, items that take part) as scores (rows, n_items)."""
        if len(self.items) == self.n_items:
            return compact
        scores = np.zeros((len(compact), self.n_items), np.float32)
        scores[:, self.items] = compact
        return scores

    def _arrays(self) -> Mapping[str, AnyArray]:
        return {"items": self.items, "weights": self.weights}

    def _restore(self, arrays: Mapping[str, AnyArray]) -> None:
        self.items, self.weights = np.array(arrays["items"]), arrays["weights"]
        self._index_items()

    def _index_items(self) -> None:
        """Build the map from item to its row in `weights`, -1 for none."""
        self._column = np.full(self.n_items, -1, np.int32)
        self._column[self.items] = np.arange(len(self.items), dtype=np.int32)


def _gram(matrix: Sparse, options: FitOptions) -> FloatArray:
    """XᵀX (items, items), summed over blocks of users whose sparse products stay small beside the result."""
    pairs = np.cumsum(np.diff(matrix.indptr).astype(np.int64) ** 2)
    block = pairs // max(_PAIRS_AT_ONCE, matrix.shape[1] ** 2)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(block)) + 1, [matrix.shape[0]]])
    gram = np.zeros((matrix.shape[1], matrix.shape[1]), np.float32)
    for begin, end in pairwise(starts.tolist()):
        options.raise_if_stopped()
        rows = matrix[begin:end]
        product = sparse.csr_array(rows.T @ rows)
        row = np.repeat(np.arange(len(gram)), np.diff(product.indptr))
        gram[row, product.indices] += product.data
    return gram


def most_used(users_per_item: FloatArray, limit: int) -> IntArray:
    """The numbers of the `limit` items with the most users, those with none left out; in ascending order."""
    used = np.flatnonzero(users_per_item)
    order = np.argsort(-users_per_item[used], kind="stable")[:limit]
    return np.sort(used[order]).astype(np.int32)


def item_weights(gram: FloatArray, regularization: float) -> FloatArray:
    """B = I - P diag(P)^-1 of a Gram matrix (n, n) in float32; its diagonal is 0. Overwrites `gram`."""
    gram[np.diag_indices_from(gram)] += regularization
    factor, info = linalg.lapack.spotrf(gram, lower=1, overwrite_a=1)
    if info == 0:
        factor, info = linalg.lapack.spotri(factor, lower=1, overwrite_c=1)
    if info != 0:
        raise linalg.LinAlgError("XᵀX + λI is not positive definite; λ must be above 0.")
    inverse = np.tril(factor) + np.tril(factor, -1).T
    inverse /= -np.diag(inverse)[None, :]
    inverse[np.diag_indices_from(inverse)] = 0.0
    return np.ascontiguousarray(inverse)
