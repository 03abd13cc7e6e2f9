"""EASE: a linear item-item model in closed form, with the history weighted by recency when it scores.

Source: H. Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, equation 8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from matinee.data.interactions import FloatArray, Histories, IntArray, Interactions
from matinee.models.arrays import AnyArray
from matinee.models.base import QUIET, FitOptions, ItemFeatures, Progress, RelatedItemsModel
from matinee.models.cholesky import invert
from matinee.models.histories import Sparse, newest_first, user_item_matrix, weighted_rows
from matinee.models.popularity import unique_users
from matinee.models.tail import beyond_arrays, beyond_of, ease_beyond, nothing_beyond

#: Sums of pairs of items that are made at once: 2²³, about 100 MB while they are sparse.
_SUMS_AT_ONCE = 2**23
#: The shares of a training's time after which XᵀX, and what is beyond the bound, are done; for progress only.
_SUMMED, _BEYOND = 0.2, 0.4
#: The items with fewer users are solved sparsely where there are more than so many items.
_FEWEST_USERS, _ALWAYS_DENSE = 3, 4_000


@dataclass(frozen=True)
class EASEConfig:
    """`regularization` is λ; an item of recency rank j (0 is the newest) weighs (1 + j)^-`recency_power` when scoring.

    In training it weighs (1 + j)^-`training_recency_power`; with 0, as in the paper, λ wants to be four times as large.
    `history_items` is how many of the newest distinct items are read. At most `max_items` items, the ones with the
    most users, take part in the exact solution, which is dense: 4 bytes · max_items² (600 MB at 12,000). Above so many
    items the others are solved sparsely, each on `neighbours` of those (`tail.ease_beyond`). So are, where more than
    4,000 items take part, those with fewer than 3 users: to a dense solution they cost as much as any, and add nothing.
    """

    regularization: float = 50.0
    recency_power: float = 0.75
    training_recency_power: float = 0.25
    history_items: int = 500
    max_items: int = 12_000
    neighbours: int = 100


class EASE(RelatedItemsModel):
    """score(u) = Σ_j (1 + j)^-p B[i_j], B = I - P diag(P)^-1, P = (XᵀX + λI)^-1."""

    name = "ease"
    Config = EASEConfig

    def __init__(self, config: EASEConfig | Mapping[str, object] | None = None) -> None:
        super().__init__(config)
        self.items: IntArray = np.zeros(0, np.int32)
        self.weights: FloatArray = np.zeros((0, 0), np.float32)
        self.beyond: Sparse = nothing_beyond(0)

    def _fit(self, data: Interactions, features: ItemFeatures | None, options: FitOptions) -> None:
        users = unique_users(data)
        often = max(_ALWAYS_DENSE, int((users >= _FEWEST_USERS).sum()))
        self.items = most_used(users, min(self.config.max_items, often))
        self._index_items()
        matrix = self._recent(data.histories(), self.config.training_recency_power)
        if data.weight is not None:
            matrix = sparse.csr_array(matrix.multiply(user_item_matrix(data)))
        strength = self.config.regularization
        inside = matrix if len(self.items) == self.n_items else sparse.csr_array(matrix[:, self.items])
        gram = _gram(inside, options.portion(0, _SUMMED))
        self.beyond = nothing_beyond(self.n_items)
        if len(self.items) < int(self.known.sum()):
            own, keep = options.portion(_SUMMED, _BEYOND), self.config.neighbours
            self.beyond = ease_beyond(matrix, self.items, gram, strength, keep, own)
        self.weights = item_weights(gram, strength, options.portion(_BEYOND, 1))

    def _score(self, histories: Histories) -> FloatArray:
        power = self.config.recency_power
        if len(histories) == 1:  # without a sparse matrix, whose making takes longer than the product
            items, rank = newest_first(histories, self.n_items, self.config.history_items)[1:]
            column = self._column[items]
            inside, recency = column >= 0, np.power(1.0 + rank, -power).astype(np.float32)
            scores = self._spread((recency[inside] @ self.weights[column[inside]])[None, :])
            if self.beyond.nnz:
                scores += (recency @ self.beyond[items])[None, :]
            return scores
        recent = self._recent(histories, power)
        if len(self.items) == self.n_items:
            return recent @ self.weights
        scores = self._spread(recent[:, self.items] @ self.weights)
        return scores + (recent @ self.beyond).toarray() if self.beyond.nnz else scores

    def _recent(self, histories: Histories, power: float) -> Sparse:
        """(1 + j)^-power for each history's distinct items: (len(histories), n_items)."""
        row, items, rank = newest_first(histories, self.n_items, self.config.history_items)
        weights = np.power(1.0 + rank, -power).astype(np.float32)
        return weighted_rows(row, items, weights, (len(histories), self.n_items))

    def _score_related(self, items: IntArray) -> FloatArray:
        column = np.where(items >= 0, self._column[items], -1)
        scores = self._spread(np.where((column >= 0)[:, None], self.weights[column], np.float32(0)))
        if self.beyond.nnz:
            scores += np.where((items >= 0)[:, None], self.beyond[np.maximum(items, 0)].toarray(), np.float32(0))
        return scores

    def _spread(self, compact: FloatArray) -> FloatArray:
        """Scores (rows, items that take part) as scores (rows, n_items)."""
        if len(self.items) == self.n_items:
            return compact
        scores = np.zeros((len(compact), self.n_items), np.float32)
        scores[:, self.items] = compact
        return scores

    def _arrays(self) -> Mapping[str, AnyArray]:
        return {"items": self.items, "weights": self.weights, **beyond_arrays(self.beyond)}

    def _restore(self, arrays: Mapping[str, AnyArray]) -> None:
        self.items, self.weights = np.array(arrays["items"]), arrays["weights"]
        self.beyond = beyond_of(arrays, self.n_items)
        self._index_items()

    def _index_items(self) -> None:
        """Build the map from item to its row in `weights`, -1 for none."""
        self._column = np.full(self.n_items, -1, np.int32)
        self._column[self.items] = np.arange(len(self.items), dtype=np.int32)


def _gram(matrix: Sparse, options: FitOptions) -> FloatArray:
    """XᵀX (items, items), in blocks of rows."""
    by_item, n = sparse.csr_array(matrix.T), matrix.shape[1]
    gram = np.empty((n, n), np.float32)
    block = max(1, _SUMS_AT_ONCE // n)
    for begin in range(0, n, block):
        options.raise_if_stopped()
        gram[begin : begin + block] = (by_item[begin : begin + block] @ matrix).toarray()
        done = min(n, begin + block)
        options.on_progress(Progress(done / n, f"XᵀX: {done:,} of {n:,} items"))
    return gram


def most_used(users_per_item: FloatArray, limit: int) -> IntArray:
    """The numbers of the `limit` items with the most users, those with none left out; in ascending order."""
    used = np.flatnonzero(users_per_item)
    order = np.argsort(-users_per_item[used], kind="stable")[:limit]
    return np.sort(used[order]).astype(np.int32)


def item_weights(gram: FloatArray, regularization: float, options: FitOptions = QUIET) -> FloatArray:
    """B = I - P diag(P)^-1 of a Gram matrix (n, n) in float32; its diagonal is 0. Overwrites `gram`.

    Raises `LinAlgError` where XᵀX + λI is not positive definite, and `JobStopped`.
    """
    gram[np.diag_indices_from(gram)] += regularization
    invert(gram, "XᵀX + λI", options)
    gram *= (-1 / np.diag(gram))[None, :]
    gram[np.diag_indices_from(gram)] = 0.0
    return gram
