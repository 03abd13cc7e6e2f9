"""A few films and users for the filter tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data.schemas import Schema, parse_schema, polars_schema
from matinee.filters.columns import Columns
from matinee.filters.table import Segment, Table


def schema_of(record: str, *fields: Mapping[str, Any]) -> Schema:
    """A parsed schema."""
    return parse_schema(json.dumps({"type": "record", "name": record, "fields": fields, "version": "1.0"}))


ITEMS = schema_of(
    "Items",
    {"name": "ITEM_ID", "type": "string"},
    {"name": "GENRES", "type": ["string", "null"], "categorical": True},
    {"name": "STUDIO", "type": ["string", "null"]},
    {"name": "PRICE", "type": ["float", "null"]},
    {"name": "YEAR", "type": ["int", "null"]},
    {"name": "DESCRIPTION", "type": ["string", "null"], "textual": True},
    {"name": "ON_DISC", "type": ["boolean", "null"]},
)
USERS = schema_of(
    "Users",
    {"name": "USER_ID", "type": "string"},
    {"name": "AGE", "type": ["int", "null"]},
    {"name": "MEMBERSHIP", "type": ["string", "null"], "categorical": True},
)
ACTIONS = schema_of(
    "Actions",
    {"name": "ACTION_ID", "type": "string"},
    {"name": "TYPE", "type": ["string", "null"]},
    {"name": "VALUE", "type": ["long", "null"]},
    {"name": "COLOUR", "type": ["string", "null"], "categorical": True},
)
SCHEMAS = {"ITEMS": ITEMS, "USERS": USERS, "ACTIONS": ACTIONS}

Record = Mapping[str, Any]


def frame_of(records: Sequence[Record], schema: Schema = ITEMS) -> pl.DataFrame:
    """Records as a typed frame; what they lack is null."""
    types = polars_schema(schema)
    return pl.DataFrame({name: [record.get(name) for record in records] for name in types}, schema=types)


def table_of(records: Sequence[Record | None], schema: Schema = ITEMS) -> Table:
    """A table of things; None for one without a record."""
    rows = np.array([at for at, record in enumerate(records) if record is not None], dtype=np.int64)
    columns = Columns(frame_of([record for record in records if record is not None], schema), schema)
    return Table(len(records), [Segment(rows, columns)], schema)


class Events:
    """A user's events as (thing, type in lower case)."""

    def __init__(self, *events: tuple[int, str]) -> None:
        self.events = events

    def of_types(self, types: frozenset[str] | None) -> NDArray[np.int64]:
        """Things with an event of these types."""
        return np.array([thing for thing, kind in self.events if types is None or kind in types], dtype=np.int64)
