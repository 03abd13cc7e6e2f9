"""The actions of a group by number, with what the rules about them read: expiry, repetition, worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.data.schemas import Schema
from matinee.filters.columns import Columns
from matinee.filters.table import Segment, Table
from matinee.serving.dataset_records import DatasetRecords, Layer

DAY = 86_400
#: Columns that say when an action ends: the guide prints both names (spec 2.2).
_EXPIRY = ("EXPIRATION_TIMESTAMP", "ACTION_EXPIRATION_TIMESTAMP")


class ActionTable:
    """The actions that have a record now; the last number, `unknown`, is no action and has no record.

    `value`, `repeat_days`, `expires` and `created` are (n + 1,), NaN where a record says nothing; times in epoch
    seconds.
    """

    def __init__(self, records: DatasetRecords | None) -> None:
        self.records = records
        layers = [] if records is None else [records.base, records.streamed]
        self._number: dict[str, int] = {}
        for layer in layers:
            for one in layer.ids:
                self._number.setdefault(one, len(self._number))
        self.ids = tuple(self._number)
        self.unknown = len(self.ids)
        schema = None if records is None else records.dataset.schema
        segments = [Segment(self._rows(layer), layer.columns) for layer in layers]
        self.table = Table(self.unknown + 1, segments, schema)
        self.value = self._column(layers, schema, "VALUE")
        self.repeat_days = self._column(layers, schema, "REPEAT_FREQUENCY")
        self.created = self._column(layers, schema, "CREATION_TIMESTAMP")
        self.expires = np.fmin(*(self._column(layers, schema, name) for name in _EXPIRY))

    def number(self, action_id: str) -> int:
        """The number of an action; `unknown` for one without a record."""
        return self._number.get(action_id, self.unknown)

    def open_at(self, now: float) -> NDArray[np.bool_]:
        """Which actions exist already and have not expired at `now`, epoch seconds (n + 1,); `unknown` never is."""
        result = ~(self.expires <= now) & ~(self.created > now)
        result[self.unknown] = False
        return result

    def _rows(self, layer: Layer) -> NDArray[np.int64]:
        return np.array([self._number[one] for one in layer.ids], dtype=np.int64)

    def _column(self, layers: list[Layer], schema: Schema | None, name: str) -> NDArray[np.float64]:
        """A numeric column of all actions; the streamed record, where there is one, counts whole."""
        values = np.full(self.unknown + 1, np.nan)
        if schema is not None and schema.get(name) is not None:
            for layer in layers:
                values[self._rows(layer)] = _numbers(layer.columns, name)
        return values


def _numbers(columns: Columns, name: str) -> NDArray[np.float64]:
    return columns.numbers(name)
