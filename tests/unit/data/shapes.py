"""Schemas and small CSV files for the tests of the data room."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from matinee.data.csv_lines import CsvSource
from matinee.data.reading import ImportSummary, import_csv
from matinee.data.schemas import Schema, parse_schema


def string(name: str, **attributes: Any) -> dict[str, Any]:
    """A string field."""
    return {"name": name, "type": "string", **attributes}


def number(name: str, kind: str = "long") -> dict[str, Any]:
    """A number field."""
    return {"name": name, "type": kind}


def optional(field: Mapping[str, Any]) -> dict[str, Any]:
    """The same field, nullable."""
    return {**field, "type": ["null", field["type"]]}


def text_of(record: str, *fields: Mapping[str, Any]) -> str:
    """The JSON of a schema."""
    return json.dumps({"type": "record", "name": record, "fields": list(fields), "version": "1.0"})


USER, ITEM, TIME = string("USER_ID"), string("ITEM_ID"), number("TIMESTAMP")
TYPE, VALUE = optional(string("EVENT_TYPE")), optional(number("EVENT_VALUE", "float"))
INTERACTIONS = parse_schema(text_of("Interactions", USER, ITEM, TIME, TYPE, VALUE))
ITEMS = parse_schema(
    text_of(
        "Items",
        ITEM,
        optional(string("TITLE")),
        string("GENRES", categorical=True),
        optional(string("PLOT", textual=True)),
        optional(number("YEAR", "int")),
        optional(number("AWARDED", "boolean")),
    )
)
HEADER = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE"
ITEMS_HEADER = "ITEM_ID,TITLE,GENRES,PLOT,YEAR,AWARDED"


def csv_of(*lines: str) -> bytes:
    """Lines as a file."""
    return ("\n".join(lines) + "\n").encode()


def read(content: bytes, schema: Schema, folder: Path, *, minimum_rows: int = 1) -> pl.DataFrame:
    """What an import of one file puts into its Parquet part."""
    summary_of(content, schema, folder, minimum_rows=minimum_rows)
    return pl.read_parquet(folder / "part.parquet")


def summary_of(content: bytes, schema: Schema, folder: Path, *, minimum_rows: int = 1) -> ImportSummary:
    """What an import of one file called `data.csv` says."""
    source = CsvSource.of_bytes("data.csv", content)
    return import_csv([source], schema, folder / "part.parquet", minimum_rows=minimum_rows)
