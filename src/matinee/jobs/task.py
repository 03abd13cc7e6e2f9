"""What a handler is given (`Task`) and what it gives back (`Outcome`)."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog

from matinee.control import lifecycle, records
from matinee.control.outbox import Job
from matinee.control.records import Resource
from matinee.errors import JobFailed, JobStopped
from matinee.settings import Settings
from matinee.storage import metadata
from matinee.storage.metadata import Database
from matinee.storage.objects import ObjectStore

_REPORT_SECONDS = 0.5
_ASK_SECONDS = 1.0


def _pass_by(_: str) -> None:
    """Nothing happens at a point that is reached, outside tests of crashes."""


def _nothing(_: sa.Connection) -> Sequence[str]:
    """A handler whose work has no rows of its own and leaves no object behind."""
    return ()


@dataclass(frozen=True)
class Workshop:
    """What all handlers of a worker share. `reached` is told the points of a job as they come (`stored`, …)."""

    database: Database
    objects: ObjectStore
    settings: Settings
    reached: Callable[[str], None] = _pass_by

    @property
    def scratch(self) -> Path:
        """The folder of the jobs' working files, one folder for each job."""
        return self.settings.home / "scratch"


@dataclass(frozen=True)
class Outcome:
    """A job's work, done but not yet visible.

    `attributes` and `private` become the resource's (see `lifecycle.succeed`). `commit` writes the handler's own rows
    in the transaction that ends the job, and returns the keys of objects that nothing names any more after it.
    """

    attributes: Mapping[str, Any] = field(default_factory=dict)
    private: Mapping[str, Any] = field(default_factory=dict)
    commit: Callable[[sa.Connection], Sequence[str]] = _nothing


class Task:
    """One attempt at a job."""

    def __init__(self, workshop: Workshop, job: Job, attempt: int) -> None:
        self.workshop, self.job, self.attempt = workshop, job, attempt
        self.log = structlog.get_logger(__name__).bind(job=job.id, kind=job.kind.value, resource=job.arn)
        self._claims: list[str] = []
        self._reported = float("-inf")
        self._metrics: dict[str, float] = {}
        self._asked = float("-inf")
        self._stop = False

    @property
    def database(self) -> Database:
        """The metadata."""
        return self.workshop.database

    @property
    def objects(self) -> ObjectStore:
        """The object store."""
        return self.workshop.objects

    @property
    def settings(self) -> Settings:
        """The worker's settings."""
        return self.workshop.settings

    @property
    def scratch(self) -> Path:
        """A folder of this job's own. Attempts share it, so that a training can go on from its checkpoints."""
        folder = self.workshop.scratch / self.job.id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def resource(self, arn: str | None = None) -> Resource:
        """The resource with this ARN (default: the job's own). Raises `JobFailed` when it does not exist."""
        with self.database.read() as connection:
            found = records.find(connection, arn or self.job.arn)
        if found is None:
            raise JobFailed(f"{arn or self.job.arn} does not exist any more.")
        return found

    def claim(self, key: str) -> str:
        """Say that this job alone writes below `key`. What a dead attempt left there is removed now; what this
        attempt writes there is removed when it does not succeed. Returns `key`.
        """
        self._claims.append(key)
        self.objects.delete_prefix(key)
        return key

    def report(
        self,
        fraction: float,
        message: str,
        seconds_left: float | None = None,
        metrics: Mapping[str, float] | None = None,
    ) -> None:
        """Show the progress, `fraction` in [0, 1]; at most twice a second reaches the table and the log.

        Of each of `metrics` the newest value is kept: one that came with a report too many shows with the next.
        """
        self._metrics |= metrics or {}
        now = time.monotonic()
        if now - self._reported < _REPORT_SECONDS:
            return
        self._reported = now
        shown = {"fraction": round(fraction, 4), "message": message, "seconds_left": seconds_left}
        with self.database.transaction() as connection:
            connection.execute(
                sa.update(metadata.jobs)
                .where(metadata.jobs.c.id == self.job.id, metadata.jobs.c.attempts == self.attempt)
                .values(progress={**shown, "metrics": dict(self._metrics)})
            )
        self.log.info("progress", **shown, **self._metrics)

    def should_stop(self) -> bool:
        """Whether the job was asked to stop or belongs to another attempt by now; asks the table once a second."""
        now = time.monotonic()
        if not self._stop and now - self._asked >= _ASK_SECONDS:
            self._asked = now
            with self.database.read() as connection:
                self._stop = lifecycle.stop_requested(connection, self.job) or not self.current(connection)
        return self._stop

    def check(self) -> None:
        """Raise `JobStopped` when the job should stop."""
        if self.should_stop():
            raise JobStopped(f"The job of {self.job.arn} was asked to stop.")

    def reached(self, point: str) -> None:
        """Tell that a point of the work is reached."""
        self.workshop.reached(f"{self.job.kind.value}.{point}")

    def current(self, connection: sa.Connection, *, lock: bool = False) -> bool:
        """Whether this is still the job's newest attempt: another worker may have taken it over as orphaned."""
        query = sa.select(metadata.jobs.c.attempts).where(metadata.jobs.c.id == self.job.id)
        return connection.scalar(query.with_for_update() if lock else query) == self.attempt

    def discard(self) -> None:
        """Remove what this attempt wrote below its claims."""
        for key in self._claims:
            self.objects.delete_prefix(key)

    def tidy(self) -> None:
        """Remove the working files, at the end of the job."""
        shutil.rmtree(self.workshop.scratch / self.job.id, ignore_errors=True)


Handler = Callable[[Task], Outcome]
