"""The dispatcher: job rows that control wrote become queued workflows, each exactly once however often it is tried."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from matinee.control import lifecycle, outbox
from matinee.jobs.engine import is_heavy
from matinee.storage.metadata import Database, jobs

_AT_ONCE = 100


def dispatch(database: Database, start: Callable[[str, str], None], *, room: int) -> int:
    """Hand the QUEUED jobs, oldest first, to `start(job id, kind)` and mark them DISPATCHED; returns how many.

    Of quick jobs at most `room` are handed over. A crash in between, or another worker at the same time, starts a job
    twice; under the same id that is once.
    """
    query = (
        sa.select(jobs.c.id, jobs.c.kind).where(jobs.c.state == "QUEUED").order_by(jobs.c.created_at).limit(_AT_ONCE)
    )
    with database.read() as connection:
        waiting = connection.execute(query).all()
    started = []
    for job_id, kind in waiting:
        if is_heavy(kind) or room > 0:
            room -= not is_heavy(kind)
            start(job_id, kind)
            started.append(job_id)
    if started:
        with database.transaction() as connection:
            # One that is RUNNING or has ended by now must stay so.
            mine = jobs.c.id.in_(started) & (jobs.c.state == "QUEUED")
            connection.execute(sa.update(jobs).where(mine).values(state="DISPATCHED"))
    return len(started)


def unfinished(database: Database) -> list[tuple[str, str]]:
    """Jobs, as (id, kind), that were handed over and have not ended."""
    query = sa.select(jobs.c.id, jobs.c.kind).where(jobs.c.state.in_(("DISPATCHED", "RUNNING")))
    with database.read() as connection:
        return [(row.id, row.kind) for row in connection.execute(query)]


def end_stopped(database: Database) -> list[str]:
    """End the running jobs that were asked to stop; returns their ids.

    A handler hears of it at its next step, which may take a while (loading a library, solving a large system). Until
    then it works for nothing: what a job that has ended does is not made visible, and is removed.
    """
    asked = sa.select(jobs.c.id, jobs.c.arn).where(jobs.c.state == "RUNNING", jobs.c.cancel_requested)
    with database.read() as connection:
        stopping = connection.execute(asked).all()
    for job_id, arn in stopping:
        with database.transaction() as connection:
            lifecycle.take_turn_for(connection, arn)
            job = outbox.find(connection, job_id, lock=True)
            if job is not None:
                lifecycle.stopped(connection, job)
    return [job_id for job_id, _ in stopping]
