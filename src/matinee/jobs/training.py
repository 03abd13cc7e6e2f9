"""One training within a job: a snapshot of the data, the recipe's fit and metrics, an artifact in the job's scratch.

The training room is imported at the first training: a worker is ready before the numeric libraries are loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matinee.jobs.task import Task
from matinee.recipes.recipe import Recipe

if TYPE_CHECKING:
    from matinee.models.base import Progress
    from matinee.training.selection import Selection
    from matinee.training.snapshot import Snapshot
    from matinee.training.solution_version import TrainingOutcome

_SNAPSHOTS = 3


def train_recipe(
    task: Task, recipe: Recipe, request: Mapping[str, Any], *, number: int = 0, of: int = 1
) -> tuple[TrainingOutcome, Path]:
    """Train `recipe` on the data of now; returns its outcome and the folder that holds the artifact.

    `request` has the wire's members `datasetGroupArn`, `eventType` and `solutionConfig`. A training that was cut short
    goes on from its checkpoints. The job's progress is that of training `number` among `of`.
    """
    from matinee.models.base import FitOptions
    from matinee.training.selection import Selection
    from matinee.training.solution_version import train_version

    config: Mapping[str, Any] = request.get("solutionConfig") or {}
    snapshot = _snapshot(task, request["datasetGroupArn"], Selection.of(recipe, request))
    task.check()
    folder = task.scratch / f"artifact-{number}"
    options = FitOptions(
        threads=task.settings.threads,
        on_progress=lambda step: _report(task, step, number, of),
        should_stop=task.should_stop,
        checkpoints=task.scratch / "checkpoints",
    )
    return train_version(snapshot, recipe, config, folder, options), folder


def _snapshot(task: Task, group_arn: str, selection: Selection) -> Snapshot:
    """The data of now. A part that an import replaces while it is read makes it start over with the new parts."""
    from matinee.training.snapshot import take_snapshot

    for _ in range(_SNAPSHOTS - 1):
        try:
            return take_snapshot(task.database, task.objects, group_arn, selection)
        except FileNotFoundError:
            task.log.info("the data changed while they were read; reading again")
    return take_snapshot(task.database, task.objects, group_arn, selection)


def _report(task: Task, step: Progress, number: int, of: int) -> None:
    task.report((number + step.fraction) / of, step.message, step.seconds_left, step.metrics)
