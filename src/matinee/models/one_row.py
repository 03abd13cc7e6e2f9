"""The blend of one history, as a request asks for it: plain vectors in the place of matrices of one row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from matinee.data.interactions import FloatArray, Histories, LongArray
from matinee.models.base import Memory, Model, Occasion
from matinee.models.recent import Recent

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
class Voice:
    """A part with its standing and weight, of which it says n / (n + `shrink`) of a history of n events."""

    part: Model
    standing: Standing
    weight: np.float32
    shrink: float = 0.0

    def add(self, total: FloatArray, scores: FloatArray, events: int = 0) -> None:
        """Add what the part says by its `scores` (b, n_items), overwritten, of `events` events to `total`."""
        say = self.weight if not self.shrink else self.weight * np.float32(events / (events + self.shrink))
        self.standing.add(total, scores, say)


@dataclass(frozen=True, eq=False)
class Remembered:
    """One history: `memories` of the parts that look at the occasion, `still` (n_items,) the sum of all others.

    What is popular is not among them: it changes with time. `seen` (s,) are the numbers of the history's items.
    """

    memories: tuple[Memory | None, ...]
    still: FloatArray
    seen: LongArray

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return sum(one.nbytes for one in self.memories if one is not None) + self.still.nbytes + self.seen.nbytes


class Lately:
    """What the parts say that know nobody: `fixed` (n_items,) and, if `voice` is there, what is popular lately."""

    def __init__(self, fixed: FloatArray, voice: Voice | None) -> None:
        self._fixed, self._voice = fixed, voice
        trained = fixed if voice is None else self._with(voice, None)
        self._trained = trained
        # The newest counts and the sum with them: questions of one moment share the array, by which it is known.
        self._newest: tuple[FloatArray | None, FloatArray] = (None, trained)

    def of(self, recent: FloatArray | None) -> FloatArray:
        """The sum (n_items,), not to be written to, where `recent` (n_items,) was counted; None counts nothing new."""
        if recent is None or self._voice is None:
            return self._trained
        counted, total = self._newest
        if counted is not recent:
            total = self._with(self._voice, recent)
            self._newest = (recent, total)
        return total

    def _with(self, voice: Voice, recent: FloatArray | None) -> FloatArray:
        assert isinstance(voice.part, Recent)  # noqa: S101
        total = self._fixed.copy()
        counts = voice.part.counts if recent is None else recent
        scores = voice.part.scores_of(counts[None, :])
        scores[:, voice.part.unknown] = -np.inf
        voice.add(total[None, :], scores)
        return total


@dataclass(frozen=True, eq=False)
class OneRow:
    """The parts of a fitted blend that know a history, and `lately`, the sum of those that know nobody."""

    parts: tuple[Voice, ...]
    lately: Lately

    @classmethod
    def of(cls, parts: Iterable[Voice], n_items: int) -> OneRow:
        """Parts whose scores are the same for everybody are asked here, once."""
        given, fixed = tuple(parts), np.zeros(n_items, np.float32)
        nobody = Histories.one(np.zeros(0, np.int32), np.zeros(0, np.int64))
        recent = next((voice for voice in given if isinstance(voice.part, Recent)), None)
        for voice in given:
            if not voice.part.personal and voice is not recent:
                voice.add(fixed[None, :], voice.part.score(nobody))
        return cls(tuple(voice for voice in given if voice.part.personal), Lately(fixed, recent))

    def score(self, histories: Histories) -> FloatArray:
        """The blend's scores (n_items,) for a batch of one; unknown items 0."""
        total = self.lately.of(None if histories.recent is None else histories.recent[0]).copy()
        for voice in self.parts:
            voice.add(total[None, :], voice.part.score(histories), len(histories.items))
        return total

    def remember(self, histories: Histories) -> Remembered | None:
        """What `recall` needs of a batch of one; None where a part reads the occasion and remembers nothing."""
        memories = tuple(voice.part.remember(histories) for voice in self.parts)
        still = np.zeros_like(self.lately.of(None))
        for voice, memory in zip(self.parts, memories, strict=True):
            if memory is None and voice.part.timed:
                return None
            if memory is None:
                voice.add(still[None, :], voice.part.score(histories), len(histories.items))
        return Remembered(memories, still, np.unique(histories.items).astype(np.int64))

    def recall(self, memories: Sequence[Remembered], occasions: Sequence[Occasion]) -> FloatArray:
        """As `score`, of remembered histories: (b, n_items)."""
        total = np.array([memory.still for memory in memories])
        for row, occasion in zip(total, occasions, strict=True):
            row += self.lately.of(occasion.recent)
        for at, voice in enumerate(self.parts):
            kept = [memory.memories[at] for memory in memories]
            if kept[0] is not None:  # of one history, of all: it is the part that remembers
                voice.add(total, voice.part.recall(kept, occasions))
        return total


def shrunk(events: LongArray, shrink: float) -> FloatArray:
    """n / (n + `shrink`) for each number n of `events` (b,); 1 where nothing is shrunk."""
    if not shrink:
        return np.ones(len(events), np.float32)
    return (events / (events + shrink)).astype(np.float32)
