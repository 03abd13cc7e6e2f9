"""What was streamed to a dataset, as Parquet files in a job's working folder, a page of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from matinee.jobs.task import Task
from matinee.storage.metadata import events, records, session_links
from matinee.training.streamed_rows import by_column, event_details, frame_of

_PAGE = 20_000
#: When a row was stored, epoch milliseconds; beside the dataset's own columns.
SINCE = "__since"

Rows = Sequence[sa.Row[Any]]


def write_streamed(task: Task, columns: Mapping[str, pl.DataType], key: str | None) -> list[Path]:
    """The dataset's streamed rows, in the order of arrival; `key` names the ID column of records, None for events.

    An event of a session that was linked to a user later is that user's; one that never was has no USER_ID.
    """
    payload = task.job.payload
    if key is None:
        pages = _pages(task, _events(payload["datasetGroupArn"]), events.c.seq)
        mapped = (_event_rows(page, columns, actions=payload["datasetType"] == "ACTION_INTERACTIONS") for page in pages)
    else:
        query = sa.select(records.c.seq, records.c.entity_id, records.c.properties, records.c.received_at)
        pages = _pages(task, query.where(records.c.dataset_arn == payload["datasetArn"]), records.c.seq)
        mapped = (_record_rows(page, columns, key) for page in pages)
    written = []
    for number, rows in enumerate(mapped):
        path = task.scratch / f"streamed-{number:06}.parquet"
        frame_of(rows, {**columns, SINCE: pl.Int64()}).write_parquet(path)
        written.append(path)
    return written


def _events(group_arn: str) -> sa.Select[Any]:
    linked = (session_links.c.group_arn == events.c.group_arn) & (session_links.c.session_id == events.c.session_id)
    user = sa.func.coalesce(events.c.user_id, session_links.c.user_id).label("user")
    return (
        sa.select(events, user)
        .select_from(events.outerjoin(session_links, linked))
        .where(events.c.group_arn == group_arn)
    )


def _pages(task: Task, query: sa.Select[Any], seq: sa.Column[int]) -> Iterator[Rows]:
    """The rows of a query by their number, each page read by itself: no transaction stays open for long."""
    last = 0
    while True:
        task.check()
        with task.database.read() as connection:
            page = connection.execute(query.where(seq > last).order_by(seq).limit(_PAGE)).all()
        if not page:
            return
        yield page
        last = page[-1].seq


def _event_rows(page: Rows, columns: Mapping[str, pl.DataType], *, actions: bool) -> Iterator[dict[str, Any]]:
    for row in page:
        details = row.details or {}
        if ("actionId" in details) is actions:
            yield {
                **by_column(details.get("properties") or {}, columns),
                "USER_ID": row.user,
                "ITEM_ID": row.item_id,
                "ACTION_ID": details.get("actionId"),
                "TIMESTAMP": row.sent_at,
                "EVENT_TYPE": row.event_type,
                "EVENT_VALUE": row.event_value,
                **event_details(details),
                SINCE: row.received_at,
            }


def _record_rows(page: Rows, columns: Mapping[str, pl.DataType], key: str) -> Iterator[dict[str, Any]]:
    for row in page:
        yield {**by_column(row.properties, columns), key: row.entity_id, SINCE: row.received_at}
