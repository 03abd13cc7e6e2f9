"""The blend of one history, as a request asks for it: plain vectors in the place of matrices of one row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from matinee.data.interactions import FloatArray, Histories, LongArray
from matinee.models.base import Memory, Model, Occasion

_LEAST_DEVIATION = np.float32(1e-12)


@dataclass(frozen=True, eq=False)
class Standing:
    """What standardising a part needs to know of its items, found once.

    `aside` are the items that take no part in mean and deviation, `count` the number of the others; `placed` those
    aside that the part can place all the same, `rare` those that the part does not know and others do.
    """

    aside: LongArray
    placed: LongArray
    rare: LongArray
    count: int

    @classmethod
    def of(cls, part: Model, aside: LongArray, placed: LongArray, unknown: int) -> Standing:
        """`unknown` is how many items the blend does not know."""
        rare = part.unknown if len(part.unknown) > unknown else part.unknown[:0]
        return cls(aside, placed, rare, part.n_items - len(aside))

    def add(self, total: FloatArray, scores: FloatArray, weight: np.float32) -> None:
        """Add `weight` times the standardised `scores` (b, n_items), which are overwritten, to `total` (b, n_items)."""
        placed = scores[:, self.placed] if len(self.placed) else None
        if len(self.rare):
            scores[:, self.rare] = np.inf
            scores[:, self.rare] = scores.min(axis=1, keepdims=True)
        if len(self.aside):
            scores[:, self.aside] = 0
        mean = np.add.reduce(scores, axis=1, keepdims=True) / np.float32(self.count)
        scores -= mean
        if len(self.aside):
            scores[:, self.aside] = 0
        deviation = np.sqrt(np.einsum("bn,bn->b", scores, scores) / np.float32(self.count))[:, None]
        if placed is not None:
            scores[:, self.placed] = placed - mean
        scores *= weight / np.maximum(deviation, _LEAST_DEVIATION)
        total += scores


@dataclass(frozen=True, eq=False)
class Remembered:
    """One history: `memories` of the parts that look at the occasion, `still` (n_items,) the sum of all others.

    `seen` (s,) are the numbers of the history's distinct items.
    """

    memories: tuple[Memory | None, ...]
    still: FloatArray
    seen: LongArray

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return sum(one.nbytes for one in self.memories if one is not None) + self.still.nbytes + self.seen.nbytes


@dataclass(frozen=True, eq=False)
class OneRow:
    """The parts of a fitted blend with their standings. `constant` (n_items,) is the sum of those that know nobody."""

    parts: tuple[tuple[Model, Standing, np.float32], ...]
    constant: FloatArray

    @classmethod
    def of(cls, parts: Iterable[tuple[Model, Standing, np.float32]], n_items: int) -> OneRow:
        """Parts whose scores are the same for everybody are asked here, once."""
        given, constant = tuple(parts), np.zeros(n_items, np.float32)
        nobody = Histories.one(np.zeros(0, np.int32), np.zeros(0, np.int64))
        for part, standing, weight in given:
            if not part.personal:
                standing.add(constant[None, :], part.score(nobody), weight)
        return cls(tuple(one for one in given if one[0].personal), constant)

    def score(self, histories: Histories) -> FloatArray:
        """The blend's scores (n_items,) for a batch of one; unknown items 0."""
        total = self.constant.copy()
        for part, standing, weight in self.parts:
            standing.add(total[None, :], part.score(histories), weight)
        return total

    def remember(self, histories: Histories) -> Remembered | None:
        """What `recall` needs of a batch of one; None where a part reads the occasion and remembers nothing."""
        memories = tuple(part.remember(histories) for part, _, _ in self.parts)
        still = self.constant.copy()
        for (part, standing, weight), memory in zip(self.parts, memories, strict=True):
            if memory is None and part.timed:
                return None
            if memory is None:
                standing.add(still[None, :], part.score(histories), weight)
        return Remembered(memories, still, np.unique(histories.items).astype(np.int64))

    def recall(self, memories: Sequence[Remembered], occasions: Sequence[Occasion]) -> FloatArray:
        """As `score`, of remembered histories: (b, n_items)."""
        total = np.array([memory.still for memory in memories])
        for at, (part, standing, weight) in enumerate(self.parts):
            kept = [memory.memories[at] for memory in memories]
            if kept[0] is not None:  # of one history, of all: it is the part that remembers
                standing.add(total, part.recall(kept, occasions), weight)
        return total
