"""Deleting a resource: rows first, in one transaction, then the objects that nothing names any more."""

from __future__ import annotations

from matinee.control import lifecycle
from matinee.jobs.task import Outcome, Task


def delete(task: Task) -> Outcome:
    """The objects are listed before the rows go, and by name: a resource made anew under the same ARN right after
    keeps its own. A crash in between leaves objects without rows; the sweep at the worker's start removes those.
    """
    with task.database.read() as connection:
        belongings = lifecycle.belongings(connection, task.job.arn)
    keys = tuple(stored.key for place in belongings for stored in task.objects.list(place))
    return Outcome(commit=lambda _: keys)
