"""The records of an ITEMS, USERS or ACTIONS dataset: imported parts, and the streamed records laid over them."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import sqlalchemy as sa

from matinee.data.schemas import Schema, polars_schema
from matinee.filters.columns import Columns, Rows
from matinee.serving.event_loop import leave_event_loop
from matinee.serving.freshness import FreshCache, View
from matinee.serving.groups import GroupDataset
from matinee.storage.metadata import dataset_parts, records
from matinee.storage.objects import ObjectStore

#: What tells one reading of imported parts from another: the dataset's creation, its schema, the parts' numbers.
_Imported = tuple[tuple[int, int], Schema, tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class Layer:
    """Records by ID: `ids[i]` is described by row i of `columns`. `since` (n,) is when each was stored, epoch ms."""

    ids: tuple[str, ...]
    columns: Columns
    since: Rows

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """ID to row."""
        return {one: row for row, one in enumerate(self.ids)}


@dataclass(frozen=True, eq=False)
class DatasetRecords:
    """All records of one dataset: `base` as imported, `streamed` over it where a streamed record is the newer one.

    `parts` and `newest` say up to where they are read; `last` numbers the newest streamed record of this dataset.
    """

    dataset: GroupDataset
    base: Layer
    streamed: Layer
    parts: tuple[int, ...]
    newest: int
    pending: Mapping[str, tuple[int, Mapping[str, Any]]]
    last: int = 0

    def get(self, entity: str) -> dict[str, Any]:
        """The record of one ID: column to value; empty when there is none."""
        for layer in (self.streamed, self.base):
            row = layer.row_of.get(entity)
            if row is not None:
                return layer.columns.row(row)
        return {}


class RecordReader:
    """Datasets' records, read when first asked for and kept up to date."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._cache: FreshCache[GroupDataset, DatasetRecords] = FreshCache(self._load, 64)
        self._bases: dict[str, tuple[_Imported, Layer]] = {}
        self._reading = threading.Lock()

    def get(self, view: View, dataset: GroupDataset) -> DatasetRecords:
        """The records as of `view`; the same object as long as none has changed."""
        return self._cache.get(view, dataset)

    def _load(self, view: View, dataset: GroupDataset, previous: DatasetRecords | None) -> DatasetRecords:
        connection = view.connection
        parts = connection.execute(
            sa.select(dataset_parts.c.seq, dataset_parts.c.object_key, dataset_parts.c.created_at)
            .where(dataset_parts.c.dataset_arn == dataset.arn)
            .order_by(dataset_parts.c.seq)
        ).all()
        newest = connection.scalar(sa.select(sa.func.max(records.c.seq))) or 0
        numbers = tuple(part.seq for part in parts)
        if previous is not None and (previous.parts, previous.newest) == (numbers, newest):
            return previous
        same_base = previous is not None and previous.parts == numbers
        base = (
            previous.base
            if previous is not None and same_base
            else self._base(dataset, numbers, [(part.object_key, part.created_at) for part in parts])
        )
        known = {} if previous is None else previous.pending
        after = 0 if previous is None else previous.newest
        arrived = connection.execute(
            sa.select(records.c.entity_id, records.c.properties, records.c.received_at, records.c.seq)
            .where(records.c.dataset_arn == dataset.arn, records.c.seq > after)
            .order_by(records.c.seq)
        ).all()
        last = arrived[-1].seq if arrived else 0 if previous is None else previous.last
        if previous is not None and same_base and not arrived:
            return DatasetRecords(dataset, base, previous.streamed, numbers, newest, known, last)
        latest = {**known, **{row.entity_id: (row.received_at, row.properties) for row in arrived}}
        return DatasetRecords(dataset, base, _streamed(dataset, latest, base), numbers, newest, latest, last)

    def _base(self, dataset: GroupDataset, numbers: tuple[int, ...], parts: Sequence[tuple[str, int]]) -> Layer:
        """The imported records, read by one thread for all that wait for them; never on an event loop."""
        imported = (dataset.created, dataset.schema, numbers)
        kept = self._bases.get(dataset.arn)
        if kept is None or kept[0] != imported:
            if parts:
                leave_event_loop()
            with self._reading:
                kept = self._bases.get(dataset.arn)
                if kept is None or kept[0] != imported:
                    read = [(self._objects.local(object_key), created) for object_key, created in parts]
                    kept = self._bases[dataset.arn] = imported, _read(dataset, read)
        return kept[1]


def _read(dataset: GroupDataset, parts: Sequence[tuple[Path, int]]) -> Layer:
    """The records of parts; an ID in several of them has the record of the last one."""
    key, types = str(dataset.schema.key), polars_schema(dataset.schema)
    frames = [
        pl.read_parquet(path).with_columns(pl.lit(created, dtype=pl.Int64).alias("__since")) for path, created in parts
    ]
    empty = pl.DataFrame(schema={**types, "__since": pl.Int64()})
    frame = pl.concat([empty, *frames], how="diagonal").unique(subset=key, keep="last", maintain_order=True)
    return Layer(tuple(frame[key].to_list()), Columns(frame, dataset.schema), frame["__since"].to_numpy())


def _streamed(dataset: GroupDataset, latest: Mapping[str, tuple[int, Mapping[str, Any]]], base: Layer) -> Layer:
    """The streamed records that no later import has replaced."""
    kept = {
        entity: (received, properties)
        for entity, (received, properties) in latest.items()
        if entity not in base.row_of or base.since[base.row_of[entity]] <= received
    }
    types = polars_schema(dataset.schema)
    frame = pl.DataFrame(
        {name: [properties.get(name) for _, properties in kept.values()] for name in types}, schema=types, strict=False
    )
    since = np.array([received for received, _ in kept.values()], dtype=np.int64)
    return Layer(tuple(kept), Columns(frame, dataset.schema), since)
