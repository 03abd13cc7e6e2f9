"""What an operator does with jobs: look at them, cancel one, try a failed one again. States stay legal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from matinee.control import lifecycle, outbox, records, states
from matinee.control.context import Caller
from matinee.control.operation import Operation
from matinee.control.outbox import ENDED, JobKind
from matinee.control.solution_versions import stop_solution_version_creation
from matinee.control.turns import take_turn_for
from matinee.errors import InvalidInput, ResourceInUse, ResourceNotFound
from matinee.settings import Settings
from matinee.storage.metadata import jobs, references

STATES = ("QUEUED", "DISPATCHED", "RUNNING", *ENDED)
CANCELLED = "The job was cancelled."

#: A deletion is not taken back half way; what only settles is over before anybody could cancel it.
_KEPT = (JobKind.DELETE, JobKind.SETTLE)
#: Jobs that complete a resource, and can do so again when it failed.
_REPEATABLE = (
    JobKind.SETTLE,
    JobKind.IMPORT,
    JobKind.EXPORT,
    JobKind.DATA_DELETION,
    JobKind.TRAIN,
    JobKind.DEPLOY,
    JobKind.RECOMMENDER,
    JobKind.BATCH_INFERENCE,
    JobKind.BATCH_SEGMENT,
)


@dataclass(frozen=True)
class JobRow:
    """A job as people look at it. Times are epoch milliseconds; `fraction` is of [0, 1], None before any progress."""

    id: str
    kind: str
    arn: str
    state: str
    attempts: int
    created_at: int
    updated_at: int
    reason: str | None
    fraction: float | None
    message: str | None

    @property
    def ended(self) -> bool:
        """Whether it is over, for good."""
        return self.state in ENDED


def listed(
    connection: sa.Connection,
    *,
    kinds: Sequence[str] = (),
    only: Sequence[str] = (),
    arn: str | None = None,
    limit: int = 50,
) -> list[JobRow]:
    """The newest jobs, newest first: of some kinds, in some states, of one resource."""
    query = sa.select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.id).limit(limit)
    if kinds:
        query = query.where(jobs.c.kind.in_(kinds))
    if only:
        query = query.where(jobs.c.state.in_(only))
    if arn is not None:
        query = query.where(jobs.c.arn == arn)
    return [_row(row) for row in connection.execute(query)]


def one(connection: sa.Connection, job_id: str) -> JobRow:
    """The job with this ID, or with the only ID that begins so. Raises `ResourceNotFound` or `InvalidInput`."""
    found = connection.execute(sa.select(jobs).where(jobs.c.id.startswith(job_id, autoescape=True)).limit(2)).all()
    if not found:
        raise ResourceNotFound(f"There is no job {job_id}. `matinee jobs list` shows the newest.")
    if len(found) > 1:
        raise InvalidInput(f"Several jobs begin with {job_id}; give more of the ID.")
    return _row(found[0])


def cancel(connection: sa.Connection, settings: Settings, job_id: str) -> JobRow:
    """Have a job end without its work. Its handler hears of it within a second; what it wrote is removed.

    A training stops as by StopSolutionVersionCreation; the resource of any other job becomes CREATE FAILED, or what
    it was before an update. Raises `InvalidInput` for a deletion, and for a job that has ended.
    """
    row = one(connection, job_id)
    take_turn_for(connection, row.arn)
    job = outbox.find(connection, row.id, lock=True)
    if job is None or job.state in ENDED:
        raise InvalidInput(f"The job {row.id} has ended ({row.state}) and cannot be cancelled.")
    if job.kind in _KEPT:
        raise InvalidInput(f"A job of kind {job.kind.value} cannot be cancelled: it would leave half a resource.")
    resource = records.find(connection, job.arn)
    if job.kind is JobKind.TRAIN and resource is not None:
        operation = Operation(connection, Caller(resource.account, resource.region), settings)
        stop_solution_version_creation(operation, {"solutionVersionArn": job.arn})
    else:
        lifecycle.fail(connection, _begun(connection, job), CANCELLED)
    return one(connection, row.id)


def retry(connection: sa.Connection, job_id: str) -> JobRow:
    """Queue the work of a failed or stopped job again, as a new job; its resource is pending once more.

    Raises `InvalidInput` when the job is of no such kind or state, `ResourceInUse` when something that it needs is
    being deleted, `ResourceNotFound` when its resource is gone.
    """
    row = one(connection, job_id)
    take_turn_for(connection, row.arn)
    job = outbox.find(connection, row.id, lock=True)
    if job is None or job.state not in ("FAILED", "STOPPED"):
        raise InvalidInput(f"The job {row.id} is {row.state}; only FAILED and STOPPED ones are tried again.")
    if job.kind not in _REPEATABLE:
        raise InvalidInput(
            f"A job of kind {job.kind.value} is not tried again: make the update, or the deletion, once more."
        )
    resource = records.find(connection, job.arn, lock=True)
    if resource is None:
        raise ResourceNotFound.of(job.arn)
    _refuse_while_going(connection, resource)
    pending = states.reopen(connection, job.arn)
    renewed = outbox.enqueue(connection, job.kind, pending.arn, job.payload)
    return one(connection, renewed)


def _begun(connection: sa.Connection, job: outbox.Job) -> outbox.Job:
    """The job, its resource in a state from which it may fail."""
    return job if job.state == "RUNNING" else lifecycle.begin(connection, job.id) or job


def _refuse_while_going(connection: sa.Connection, resource: records.Resource) -> None:
    used = connection.scalars(sa.select(references.c.target).where(references.c.source == resource.arn))
    for arn in {*used, *([resource.parent] if resource.parent else [])}:
        target = records.find(connection, arn)
        if target is None or target.status in states.DELETING:
            raise ResourceInUse(f"{resource.arn} needs {arn}, which is gone or being deleted.")


def _row(row: sa.Row[Any]) -> JobRow:
    progress = row.progress or {}
    return JobRow(
        id=row.id,
        kind=row.kind,
        arn=row.arn,
        state=row.state,
        attempts=row.attempts,
        created_at=row.created_at,
        updated_at=row.updated_at,
        reason=row.reason,
        fraction=progress.get("fraction"),
        message=progress.get("message"),
    )
