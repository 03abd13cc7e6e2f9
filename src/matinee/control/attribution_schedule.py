"""When metric attributions are brought up to date: every few minutes, where events have come in or windows closed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from matinee.control import outbox
from matinee.control.outbox import JobKind
from matinee.control.turns import take_turn
from matinee.storage.metadata import Database, attribution_marks, attribution_sums, events, jobs, resources

#: Length of a window, and how long after its end it is told of; seconds. What comes later is told of as a further row.
WINDOW, GRACE = 900, 900


def start_attributing(database: Database, now: int) -> list[str]:
    """Start the counting of every ACTIVE attribution that has something to count or to report; returns their ARNs.

    `now` is epoch milliseconds. Several workers may do this at the same time: each attribution is looked at again in
    its account's turn, so that it has one open job at most.
    """
    with database.read() as connection:
        due = [row for row in _active(connection) if _has_work(connection, row, now)]
    started = []
    for row in due:
        with database.transaction() as connection:
            take_turn(connection, row.account, row.region)
            again = connection.scalar(sa.select(resources.c.status).where(resources.c.seq == row.seq))
            if again == "ACTIVE" and _has_work(connection, row, now):
                outbox.enqueue(connection, JobKind.ATTRIBUTE, row.arn, {"at": now})
                started.append(str(row.arn))
    return started


def _active(connection: sa.Connection) -> list[sa.Row[Any]]:
    c = resources.c
    query = sa.select(c.seq, c.arn, c.account, c.region, c.parent, c.created_at, c.attributes)
    return list(connection.execute(query.where(c.kind == "metric-attribution", c.status == "ACTIVE").order_by(c.seq)))


def _has_work(connection: sa.Connection, row: sa.Row[Any], now: int) -> bool:
    waiting = sa.select(jobs.c.id).where(jobs.c.arn == row.arn, jobs.c.state.not_in(outbox.ENDED))
    if connection.execute(waiting.limit(1)).first() is not None:
        return False
    marks, sums = attribution_marks.c, attribution_sums.c
    counted = connection.scalar(sa.select(marks.counted).where(marks.attribution_arn == row.arn)) or 0
    new = sa.select(events.c.seq).where(
        events.c.group_arn == row.parent, events.c.seq > counted, events.c.received_at >= row.created_at
    )
    looked_for = [new]
    if "s3DataDestination" in row.attributes["metricsOutputConfig"]:
        closed = sums.begins <= now // 1000 - WINDOW - GRACE
        mine = sums.attribution_arn == row.arn
        looked_for.append(sa.select(sums.begins).where(mine, sums.value != sums.reported, closed))
    return any(connection.execute(query.limit(1)).first() is not None for query in looked_for)
