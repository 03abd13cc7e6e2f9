"""A fitted model with something added after its training: items that it never saw, and a bonus for some items.

A new item scores what the items that are most like it score, weighted by likeness. The bonus is what an objective asks
for: a standardised column of the items, on the scale of the scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from scipy import sparse

from matinee.data.interactions import FloatArray, Histories, IntArray, Interactions, LongArray
from matinee.models.arrays import AnyArray
from matinee.models.base import FitOptions, ItemFeatures, Memory, Model, Occasion
from matinee.models.blend import Blend
from matinee.models.histories import Sparse, rows_of
from matinee.models.likeness import no_neighbours
from matinee.models.registry import model_class

_BASE = "base"
_LEAST_DEVIATION = 1e-12


@dataclass(frozen=True)
class AdjustedConfig:
    """`base` and `base_config` name the model that was fitted; the bonus counts `strength` deviations of its scores."""

    base: str = "ease"
    base_config: Mapping[str, Any] = field(default_factory=dict)
    strength: float = 0.0


@dataclass(frozen=True, eq=False)
class Remembered:
    """One history: what the base keeps of it, and the numbers `seen` (s,) of its distinct items."""

    base: Memory
    seen: LongArray

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.base.nbytes + self.seen.nbytes


class Adjusted(Model):
    """score(u, i) = s(u, i) + strength · deviation(s(u, ·)) · bonus_i, with s(u, new) = Σ_j a_j s(u, j).

    Where a blend ranks items of the history behind all others, this is done here instead, after everything else: an
    item is not to be punished for being like what the user has had.
    """

    name = "adjusted"
    Config = AdjustedConfig

    def __init__(self, config: AdjustedConfig | Mapping[str, object] | None = None) -> None:
        super().__init__(config)
        self.base: Model = model_class(self.config.base)(dict(self.config.base_config))
        self.seen_last = False
        self.bonus: FloatArray = np.zeros(0, np.float32)
        self.neighbours: Sparse = sparse.csr_array(np.zeros((0, 0), np.float32))

    @classmethod
    def of(
        cls,
        base: Model,
        *,
        bonus: FloatArray | None = None,
        strength: float = 0.0,
        neighbours: Sparse | None = None,
        seen_last: bool = False,
    ) -> Self:
        """`base`, fitted, with a `bonus` (n_items, new ones included) and `neighbours` (new items, base's items).

        A row of `neighbours` holds weights that sum to 1, or nothing: then the item scores as the average item.
        `base` is taken over: a blend among them no longer ranks what was seen last by itself.
        """
        model = cls(AdjustedConfig(base.name, base.config_dict(), strength))
        model.base = base
        model.seen_last = seen_last
        model.neighbours = no_neighbours(base.n_items) if neighbours is None else neighbours
        model._take_over()
        model._set_known(np.concatenate([base.known, np.ones(model.neighbours.shape[0], np.bool_)]))
        model.bonus = np.zeros(model.n_items, np.float32) if bonus is None else bonus.astype(np.float32)
        return model

    @property
    def recent_days(self) -> float | None:
        """The base's."""
        return self.base.recent_days

    def _fit(self, data: Interactions, features: ItemFeatures | None, options: FitOptions) -> None:
        self.base.fit(data, features, options)
        self.neighbours = no_neighbours(data.n_items)
        self.bonus = np.zeros(data.n_items, np.float32)
        self._take_over()

    def _take_over(self) -> None:
        if isinstance(self.base, Blend) and self.base.seen_last:
            self.seen_last, self.base.seen_last = True, False

    def _score(self, histories: Histories) -> FloatArray:
        return self._adjusted(self.base.score(histories), rows_of(histories.indptr), histories.items)

    def remember(self, histories: Histories) -> Remembered | None:
        """What the base keeps, and what was seen."""
        known = self._known_only(histories)
        memory = self.base.remember(known)
        return None if memory is None else Remembered(memory, np.unique(known.items).astype(np.int64))

    def recall(self, memories: Sequence[Remembered], occasions: Sequence[Occasion]) -> FloatArray:
        """The scores (b, n_items), to rounding those of `score`."""
        base = self.base.recall([memory.base for memory in memories], occasions)
        rows = np.repeat(np.arange(len(memories)), [len(memory.seen) for memory in memories])
        scores = self._adjusted(base, rows, np.concatenate([memory.seen for memory in memories]))
        if len(self.unknown):
            scores[:, self.unknown] = -np.inf
        return scores

    def _adjusted(self, base: FloatArray, row: LongArray, items: IntArray | LongArray) -> FloatArray:
        """The base's scores, a fresh array (b, base's items), with what was added here; row `row` has seen `items`."""
        base[:, self.base.unknown] = 0
        count = max(1, int(self.base.known.sum()))
        mean = base.sum(axis=1, keepdims=True) / count
        centred = np.where(self.base.known, base - mean, np.float32(0))
        deviation = np.sqrt(np.einsum("bn,bn->b", centred, centred) / count)[:, None]
        new = (self.neighbours @ centred.T).T
        scores = np.concatenate([base, mean + new], axis=1)
        if self.config.strength:
            scores += np.float32(self.config.strength) * np.maximum(deviation, _LEAST_DEVIATION) * self.bonus
        if self.seen_last:
            seen = np.zeros(scores.shape, np.bool_)
            seen[row, items] = True
            scores -= seen * (np.ptp(scores, axis=1) + 1)[:, None]
        adjusted: FloatArray = scores.astype(np.float32, copy=False)
        return adjusted

    def save(self, folder: Path) -> None:
        """What was added here, the model below it in a folder of its own."""
        super().save(folder)
        self.base.save(folder / _BASE)

    @classmethod
    def load(cls, folder: Path, config: Any) -> Self:
        """The model that `save` wrote."""
        model = super().load(folder, config)
        model.base = type(model.base).load(folder / _BASE, model.base.config)
        return model

    def _arrays(self) -> Mapping[str, AnyArray]:
        return {
            "bonus": self.bonus,
            "indptr": self.neighbours.indptr.astype(np.int64),
            "indices": self.neighbours.indices.astype(np.int32),
            "values": self.neighbours.data.astype(np.float32),
            "seen_last": np.array([self.seen_last]),
        }

    def _restore(self, arrays: Mapping[str, AnyArray]) -> None:
        self.bonus, self.seen_last = arrays["bonus"], bool(arrays["seen_last"][0])
        parts = (arrays["values"], arrays["indices"], arrays["indptr"])
        added = len(arrays["indptr"]) - 1
        self.neighbours = sparse.csr_array(parts, shape=(added, self.n_items - added))
