"""Autoregressive ridge: a sequential linear model in closed form, reading the history at several time scales.

With x_t = Σ_k g^k e(i_{t-1-k}) for each decay g, side by side, and the target y_t = e(i_t), the weights are
W = (Σ x xᵀ + λI)^-1 Σ x yᵀ. A published relative is SLIST: M. Choi et al., "Session-aware Linear Item-Item Models
for Session-based Recommendation", WWW 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from matinee.data.interactions import FloatArray, Histories, IntArray, Interactions
from matinee.models.arrays import AnyArray
from matinee.models.base import FitOptions, ItemFeatures, Model
from matinee.models.cholesky import factor, solve
from matinee.models.decayed import NormalEquations, faded_after, normal_equations
from matinee.models.ease import most_used
from matinee.models.histories import Sparse, newest, rows_of, user_item_matrix, weighted_rows
from matinee.models.tail import beyond_arrays, beyond_of, nothing_beyond, ridge_beyond

#: The shares of a training's time after which the sums, and the solution within the bound, are done; for progress only.
_SUMMED, _SOLVED = 0.5, 0.9
_NAMED = "Σ x xᵀ + λI"
#: A time scale reads as far back as its weights stay above this.
_FADED = 1e-3


@dataclass(frozen=True)
class RidgeConfig:
    """`regularization` is λ; each of `decays` in (0, 1) is a time scale g; see `decayed` for `reach`.

    At most `max_items` items, the ones with the most users, take part in an exact solution, which is dense: 4 bytes ·
    (decays + decays²) · max_items² at its peak (400 MB for 4,000 and two decays). Above so many items the others are
    predicted sparsely, from each item alone, with `neighbours` successors kept for each (`tail.ridge_beyond`).
    """

    regularization: float = 500.0
    decays: tuple[float, ...] = (0.5, 0.9)
    reach: int = 512
    max_items: int = 4_000
    neighbours: int = 100

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
        self.beyond: Sparse = nothing_beyond(0)

    def _fit(self, data: Interactions, features: ItemFeatures | None, options: FitOptions) -> None:
        self.items = most_used(np.asarray(user_item_matrix(data).sum(axis=0)), self.config.max_items)
        self._index_items()
        n, decays = len(self.items), self.config.decays
        summing = options.portion(0, _SUMMED)
        found = normal_equations(data, self._column, n, decays, self.config.reach, summing)
        found.gram[np.diag_indices_from(found.gram)] += self.config.regularization
        solution = _solved(found, options.portion(_SUMMED, _SOLVED))
        self.weights = np.ascontiguousarray(solution.reshape(n, len(decays), n).transpose(1, 2, 0))
        self.beyond = nothing_beyond(data.n_items)
        if n < int(self.known.sum()):
            most, keep = self.config.regularization, self.config.neighbours
            rest = options.portion(_SOLVED, 1)
            self.beyond = ridge_beyond(data, self.items, decays[0], self.depths[0], most, keep, rest)

    @property
    def depths(self) -> tuple[int, ...]:
        """How many of the newest events each time scale reads when it scores."""
        return tuple(min(self.config.reach, faded_after(decay, _FADED)) for decay in self.config.decays)

    def _score(self, histories: Histories) -> FloatArray:
        histories = newest(histories, max(self.depths))
        row, column = rows_of(histories.indptr), self._column[histories.items]
        age = histories.indptr[1:][row] - 1 - np.arange(len(row))
        compact = np.zeros((len(histories), len(self.items)), np.float32)
        for decay, depth, weights in zip(self.config.decays, self.depths, self.weights, strict=True):
            read = (column >= 0) & (age < depth)
            power = np.float32(decay) ** age[read].astype(np.float32)
            if len(histories) == 1:
                compact += (power @ weights[column[read]])[None, :]
            else:
                compact += sparse.csr_array((power, (row[read], column[read])), shape=compact.shape) @ weights
        if len(self.items) == self.n_items:
            return compact
        scores = np.zeros((len(histories), self.n_items), np.float32)
        scores[:, self.items] = compact
        if self.beyond.nnz:
            read = age < self.depths[0]
            power = np.float32(self.config.decays[0]) ** age[read].astype(np.float32)
            scores += (weighted_rows(row[read], histories.items[read], power, scores.shape) @ self.beyond).toarray()
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


def _solved(equations: NormalEquations, options: FitOptions) -> FloatArray:
    """Wᵀ (n, S n) of A W = b. Overwrites both sides, and copies neither."""
    factor(equations.gram, _NAMED, options.portion(0, 0.4))
    solve(equations.gram, equations.cross, _NAMED, options.portion(0.4, 1))
    return equations.cross
