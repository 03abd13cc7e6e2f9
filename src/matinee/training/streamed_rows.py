"""What was streamed, as rows of a dataset: properties named in camel case become the schema's typed columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

#: Columns of streamed events where there is no schema.
EVENT_COLUMNS = {
    "USER_ID": pl.String(),
    "ITEM_ID": pl.String(),
    "TIMESTAMP": pl.Int64(),
    "EVENT_TYPE": pl.String(),
    "EVENT_VALUE": pl.Float64(),
}


def event_details(details: Mapping[str, Any]) -> dict[str, Any]:
    """Members of a streamed event that have reserved columns."""
    impression = details.get("impression")
    return {
        "IMPRESSION": "|".join(impression) if impression else None,
        "RECOMMENDATION_ID": details.get("recommendationId"),
        "EVENT_ATTRIBUTION_SOURCE": details.get("eventAttributionSource"),
    }


def by_column(properties: Mapping[str, Any], columns: Iterable[str]) -> dict[str, Any]:
    """Property names as columns: `numReviews` is NUM_REVIEWS. Names are unique once underscores are removed (2.1)."""
    known = {name.replace("_", "").lower(): name for name in columns}
    return {
        known[name.replace("_", "").lower()]: value
        for name, value in properties.items()
        if name.replace("_", "").lower() in known
    }


def frame_of(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Rows as a frame of typed columns; a value that is not of its column's type becomes null."""
    values: dict[str, list[Any]] = {name: [] for name in columns}
    for row in rows:
        for name, column in values.items():
            column.append(row.get(name))
    return pl.DataFrame([_series(name, values[name], dtype) for name, dtype in columns.items()])


def _series(name: str, values: Sequence[Any], dtype: pl.DataType) -> pl.Series:
    if dtype == pl.String():
        values = [None if value is None else str(value) for value in values]
    return pl.Series(name, values, dtype=dtype, strict=False)
