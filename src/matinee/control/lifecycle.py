"""What a worker calls to carry a job's resource through its states: begin, then succeed, fail or stop.

Each function belongs in the transaction in which the work becomes visible, and may be called again after a crash: a
job that has ended moves nothing any more. A handler reads like this:

    with database.transaction() as connection:
        job = lifecycle.begin(connection, job_id)
    if job is None:
        return                                   # ended, stopped or deleted meanwhile
    ...the work, asking lifecycle.stop_requested(connection, job) now and then...
    with database.transaction() as connection:
        lifecycle.take_turn_for(connection, job.arn)   # first, when the transaction changes rows of its own too
        ...rows of its own...
        lifecycle.succeed(connection, job, attributes={...}, private={...})
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from matinee.control import following, outbox, records, states, updates
from matinee.control.outbox import Job, JobKind
from matinee.control.records import Resource
from matinee.control.removal import belongings, gone
from matinee.control.states import GONE
from matinee.control.turns import take_turn_for
from matinee.storage.metadata import resources

__all__ = [
    "ARTIFACT_AT",
    "Job",
    "JobKind",
    "begin",
    "belongings",
    "fail",
    "gone",
    "stop_requested",
    "stopped",
    "succeed",
    "take_turn_for",
]


#: Where a resource's `private` keeps when its artifact took its place, epoch milliseconds.
ARTIFACT_AT = "artifact_at"


@dataclass(frozen=True)
class _Chain:
    """The states that a job moves its resource through; `failed` None: as it was before."""

    pending: str
    running: str
    done: str
    failed: str | None


_CREATE = _Chain("CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE", "CREATE FAILED")

#: Jobs that move the resource's own status. REFRESH_RECOMMENDER, UPDATE_MODEL and ATTRIBUTE show nothing.
_CHAINS: Mapping[JobKind, _Chain] = {
    JobKind.SETTLE: _CREATE,
    JobKind.IMPORT: _CREATE,
    JobKind.EXPORT: _CREATE,
    JobKind.TRAIN: _CREATE,
    JobKind.DEPLOY: _CREATE,
    JobKind.RECOMMENDER: _CREATE,
    JobKind.BATCH_INFERENCE: _CREATE,
    JobKind.BATCH_SEGMENT: _CREATE,
    JobKind.DATA_DELETION: _Chain("PENDING", "IN_PROGRESS", "COMPLETED", "FAILED"),
    JobKind.DELETE: _Chain("DELETE PENDING", "DELETE IN_PROGRESS", GONE, None),
    JobKind.UPDATE_DATASET: _Chain("UPDATE PENDING", "UPDATE IN_PROGRESS", "ACTIVE", "ACTIVE"),
    JobKind.START_RECOMMENDER: _Chain("START PENDING", "START IN_PROGRESS", "ACTIVE", "INACTIVE"),
    JobKind.STOP_RECOMMENDER: _Chain("STOP PENDING", "STOP IN_PROGRESS", "INACTIVE", "ACTIVE"),
}

#: Of these the ones that put another artifact in the place of the old one: the date of the last update stays.
_UNSEEN = (JobKind.REFRESH_RECOMMENDER, JobKind.UPDATE_MODEL)

#: Jobs whose progress shows in the `latest…Update` member of Describe, and the states it shows.
_UPDATES: Mapping[JobKind, _Chain] = {
    JobKind.UPDATE_DATASET: _Chain("UPDATE PENDING", "UPDATE IN_PROGRESS", "ACTIVE", "UPDATE FAILED"),
    JobKind.UPDATE_SOLUTION: _CREATE,
    JobKind.UPDATE_CAMPAIGN: _CREATE,
    JobKind.UPDATE_RECOMMENDER: _CREATE,
    JobKind.RETRAIN_RECOMMENDER: _CREATE,
}


def begin(connection: sa.Connection, job_id: str) -> Job | None:
    """Start (or, after a crash, take up again) a job: its resource becomes … IN_PROGRESS, the job RUNNING.

    Returns the job, or None when there is nothing to do: it has ended, was stopped, or its resource is gone.
    """
    waiting = outbox.find(connection, job_id)
    if waiting is None:
        return None
    take_turn_for(connection, waiting.arn)
    job = outbox.find(connection, job_id, lock=True)
    if job is None or job.state in outbox.ENDED:
        return None
    resource = records.find(connection, job.arn, lock=True)
    if resource is None:
        outbox.mark(connection, job.id, "STOPPED", "The resource was deleted.")
        return None
    if resource.status == "CREATE STOPPING":
        stopped(connection, job)
        return None
    chain = _CHAINS.get(job.kind)
    if chain is not None and resource.status == chain.pending:
        resource = states.advance(connection, job.arn, chain.running)
    if job.kind in _UPDATES:
        updates.show(connection, resource, _UPDATES[job.kind].running)
    outbox.mark(connection, job.id, "RUNNING")
    return job


def succeed(
    connection: sa.Connection,
    job: Job,
    *,
    attributes: Mapping[str, Any] | None = None,
    private: Mapping[str, Any] | None = None,
) -> None:
    """End a job well: its resource becomes ACTIVE (COMPLETED, INACTIVE, gone: as the job's kind says).

    `attributes` are members that Describe shows from now on (a version's `trainingHours`, `tunedHPOParams`; a
    deletion job's `numDeleted`), `private` what it does not (`artifact`, the key prefix; `metrics`, name to number);
    with an artifact its time is kept, too.
    An update's new configuration takes the place of the old one now. A version whose stop was requested becomes
    CREATE STOPPED instead.
    """
    resource = _open(connection, job)
    if resource is None:
        return
    if resource.status == "CREATE STOPPING":
        stopped(connection, job)
        return
    if job.kind is JobKind.DELETE:
        gone(connection, job.arn)
    elif job.kind is not JobKind.ATTRIBUTE:  # counting changes nothing that Describe shows, its dates neither
        _arrive(connection, _keep(connection, resource, job, attributes or {}, private or {}), job)
    outbox.mark(connection, job.id, "DONE")
    following.after(connection, job)


def fail(connection: sa.Connection, job: Job, reason: str) -> None:
    """End a job badly: CREATE FAILED (or as the kind says) with `reason` as the failure reason.

    A failed update leaves the resource as it was and shows the reason in `latest…Update`. A failed deletion gives
    the resource back; should what it lives in be going too, it goes with that.
    """
    resource = _open(connection, job)
    if resource is None:
        return
    if resource.status == "CREATE STOPPING":
        stopped(connection, job)
        return
    chain = _CHAINS.get(job.kind)
    if job.kind in _UPDATES:
        updates.abandon(connection, resource, job, str(_UPDATES[job.kind].failed), reason)
    if chain is not None:
        shown = None if job.kind is JobKind.UPDATE_DATASET else reason
        before = chain.failed or str(resource.private.get("before_delete", "ACTIVE"))
        states.advance(connection, job.arn, before, failure_reason=shown)
    outbox.mark(connection, job.id, "FAILED", reason)
    following.after(connection, job)


def stopped(connection: sa.Connection, job: Job) -> None:
    """End a job that was asked to stop: a version in CREATE STOPPING becomes CREATE STOPPED."""
    resource = _open(connection, job)
    if resource is None:
        return
    if resource.status == "CREATE STOPPING":
        states.advance(connection, job.arn, "CREATE STOPPED")
    outbox.mark(connection, job.id, "STOPPED")


def stop_requested(connection: sa.Connection, job: Job) -> bool:
    """Whether someone asked for the job to stop, or its resource is gone; cheap enough to ask every few seconds."""
    current = outbox.find(connection, job.id)
    return current is None or current.cancel_requested or current.state in outbox.ENDED


def _open(connection: sa.Connection, job: Job) -> Resource | None:
    """The resource of a job that has not ended; None when it has, or when the resource is gone."""
    take_turn_for(connection, job.arn)
    current = outbox.find(connection, job.id, lock=True)
    if current is None or current.state in outbox.ENDED:
        return None
    resource = records.find(connection, job.arn, lock=True)
    if resource is None:
        outbox.mark(connection, job.id, "STOPPED", "The resource was deleted.")
    return resource


def _keep(
    connection: sa.Connection,
    resource: Resource,
    job: Job,
    attributes: Mapping[str, Any],
    private: Mapping[str, Any],
) -> Resource:
    """The resource with what its job hands over; dated, unless the job is one that shows nowhere."""
    columns: dict[str, Any] = {
        "attributes": {**resource.attributes, **attributes},
        "private": {
            **resource.private,
            **private,
            **({ARTIFACT_AT: records.now_ms()} if "artifact" in private else {}),
        },
    }
    if job.kind not in _UNSEEN:
        return records.change(connection, resource, **columns)
    connection.execute(sa.update(resources).where(resources.c.seq == resource.seq).values(columns))
    return replace(resource, **columns)


def _arrive(connection: sa.Connection, resource: Resource, job: Job) -> None:
    """Move a resource to where its job leads, and let an update's configuration take the old one's place."""
    if job.kind in _UPDATES:
        resource = updates.show(connection, resource, _UPDATES[job.kind].done)
        resource = updates.adopt(connection, resource, job)
        if job.kind is JobKind.UPDATE_CAMPAIGN and resource.status == "CREATE FAILED":
            states.advance(connection, job.arn, "ACTIVE")
    chain = _CHAINS.get(job.kind)
    if chain is not None:
        states.advance(connection, job.arn, chain.done)
