"""Counting streamed events: a page a transaction, each event exactly once, however often the job dies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import sqlalchemy as sa

from matinee.control import lifecycle
from matinee.control.records import now_ms
from matinee.errors import JobStopped
from matinee.jobs.attribution import ledger
from matinee.jobs.attribution.lookup import Attribution, item_values, recommended_by
from matinee.jobs.attribution.sums import ROWS, UNDEFINED, sums_of, timely, with_item_values
from matinee.jobs.task import Task
from matinee.storage.metadata import events
from matinee.training.streamed_rows import by_column, frame_of

_PAGE = 5000


def count_streamed(task: Task, attribution: Attribution) -> int:
    """Count every event that has not been; returns how many were looked at."""
    before = now_ms()
    looked_at = 0
    while True:
        task.check()
        with task.database.transaction() as connection:
            lifecycle.take_turn_for(connection, task.job.arn)
            if not task.current(connection, lock=True):
                raise JobStopped(f"The job of {task.job.arn} was taken over.")
            page = _page(connection, attribution, before)
            if not page:
                return looked_at
            rows = timely(_rows(task, connection, attribution, page))
            ledger.add(connection, attribution.arn, sums_of(rows, attribution.metrics))
            ledger.mark(connection, attribution.arn, page[-1].seq)
        looked_at += len(page)
        task.reached("page-counted")


def _page(connection: sa.Connection, attribution: Attribution, before: int) -> Sequence[sa.Row[Any]]:
    query = sa.select(events).where(
        events.c.group_arn == attribution.group,
        events.c.seq > ledger.counted(connection, attribution.arn),
        events.c.received_at >= attribution.resource.created_at,
    )
    rows = connection.execute(query.order_by(events.c.seq).limit(_PAGE)).all()
    settled = next((number for number, row in enumerate(rows) if row.received_at > before), len(rows))
    return rows[:settled]


def _rows(task: Task, connection: sa.Connection, attribution: Attribution, page: Sequence[sa.Row[Any]]) -> pl.DataFrame:
    """A page of events as rows to add up."""
    details = [row.details or {} for row in page]
    given = (one.get("recommendationId") for one in details if not one.get("eventAttributionSource"))
    known = recommended_by(connection, attribution.group, (one for one in given if one))
    summed = attribution.places("INTERACTIONS")
    columns = {**ROWS, "ITEM_ID": pl.String(), **dict.fromkeys(summed, pl.Float64())}
    frame = frame_of(
        [
            {
                **_numbers(row, detail, summed),
                "EVENT_TYPE": row.event_type,
                "TIMESTAMP": row.sent_at,
                "ARRIVED": row.received_at,
                "ITEM_ID": row.item_id,
                "SOURCE": detail.get("eventAttributionSource")
                or known.get(detail.get("recommendationId", ""), UNDEFINED),
            }
            for row, detail in zip(page, details, strict=True)
        ],
        columns,
    )
    items = (row.item_id for row in page if row.item_id is not None)
    values = item_values(task.workshop, connection, attribution.group, attribution.places("ITEMS"), items)
    return with_item_values(frame, values)


def _numbers(row: sa.Row[Any], details: Mapping[str, Any], places: Sequence[str]) -> dict[str, Any]:
    """What an event has at each place of Interactions: a property, its value or its time."""
    columns = {place.partition(".")[2]: place for place in places}
    found = by_column(details.get("properties") or {}, columns)
    found |= {"EVENT_VALUE": row.event_value, "TIMESTAMP": row.sent_at}
    return {place: found.get(column) for column, place in columns.items()}
