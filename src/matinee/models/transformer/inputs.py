"""What the transformer reads beside items and times: event types, the occasion of a question, users' attributes.

Each adds an embedding to that of the item at its position, outside the encoder; what is unknown adds that of unknown,
which training hides values at random to learn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import FloatArray, Histories, Interactions, LongArray
from matinee.models.arrays import AnyArray
from matinee.models.histories import newest, rows_of

#: The names under which the embeddings are kept.
_NAMES = ("types", "context", "attributes")


@dataclass(frozen=True)
class Inputs:
    """`types` (b, t) event types, the unknown one last; `context` (b, t, c) of what follows; `attributes` (b, a).

    Each is None where the training data have none.
    """

    types: LongArray | None = None
    context: FloatArray | None = None
    attributes: FloatArray | None = None


@dataclass(frozen=True)
class InputWeights:
    """Embeddings of `types` (n_types + 1, d), the last for unknown, `context` (c, d) and `attributes` (a, d)."""

    types: FloatArray | None = None
    context: FloatArray | None = None
    attributes: FloatArray | None = None

    @classmethod
    def zeros(cls, data: Interactions, dimension: int) -> Self:
        """Where training starts: embeddings for what `data` have; event types only where there are several."""
        types = 0 if data.event_type is None else int(data.event_type.max(initial=-1)) + 1
        width = 0 if data.context is None else data.context.shape[1]
        known = 0 if data.attributes is None else data.attributes.shape[1]
        rows = (types + 1 if types > 1 else 0, width, known)
        return cls(*(np.zeros((count, dimension), np.float32) if count else None for count in rows))

    @classmethod
    def of(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Those of `arrays` that are among a model's."""
        return cls(*(arrays.get(name) for name in _NAMES))

    def arrays(self) -> dict[str, FloatArray]:
        """The embeddings that there are, by name."""
        found = {name: getattr(self, name) for name in _NAMES}
        return {name: array for name, array in found.items() if array is not None}

    def add(self, embedded: FloatArray, histories: Histories, lengths: LongArray) -> FloatArray:
        """`embedded` (b, t, d) histories with what is known beside their items added; `lengths` (b,) as padded.

        A context belongs to the question, which is to say to the last position.
        """
        if self.types is not None:
            embedded = embedded + self.types[_types(histories, embedded.shape[:2], lengths, len(self.types) - 1)]
        if self.attributes is not None and histories.attributes is not None:
            embedded = embedded + (histories.attributes @ self.attributes)[:, None, :]
        if self.context is not None and histories.context is not None:
            embedded = embedded.copy()
            embedded[np.arange(len(lengths)), lengths - 1] += histories.context @ self.context
        return embedded


def _types(histories: Histories, shape: tuple[int, ...], lengths: LongArray, unknown: int) -> LongArray:
    """The event type at every position (b, t), `unknown` where there is none, as for START and padding."""
    found = np.full(shape, unknown, np.int64)
    if histories.event_types is None:
        return found
    read = newest(histories, shape[1])
    assert read.event_types is not None  # noqa: S101
    counts, row = np.diff(read.indptr), rows_of(read.indptr)
    column = np.arange(len(row)) - read.indptr[row] + (lengths - counts)[row]
    inside = column >= 0
    found[row[inside], column[inside]] = np.where(
        (read.event_types >= 0) & (read.event_types < unknown), read.event_types, unknown
    )[inside]
    return found


def training_inputs(
    data: Interactions,
    rows: LongArray,
    starts: NDArray[np.bool_],
    weights: InputWeights,
    hide: float,
    random: np.random.Generator,
) -> Inputs:
    """What is read of windows whose targets are `rows` (b, t) of `data`, a share `hide` of it hidden.

    `starts` (b, t) says where the history begins, so that no event is before the target. Types and context are hidden
    position by position, attributes for whole windows.
    """
    types, context, attributes = None, None, None
    if weights.types is not None and data.event_type is not None:
        unknown = len(weights.types) - 1
        types = data.event_type[rows - 1].astype(np.int64)
        types[(types < 0) | starts | (random.random(rows.shape) < hide)] = unknown
    if weights.context is not None and data.context is not None:
        context = data.context[rows.ravel()].toarray().reshape(*rows.shape, -1).astype(np.float32)
        context[random.random(rows.shape) < hide] = 0
    if weights.attributes is not None and data.attributes is not None:
        attributes = data.attributes[data.user[rows[:, 0]]].astype(np.float32)
        attributes[random.random(len(rows)) < hide] = 0
    return Inputs(types, context, attributes)
