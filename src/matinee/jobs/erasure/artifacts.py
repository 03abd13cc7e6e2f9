"""Deleting users from trained models: what a model learned stays until it is trained again, their histories do not."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Collection, Sequence

import sqlalchemy as sa

from matinee.control import places, records
from matinee.control.outbox import ENDED, JobKind
from matinee.control.records import Resource
from matinee.errors import StorageProblem
from matinee.jobs.erasure.steps import clear, note, step
from matinee.jobs.task import Task
from matinee.storage.metadata import jobs, resources
from matinee.storage.objects import put_folder

_TRAINS = (
    JobKind.TRAIN,
    JobKind.RECOMMENDER,
    JobKind.RETRAIN_RECOMMENDER,
    JobKind.REFRESH_RECOMMENDER,
    JobKind.UPDATE_MODEL,
)
_LOOK_SECONDS = 0.5


def await_trainings(task: Task, group_arn: str) -> None:
    """Wait for the trainings of the group that run now: they may have read the data before the users were deleted.

    Trainings have a queue of their own, so that none of them waits for this job.
    """
    query = sa.select(jobs.c.id, jobs.c.payload).where(jobs.c.state == "RUNNING", jobs.c.kind.in_(_TRAINS))
    with task.database.read() as connection:
        running = [row.id for row in connection.execute(query) if row.payload.get("datasetGroupArn") == group_arn]
    left = sa.select(sa.func.count()).where(jobs.c.id.in_(running), jobs.c.state.not_in(ENDED))
    while running:
        task.check()
        with task.database.read() as connection:
            if connection.scalar(left) == 0:
                return
        task.report(0.9, "Waiting for a training that began before the users were deleted")
        threading.Event().wait(_LOOK_SECONDS)


def erase_from_artifacts(task: Task, group_arn: str, users: Collection[str]) -> None:
    """Replace the artifacts of the group's solution versions and recommenders that hold the users' histories."""
    with task.database.read() as connection:
        kinds = resources.c.kind.in_(("solution-version", "recommender"))
        rows = connection.execute(sa.select(resources.c.arn, resources.c.attributes).where(kinds)).all()
    for arn in [row.arn for row in rows if row.attributes.get("datasetGroupArn") == group_arn]:
        task.check()
        task.report(0.95, "Rewriting the histories that models keep")
        while not _is_clean(task, arn, users):
            clear(task)


def _is_clean(task: Task, arn: str, users: Collection[str]) -> bool:
    """Whether the artifact of a version or recommender has none of the users; if not, another one is tried for it."""
    from matinee.training.artifact import Artifact, write_without_users  # loads the numeric libraries

    with task.database.read() as connection:
        resource = records.find(connection, arn)
    prefix = None if resource is None else resource.private.get("artifact")
    if resource is None or prefix is None:
        return True
    try:
        source = task.objects.local(prefix)
        artifact = Artifact.open(source, verify=False)
        held = {user for user in users if user in artifact.user_ids}
        if not held:
            return True
        folder = task.scratch / "artifact"
        shutil.rmtree(folder, ignore_errors=True)
        write_without_users(source, folder, held)
        new = f"{_home(resource)}/{task.job.id}"
        task.objects.delete_prefix(new)
        put_folder(task.objects, new, folder)
    except (StorageProblem, FileNotFoundError):
        with task.database.read() as connection:
            now = records.find(connection, arn)
        if now is not None and now.private.get("artifact") == prefix:
            raise  # it is missing, not replaced by a training or deleted
        return False
    task.reached("artifact-stored")
    _swap(task, arn, prefix, new)
    task.reached("artifact-swapped")
    return False


def _swap(task: Task, arn: str, old: str, new: str) -> None:
    """Name the new artifact in the place of the old one, unless a training was faster."""
    old_keys = _keys_below(task, old, new)
    with step(task) as connection:
        resource = records.find(connection, arn, lock=True)
        if resource is None or resource.private.get("artifact") != old:
            note(connection, task, 0, [new])
            return
        private = {**resource.private, "artifact": new}
        # The resource did not change for its owner: its last update stays.
        connection.execute(sa.update(resources).where(resources.c.seq == resource.seq).values(private=private))
        note(connection, task, 0, old_keys)


def _keys_below(task: Task, prefix: str, without: str) -> Sequence[str]:
    """The objects of an artifact; the new one of a version lies in the same folder."""
    return [stored.key for stored in task.objects.list(prefix) if not stored.key.startswith(f"{without}/")]


def _home(resource: Resource) -> str:
    """The folder of everything that belongs to the resource, so that it goes with it."""
    (folder,) = places.prefixes(resource)
    return folder
