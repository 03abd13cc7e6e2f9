"""Autoregressive ridge: a sequential linear model in closed form, reading the history at several time scales.

With x_t = Σ_{k<K} g^k e(i_{t-1-k}) for each decay g, side by side, and the target y_t = e(i_t), the weights are
W = (Σ x xᵀ + λI)^-1 Σ x yᵀ. A published relative is SLIST: M. Choi et al., "Session-aware Linear Item-Item Models
for Session-based Recommendation", WWW 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse

from matinee.data.interactions import FloatArray, Histories, IntArray, Interactions
from matinee.models.arrays import AnyArray
from matinee.models.base import FitOptions, ItemFeatures, Model, Progress
from matinee.models.ease import most_used
from matinee.models.histories import newest, rows_of, user_item_matrix

#: Entries of the sparse design matrix that are held at once: 2²³, about 100 MB.
_ENTRIES_AT_ONCE = 2**23


@dataclass(frozen=True)
class RidgeConfig:
    """`regularization` is λ; each of `decays` in (0, 1) is a time scale g, read `reach` items back at most.

    At most `max_items` items, the ones with the most users, take part: the solution is dense, 8 bytes ·
    (decays · max_items)² at its peak (200 MB for 5,000, 800 MB with two decays). Others score 0.
    """

    regularization: float = 500.0
    decays: tuple[float, ...] = (0.9,)
    reach: int = 30
    max_items: int = 5_000

    def __post_init__(self) -> None:
        object.__setattr__(self, "decays", tuple(self.decays))


class Ridge(Model):
    """score(u) = Σ_g Σ_k g^k W_g[i_{-1-k}]."""

    name = "ridge"
    Config = RidgeConfig

    def __init__(self, config: RidgeConfig | Mapping[str, object] | None = None) -> None:
        super().__init__(config)
        self.items: IntArray = np.zeros(0, np.int32)
        self.weights: FloatArray = np.zeros((0, 0, 0), np.float32)

    def _fit(self, data: Interactions, features: ItemFeatures | None, options: FitOptions) -> None:
        self.items = most_used(np.asarray(user_item_matrix(data).sum(axis=0)), self.config.max_items)
        self._index_items()
        n, scales = len(self.items), len(self.config.decays)
        gram = np.zeros((n * scales, n * scales), np.float32)
        cross = np.zeros((n * scales, n), np.float32)
        block = max(1, _ENTRIES_AT_ONCE // (self.config.reach * scales))
        for begin in range(0, len(data), block):
            options.raise_if_stopped()
            end = min(begin + block, len(data))
            rows, target = self._design(data, begin, end)
            weighted = rows if data.weight is None else sparse.diags_array(data.weight[begin:end]) @ rows
            gram += (weighted.T @ rows).toarray()
            cross += (weighted.T @ target).toarray()
            options.on_progress(Progress(0.5 * end / len(data), f"ridge: {end:,} of {len(data):,} interactions"))
        gram[np.diag_indices_from(gram)] += self.config.regularization
        solution = linalg.solve(gram, cross, assume_a="pos", lower=True, overwrite_a=True, overwrite_b=True)
        self.weights = np.ascontiguousarray(solution.reshape(scales, n, n))

    def _design(self, data: Interactions, begin: int, end: int) -> tuple[sparse.csr_array, sparse.csr_array]:
        """x (rows, scales · n) and y (rows, n) of the log's rows `begin` to `end`."""
        n, at = len(self.items), np.arange(begin, end)
        column = self._column[data.item]
        first = data.indptr[data.user[begin:end]]
        row, back = np.nonzero(at[:, None] - 1 - np.arange(self.config.reach)[None, :] >= first[:, None])
        read = column[at[row] - 1 - back]
        row, back, read = row[read >= 0], back[read >= 0], read[read >= 0]
        scales = [
            sparse.csr_array((np.float32(decay) ** back.astype(np.float32), (row, read)), shape=(len(at), n))
            for decay in self.config.decays
        ]
        known = np.flatnonzero(column[at] >= 0)
        target = sparse.csr_array((np.ones(len(known), np.float32), (known, column[at][known])), shape=(len(at), n))
        return sparse.csr_array(sparse.hstack(scales, format="csr")), target

    def _score(self, histories: Histories) -> FloatArray:
        histories = newest(histories, self.config.reach)
        row, column = rows_of(histories.indptr), self._column[histories.items]
        age = (histories.indptr[1:][row] - 1 - np.arange(len(row))).astype(np.float32)
        row, age, column = row[column >= 0], age[column >= 0], column[column >= 0]
        compact = np.zeros((len(histories), len(self.items)), np.float32)
        for decay, weights in zip(self.config.decays, self.weights, strict=True):
            power = np.float32(decay) ** age
            if len(histories) == 1:
                compact += (power @ weights[column])[None, :]
            else:
                compact += sparse.csr_array((power, (row, column)), shape=compact.shape) @ weights
        if len(self.items) == self.n_items:
            return compact
        scores = np.zeros((len(histories), self.n_items), np.float32)
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
