"""Data deletion: everything that a dataset group holds about the listed users goes, store by store. Spec 3.8."""

from __future__ import annotations

from matinee.cloud.personalize_requests import reading
from matinee.cloud.role_checks import check_role
from matinee.control import records
from matinee.errors import DataProblem
from matinee.jobs.erasure.artifacts import await_trainings, erase_from_artifacts
from matinee.jobs.erasure.parts import erase_from_parts
from matinee.jobs.erasure.rows import erase_late_answers, erase_rows
from matinee.jobs.erasure.steps import clear, removed_so_far
from matinee.jobs.erasure.user_list import read_users
from matinee.jobs.sizes import check_bytes
from matinee.jobs.task import Outcome, Task
from matinee.storage.locations import SourceFile, list_sources

_WITH_USERS = ("INTERACTIONS", "USERS", "ACTION_INTERACTIONS")


def data_deletion(task: Task) -> Outcome:
    """Delete the users' events, records and imported rows, then the histories that trained models keep of them.

    Every step is a transaction of its own: an attempt after a kill finds the rest and counts on. What is streamed or
    imported after the job began is new data and stays.
    """
    clear(task)  # what a dead attempt was about to delete
    group_arn = task.job.payload["datasetGroupArn"]
    users = read_users(_sources(task))
    task.reached("read")
    with task.database.read() as connection:
        rows = records.children(connection, group_arn, "dataset")
    datasets = {row["datasetType"]: row.arn for row in rows if row["datasetType"] in _WITH_USERS}
    sessions = erase_rows(task, group_arn, datasets.get("USERS"), users)
    task.reached("rows-erased")
    erase_from_parts(task, list(datasets.values()), users)
    await_trainings(task, group_arn)
    erase_from_artifacts(task, group_arn, users)
    erase_late_answers(task, group_arn, sessions.union(users))
    task.database.wipe_log()
    with task.database.read() as connection:
        removed = removed_so_far(task, connection)
    return Outcome(attributes={"numDeleted": removed})


def _sources(task: Task) -> list[SourceFile]:
    """The CSV files at the location and in the folders below it; the role must reach them."""
    location = task.job.payload["dataLocation"]
    found = list_sources(location, roots=task.settings.file_roots, deep=True)
    sources = [source for source in found if source.name.lower().endswith(".csv")]
    if not sources:
        raise DataProblem(
            "Invalid Data location.", file=location, fix="No .csv file is there; files of other names are not read."
        )
    uses = reading(location, [source.name for source in sources])
    check_role(task.settings, task.job.payload.get("roleArn"), task.job.arn, uses)
    check_bytes(sources, task.settings, "data-deletion-bytes", "a data deletion")
    return sources
