"""Things by number with the columns of their records: a large part that rarely changes and small ones laid over it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matinee.data.schemas import Schema
from matinee.filters.columns import Columns, Mask, Rows
from matinee.filters.syntax import Condition

Alternatives = tuple[tuple[Condition, ...], ...]

#: Masks kept for each table: a filter's column conditions are the same for every user.
MASKS_KEPT = 128


@dataclass(frozen=True)
class Segment:
    """Records of some things: `rows` (k,) are the things' numbers, `columns` has k rows."""

    rows: Rows
    columns: Columns


class Table:
    """`n` things. Where segments speak of the same thing the later one counts; a thing in none has only nulls."""

    def __init__(self, n: int, segments: Sequence[Segment], schema: Schema | None) -> None:
        self.n = n
        self.segments = tuple(segments)
        self.schema = schema
        self._masks: OrderedDict[Alternatives, Mask] = OrderedDict()

    def where(self, alternatives: Alternatives) -> Mask:
        """Which things meet an OR of ANDs of bound conditions (n,); do not write to it."""
        mask = self._masks.get(alternatives)
        if mask is None:
            mask = self._evaluate(alternatives)
            mask.flags.writeable = False
            self._masks[alternatives] = mask
            if len(self._masks) > MASKS_KEPT:
                self._masks.popitem(last=False)
        return mask

    def _evaluate(self, alternatives: Alternatives) -> Mask:
        if self.schema is None:
            return np.zeros(self.n, np.bool_)
        mask = np.full(self.n, _any_of_all(Columns.nulls(self.schema), alternatives)[0], np.bool_)
        for segment in self.segments:
            mask[segment.rows] = _any_of_all(segment.columns, alternatives)
        return mask


def _any_of_all(columns: Columns, alternatives: Alternatives) -> Mask:
    """Which rows meet every condition of some conjunction."""
    result = np.zeros(columns.n, np.bool_)
    for conjunction in alternatives:
        every = np.ones(columns.n, np.bool_)
        for condition in conjunction:
            every &= columns.matches(condition)
        result |= every
    return result
