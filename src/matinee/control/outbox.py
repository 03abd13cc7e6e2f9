"""Jobs as control writes them: a row beside the resource it moves, in the same transaction."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from matinee.control.records import now_ms
from matinee.storage.metadata import jobs


class JobKind(StrEnum):
    """What a job does, hence which handler carries it out."""

    SETTLE = "settle"
    DELETE = "delete"
    IMPORT = "import"
    EXPORT = "export"
    DATA_DELETION = "data-deletion"
    TRAIN = "train"
    DEPLOY = "deploy"
    RECOMMENDER = "recommender"
    START_RECOMMENDER = "start-recommender"
    STOP_RECOMMENDER = "stop-recommender"
    BATCH_INFERENCE = "batch-inference"
    BATCH_SEGMENT = "batch-segment"
    UPDATE_DATASET = "update-dataset"
    UPDATE_SOLUTION = "update-solution"
    UPDATE_CAMPAIGN = "update-campaign"
    UPDATE_RECOMMENDER = "update-recommender"
    RETRAIN_RECOMMENDER = "retrain-recommender"
    REFRESH_RECOMMENDER = "refresh-recommender"
    UPDATE_MODEL = "update-model"
    ATTRIBUTE = "attribute"


#: States in which a job has ended, for good.
ENDED = ("DONE", "FAILED", "STOPPED")


@dataclass(frozen=True)
class Job:
    """One job. `arn` is the resource that it moves; `payload` is what its handler needs (see the creating module)."""

    id: str
    kind: JobKind
    arn: str
    payload: Mapping[str, Any]
    state: str
    cancel_requested: bool


def enqueue(connection: sa.Connection, kind: JobKind, arn: str, payload: Mapping[str, Any] | None = None) -> str:
    """Write a QUEUED job in the caller's transaction; returns its id (a UUID)."""
    job_id = str(uuid.uuid4())
    now = now_ms()
    connection.execute(
        sa.insert(jobs).values(
            id=job_id,
            kind=kind.value,
            arn=arn,
            payload=dict(payload or {}),
            state="QUEUED",
            cancel_requested=False,
            created_at=now,
            updated_at=now,
        )
    )
    return job_id


def find(connection: sa.Connection, job_id: str, *, lock: bool = False) -> Job | None:
    """The job with this id, or None."""
    columns = (jobs.c.id, jobs.c.kind, jobs.c.arn, jobs.c.payload, jobs.c.state, jobs.c.cancel_requested)
    query = sa.select(*columns).where(jobs.c.id == job_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        return None
    return Job(row.id, JobKind(row.kind), row.arn, row.payload, row.state, row.cancel_requested)


def mark(connection: sa.Connection, job_id: str, state: str, reason: str | None = None) -> None:
    """Set a job's state, counting its beginnings."""
    changes: dict[str, Any] = {"state": state, "reason": reason, "updated_at": now_ms()}
    if state == "RUNNING":
        changes["attempts"] = jobs.c.attempts + 1
    connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(changes))


def abandon(connection: sa.Connection, arns: Collection[str]) -> None:
    """End the jobs of resources that are gone, so that none meets a new resource of the same name."""
    changes = {"state": "STOPPED", "reason": "The resource was deleted.", "updated_at": now_ms()}
    connection.execute(sa.update(jobs).where(jobs.c.arn.in_(arns), jobs.c.state.not_in(ENDED)).values(changes))


def request_stop(connection: sa.Connection, arn: str, *, at_once: bool) -> None:
    """Ask the jobs of a resource that have not ended to stop; `at_once` ends them as STOPPED here and now."""
    changes: dict[str, Any] = {"cancel_requested": True, "updated_at": now_ms()}
    if at_once:
        changes["state"] = "STOPPED"
    connection.execute(sa.update(jobs).where(jobs.c.arn == arn, jobs.c.state.not_in(ENDED)).values(changes))


def progress_of(connection: sa.Connection, arn: str) -> Mapping[str, Any] | None:
    """How far the newest running job of a resource is: `fraction` in [0, 1], `message`, `seconds_left`, `metrics`.

    None where no job runs or none has told anything.
    """
    query = sa.select(jobs.c.progress).where(jobs.c.arn == arn, jobs.c.state == "RUNNING")
    progress: Mapping[str, Any] | None = connection.execute(query.order_by(jobs.c.created_at.desc())).scalars().first()
    return progress
