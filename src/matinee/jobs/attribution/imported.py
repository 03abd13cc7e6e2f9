"""What a bulk import of interactions adds: a report in the customer's folder, and for INCREMENTAL ones the sums."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from matinee.control.records import now_ms
from matinee.jobs.attribution import ledger
from matinee.jobs.attribution.lookup import Attribution, attribution_of_group, item_values, recommended_by
from matinee.jobs.attribution.report import lines_of, write_report
from matinee.jobs.attribution.sums import UNDEFINED, Cell, sums_of, timely, with_item_values
from matinee.jobs.task import Task

#: What an import adds to the sums of which attribution.
Attributed = tuple[Attribution, Mapping[Cell, float]] | None


def attribute_import(task: Task, part: Path) -> Attributed:
    """Write the report of an import whose rows are in `part`, where it asks for one and the group has a place for it.

    Returns what an INCREMENTAL import adds to the sums, for `add_imported` in the transaction that ends the job; None
    when there is nothing to add. The attribution must be older than the import.
    """
    payload = task.job.payload
    incremental, wanted = payload["importMode"] == "INCREMENTAL", payload.get("publishAttributionMetricsToS3", False)
    if payload["datasetType"] != "INTERACTIONS" or not (incremental or wanted):
        return None
    asked_at = task.resource().created_at
    with task.database.read() as connection:
        attribution = attribution_of_group(connection, payload["datasetGroupArn"])
        if attribution is None or attribution.resource.created_at > asked_at:
            return None
        rows = _rows(task, connection, attribution, part, asked_at)
    if wanted and attribution.output is None:
        task.log.warning("the metric attribution names no s3DataDestination: no report", attribution=attribution.arn)
    elif wanted:
        lines = lines_of(sums_of(rows, attribution.metrics), attribution.metrics)
        write_report(task, attribution, payload["importMode"], asked_at, lines)
        task.reached("reported")
    if not incremental:
        return None
    return attribution, sums_of(timely(rows.with_columns(ARRIVED=pl.lit(now_ms()))), attribution.metrics)


def add_imported(connection: sa.Connection, found: Attributed) -> None:
    """Add what an INCREMENTAL import brought. The import's own report is the place for it, so no other file has it."""
    if found is not None:
        attribution, sums = found
        ledger.add(connection, attribution.arn, sums, reported=True)


def _rows(task: Task, connection: sa.Connection, attribution: Attribution, part: Path, asked_at: int) -> pl.DataFrame:
    """The import's rows of the types that are counted, as rows to add up."""
    scanned = pl.scan_parquet(part)
    present = {name.upper(): name for name in scanned.collect_schema().names()}
    types = {metric.event_type.lower() for metric in attribution.metrics}
    texts = {name: _column(present, name, pl.String()) for name in ("EVENT_TYPE", "ITEM_ID")}
    named = _column(present, "EVENT_ATTRIBUTION_SOURCE", pl.String()).replace("", None)
    places = attribution.places("INTERACTIONS")
    rows = (
        scanned.select(
            _column(present, "TIMESTAMP", pl.Int64()).alias("TIMESTAMP"),
            pl.lit(asked_at).alias("ARRIVED"),
            named.alias("NAMED"),
            _column(present, "RECOMMENDATION_ID", pl.String()).alias("RECOMMENDATION_ID"),
            *(expression.alias(name) for name, expression in texts.items()),
            *(_column(present, place.partition(".")[2], pl.Float64()).alias(place) for place in places),
        )
        .filter(pl.col("EVENT_TYPE").str.to_lowercase().is_in(sorted(types)))
        .collect()
    )
    followed = rows.filter(pl.col("NAMED").is_null())["RECOMMENDATION_ID"].drop_nulls().unique()
    known = recommended_by(connection, attribution.group, followed.to_list())
    by_recommendation = pl.col("RECOMMENDATION_ID").replace_strict(
        list(known), list(known.values()), default=None, return_dtype=pl.String()
    )
    rows = rows.with_columns(SOURCE=pl.coalesce("NAMED", by_recommendation, pl.lit(UNDEFINED)))
    items = rows["ITEM_ID"].drop_nulls().unique().to_list()
    values = item_values(task.workshop, connection, attribution.group, attribution.places("ITEMS"), items)
    return with_item_values(rows.drop("NAMED", "RECOMMENDATION_ID"), values)


def _column(present: Mapping[str, str], name: str, dtype: pl.DataType) -> pl.Expr:
    """A column of the part as `dtype`, null where the dataset has none of the name."""
    return pl.col(present[name]).cast(dtype, strict=False) if name in present else pl.lit(None, dtype=dtype)
