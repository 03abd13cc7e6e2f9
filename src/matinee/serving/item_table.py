"""The items of a deployment by number: the model's own first, then those known from the ITEMS dataset alone."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from matinee.filters.columns import Rows
from matinee.filters.table import Segment, Table
from matinee.serving.dataset_records import DatasetRecords, Layer
from matinee.serving.event_loop import leave_event_loop
from matinee.training.artifact import Artifact

MOST_TABLES = 64


class ItemTable:
    """Numbers 0 to `n_model` - 1 are the model's; then come items with a record only; the last, `unknown`, is no item.

    `table` has the columns of all of them for filters; `unknown` stands for any ID that nothing is known of.
    """

    def __init__(
        self, artifact: Artifact, records: DatasetRecords | None, base: Rows | None = None, extras: Sequence[str] = ()
    ) -> None:
        """`base` (k,) numbers the imported records' items; `extras` are those of them that the model lacks."""
        self.artifact, self.records = artifact, records
        self.n_model = artifact.n_items
        self._extras = list(extras)
        self._extra_number = {one: self.n_model + at for at, one in enumerate(self._extras)}
        segments = []
        if records is not None and base is not None:
            streamed = self._numbers_of(records.streamed)
            segments = [Segment(base, records.base.columns), Segment(streamed, records.streamed.columns)]
        self.unknown = self.n_model + len(self._extras)
        self.table = Table(self.unknown + 1, segments, None if records is None else records.dataset.schema)

    def number(self, item_id: str) -> int:
        """The number of an item, `unknown` for an ID that nothing is known of."""
        found = self.artifact.item_index(item_id)
        return self._extra_number.get(item_id, self.unknown) if found is None else found

    def item_id(self, number: int) -> str:
        """The ID of a numbered item."""
        if number >= self.n_model:
            return self._extras[number - self.n_model]
        names = self.artifact.item_names
        found = names.get(number)
        if found is None:  # read from the mapped file once
            found = names[number] = self.artifact.item_ids[number]
        return found

    def item_names(self, numbers: Iterable[int]) -> list[str]:
        """The IDs of numbered items."""
        names = self.artifact.item_names
        return [names.get(number) or self.item_id(number) for number in numbers]

    def record(self, item_id: str) -> Mapping[str, Any]:
        """The item's record: column to value; empty when it has none."""
        return {} if self.records is None else self.records.get(item_id)

    def _numbers_of(self, layer: Layer) -> Rows:
        """Numbers of the streamed items; new ones get the next free numbers."""
        numbers = []
        for one in layer.ids:
            number = self.artifact.item_index(one)
            if number is None:
                number = self._extra_number.setdefault(one, self.n_model + len(self._extras))
            if number == self.n_model + len(self._extras):
                self._extras.append(one)
            numbers.append(number)
        return np.array(numbers, dtype=np.int64)


class ItemTables:
    """Item tables by artifact and records; what belongs to imported records is kept while streamed ones arrive."""

    def __init__(self) -> None:
        self._tables: OrderedDict[tuple[int, int], ItemTable] = OrderedDict()
        self._bases: OrderedDict[tuple[int, int], tuple[Artifact, Layer, Rows, list[str]]] = OrderedDict()
        self._lock, self._building = threading.Lock(), threading.Lock()

    def get(self, artifact: Artifact, records: DatasetRecords | None) -> ItemTable:
        """The table of an artifact's items with these records, built when they are new; not on an event loop if long.

        Raises `WouldBlock` there.
        """
        table = self._built(artifact, records)
        if table is not None:
            return table
        if records is not None and records.base.ids and self._joined_before(artifact, records) is None:
            leave_event_loop()
        if not self._building.acquire(blocking=False):
            leave_event_loop()
            self._building.acquire()
        try:
            return self._built(artifact, records) or self._build(artifact, records)
        finally:
            self._building.release()

    def _built(self, artifact: Artifact, records: DatasetRecords | None) -> ItemTable | None:
        key = (id(artifact), id(records))
        with self._lock:
            table = self._tables.get(key)
            # An id may have been given to another object since; the table itself keeps the right ones alive.
            if table is None or table.artifact is not artifact or table.records is not records:
                return None
            self._tables.move_to_end(key)
            return table

    def _build(self, artifact: Artifact, records: DatasetRecords | None) -> ItemTable:
        table = ItemTable(artifact, records, *self._base(artifact, records))
        with self._lock:
            self._tables[id(artifact), id(records)] = table
            _trim(self._tables)
        return table

    def _base(self, artifact: Artifact, records: DatasetRecords | None) -> tuple[Rows | None, list[str]]:
        """Numbers of the imported records' items, and the IDs of those that the model does not know."""
        if records is None:
            return None, []
        known = self._joined_before(artifact, records)
        if known is None:
            known = _joined(artifact, records.base)
            self._bases[id(artifact), id(records.base)] = (artifact, records.base, *known)
            _trim(self._bases)
        return known

    def _joined_before(self, artifact: Artifact, records: DatasetRecords) -> tuple[Rows, list[str]] | None:
        kept = self._bases.get((id(artifact), id(records.base)))
        if kept is None or kept[0] is not artifact or kept[1] is not records.base:
            return None
        return kept[2], kept[3]


def _joined(artifact: Artifact, layer: Layer) -> tuple[Rows, list[str]]:
    """Numbers (n,) of a layer's items; those the model lacks are numbered from `n_items` on, in the layer's order."""
    if not layer.ids:
        return np.zeros(0, np.int64), []
    known = pl.DataFrame(
        {"id": list(artifact.item_ids), "number": np.arange(artifact.n_items, dtype=np.int64)},
        schema={"id": pl.String, "number": pl.Int64},
    )
    wanted = pl.DataFrame({"id": list(layer.ids)}, schema={"id": pl.String})
    found = wanted.join(known, on="id", how="left", maintain_order="left")
    numbers = found["number"].fill_null(-1).to_numpy().copy()
    missing = np.flatnonzero(numbers < 0)
    numbers[missing] = artifact.n_items + np.arange(len(missing))
    return numbers, [layer.ids[row] for row in missing]


def _trim(kept: OrderedDict[tuple[int, int], Any]) -> None:
    while len(kept) > MOST_TABLES:
        kept.popitem(last=False)
