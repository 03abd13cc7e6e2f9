"""Sweeping up after crashes, when a worker starts: objects that nothing names and working files of ended jobs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import PurePosixPath

import sqlalchemy as sa
import structlog

from matinee.control.outbox import ENDED
from matinee.jobs.task import Workshop
from matinee.storage.metadata import dataset_parts, jobs, resources

log = structlog.get_logger(__name__)


def sweep(workshop: Workshop) -> list[str]:
    """Remove what is left of jobs that have ended or are unknown; returns the keys of the objects removed.

    What a job that has not ended wrote is left alone: it may be being written by another worker, and the next attempt
    removes it anyway.
    """
    workshop.objects.sweep()
    removed = [*_orphaned_parts(workshop), *_orphaned_artifacts(workshop), *_orphaned_models(workshop)]
    for key in removed:
        workshop.objects.delete_prefix(key)
    if removed:
        log.info("removed objects that nothing names", keys=removed)
    _sweep_scratch(workshop)
    return removed


def _orphaned_parts(workshop: Workshop) -> Iterator[str]:
    """Parquet parts are called after the job that wrote them; a job that wrote several numbers them."""
    for stored in workshop.objects.list("datasets"):
        with workshop.database.read() as connection:
            named = connection.scalar(sa.select(dataset_parts.c.seq).where(dataset_parts.c.object_key == stored.key))
            if named is None and _ended(connection, PurePosixPath(stored.key).stem.split(".")[0]):
                yield stored.key


def _orphaned_artifacts(workshop: Workshop) -> Iterator[str]:
    """An artifact is needed while its solution version exists and has not failed."""
    folders = {"/".join(stored.key.split("/")[:5]) for stored in workshop.objects.list("artifacts")}
    for folder in sorted(folders):
        _, account, region, solution, version = folder.split("/")
        arn = f"arn:aws:personalize:{region}:{account}:solution/{solution}/{version}"
        with workshop.database.read() as connection:
            found = connection.execute(sa.select(resources.c.status).where(resources.c.arn == arn)).one_or_none()
        if found is None or found.status in ("CREATE FAILED", "CREATE STOPPED"):
            yield folder


def _orphaned_models(workshop: Workshop) -> Iterator[str]:
    """A recommender's model is needed while its row names it, or while the job that writes it has not ended."""
    folders = {"/".join(stored.key.split("/")[:5]) for stored in workshop.objects.list("recommenders")}
    for folder in sorted(folders):
        _, account, region, name, _ = folder.split("/")
        arn = f"arn:aws:personalize:{region}:{account}:recommender/{name}"
        with workshop.database.read() as connection:
            found = connection.execute(sa.select(resources.c.private).where(resources.c.arn == arn)).one_or_none()
            busy = sa.select(jobs.c.payload).where(jobs.c.arn == arn, jobs.c.state.not_in(ENDED))
            written = {payload.get("artifact") for payload in connection.scalars(busy)}
            # The deletion of users writes one under its own id.
            busy_erasing = not _ended(connection, folder.rpartition("/")[2])
        if busy_erasing or folder in written:
            continue
        if found is None or found.private.get("artifact") != folder:
            yield folder


def _sweep_scratch(workshop: Workshop) -> None:
    if not workshop.scratch.is_dir():
        return
    for folder in workshop.scratch.iterdir():
        with workshop.database.read() as connection:
            ended = _ended(connection, folder.name)
        if ended:
            shutil.rmtree(folder, ignore_errors=True)


def _ended(connection: sa.Connection, job_id: str) -> bool:
    state = connection.scalar(sa.select(jobs.c.state).where(jobs.c.id == job_id))
    return state is None or state in ENDED
