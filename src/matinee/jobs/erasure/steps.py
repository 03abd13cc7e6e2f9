"""The steps of a deletion: what each removed is counted with it, and what it made needless is gone before the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa

from matinee.control import lifecycle, records
from matinee.errors import JobStopped
from matinee.jobs.task import Task
from matinee.storage.metadata import resources

_REMOVED, _NEEDLESS = "removed", "needless"


@contextmanager
def step(task: Task) -> Iterator[sa.Connection]:
    """A transaction of the job, unless another attempt has it by now."""
    with task.database.transaction() as connection:
        lifecycle.take_turn_for(connection, task.job.arn)
        if not task.current(connection, lock=True):
            raise JobStopped(f"The job of {task.job.arn} was taken over.")
        yield connection


def note(connection: sa.Connection, task: Task, removed: int, needless: Sequence[str] = ()) -> None:
    """Note in the job's row what the step removed, and the keys of objects that nothing names after it."""
    row = records.find(connection, task.job.arn, lock=True)
    if row is None:
        raise JobStopped(f"{task.job.arn} does not exist any more.")
    noted = {
        _REMOVED: removed_so_far(task, connection) + removed,
        _NEEDLESS: [*row.private.get(_NEEDLESS, ()), *needless],
    }
    change = sa.update(resources).where(resources.c.seq == row.seq).values(private={**row.private, **noted})
    connection.execute(change)


def removed_so_far(task: Task, connection: sa.Connection) -> int:
    """How many references all steps of the job have removed, those of dead attempts included."""
    row = records.find(connection, task.job.arn)
    return 0 if row is None else int(row.private.get(_REMOVED, 0))


def clear(task: Task) -> None:
    """Delete the objects that the steps so far have made needless."""
    needless = task.resource().private.get(_NEEDLESS, ())
    if not needless:
        return
    for key in needless:
        task.objects.delete_prefix(key)
    with step(task) as connection:
        row = records.find(connection, task.job.arn, lock=True)
        if row is not None:
            left = [key for key in row.private.get(_NEEDLESS, ()) if key not in needless]
            change = sa.update(resources).where(resources.c.seq == row.seq)
            connection.execute(change.values(private={**row.private, _NEEDLESS: left}))
