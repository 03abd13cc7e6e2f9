"""The two-hourly update of a deployed model: another artifact, with new items and events, in the place of the old."""

from __future__ import annotations

from collections.abc import Sequence

from matinee.errors import JobStopped
from matinee.jobs.task import Outcome, Task
from matinee.jobs.training import update_recipe
from matinee.recipes import catalogue
from matinee.storage.objects import put_folder


def update_model(task: Task) -> Outcome:
    """Bring the ACTIVE version or recommender of the job up to date; what Describe shows stays."""
    payload = task.job.payload
    resource = task.resource()
    if resource.status != "ACTIVE":
        raise JobStopped(f"{task.job.arn} is not ACTIVE any more.")
    old = str(resource.private["artifact"])
    prefix = task.claim(payload["artifact"])
    _, folder = update_recipe(task, catalogue.find(payload["recipeArn"]), payload, old)
    task.reached("updated")
    put_folder(task.objects, prefix, folder)
    task.reached("stored")
    old_keys = _keys_below(task, old, prefix)
    return Outcome(private={"artifact": prefix}, commit=lambda _: old_keys)


def _keys_below(task: Task, prefix: str, without: str) -> Sequence[str]:
    """The objects of the old artifact; the new one of a version lies in the same folder."""
    return [stored.key for stored in task.objects.list(prefix) if not stored.key.startswith(f"{without}/")]
