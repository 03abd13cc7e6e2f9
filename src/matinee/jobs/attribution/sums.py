"""Adding events up: rows in, sums by metric, source and window out. Spec 11.1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from matinee.control.attribution_schedule import WINDOW
from matinee.control.metric_expressions import Metric

#: What CloudWatch takes of a stream: nothing older than two weeks on arrival, nothing two hours ahead.
OLDEST, AHEAD = 14 * 86_400, 2 * 3600
#: The source of an event that names none and follows no known recommendation.
UNDEFINED = "SOURCE_NAME_UNDEFINED"

#: Columns of the rows that are added up, beside those that expressions name (`ITEMS.PRICE`): the event's type and time
#: (epoch seconds), where it came from, and when it arrived (epoch milliseconds).
ROWS = {"EVENT_TYPE": pl.String(), "TIMESTAMP": pl.Int64(), "SOURCE": pl.String(), "ARRIVED": pl.Int64()}


@dataclass(frozen=True)
class Cell:
    """One metric of one source in the window that begins at `begins`, epoch seconds, a multiple of its length."""

    metric: int
    source: str
    begins: int


def sums_of(rows: pl.DataFrame, metrics: Sequence[Metric]) -> dict[Cell, float]:
    """What every metric makes of the rows; cells that no event falls into are left out.

    `rows` has the columns of `ROWS`, and one for each `place` that is summed. Event types are compared ignoring case,
    as everywhere; an event without a number where one is to be summed adds nothing.
    """
    found: dict[Cell, float] = {}
    begins = (pl.col("TIMESTAMP") // WINDOW * WINDOW).alias("BEGINS")
    for metric in metrics:
        place = metric.expression.place
        value = pl.lit(1.0) if place is None else pl.col(place).cast(pl.Float64)
        mine = rows.filter(
            pl.col("EVENT_TYPE").str.to_lowercase() == metric.event_type.lower(), pl.col("ARRIVED") >= metric.since
        )
        summed = mine.select("SOURCE", begins, value.alias("VALUE")).drop_nulls("VALUE")
        grouped = summed.group_by("SOURCE", "BEGINS", maintain_order=True).agg(pl.col("VALUE").sum())
        for source, begin, total in grouped.rows():
            found[Cell(metric.number, source, begin)] = total
    return found


def timely(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that were neither too old nor too far ahead when they arrived."""
    age = pl.col("ARRIVED") // 1000 - pl.col("TIMESTAMP")
    return rows.filter(age <= OLDEST, age >= -AHEAD)


def with_item_values(rows: pl.DataFrame, items: Mapping[str, Mapping[str, object]]) -> pl.DataFrame:
    """The rows with a column for every place of Items: `items` is place to item ID to number; `ITEM_ID` is dropped."""
    for place, values in items.items():
        table = pl.DataFrame(
            {"ITEM_ID": list(values), place: list(values.values())},
            schema={"ITEM_ID": pl.String(), place: pl.Float64()},
            strict=False,
        )
        rows = rows.join(table, on="ITEM_ID", how="left", maintain_order="left")
    return rows.drop("ITEM_ID")
