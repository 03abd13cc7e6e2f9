"""Training a solution version: a snapshot of the data, the recipe's fit and metrics, the artifact stored as a whole.

The training room is imported at the first training: a worker is ready before the numeric libraries are loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matinee.jobs.task import Outcome, Task
from matinee.recipes import catalogue
from matinee.recipes.recipe import Recipe
from matinee.storage.objects import put_folder

if TYPE_CHECKING:
    from matinee.models.base import Progress
    from matinee.training.selection import Selection
    from matinee.training.snapshot import Snapshot
    from matinee.training.solution_version import TrainingOutcome

#: The metric by which AutoML chooses among its recipes.
_DECIDES = "normalized_discounted_cumulative_gain_at_25"
_SNAPSHOTS = 3


def train(task: Task) -> Outcome:
    """Train what the version asks for. A training that was cut short goes on from its checkpoints.

    With several recipes (AutoML) each is trained, and the one with the best metric is kept.
    """
    payload = task.job.payload
    prefix = task.claim(payload["artifact"])
    recipes = [catalogue.find(arn) for arn in payload["recipes"]]
    trained = [(recipe, *_train(task, recipe, number, len(recipes))) for number, recipe in enumerate(recipes)]
    task.reached("fitted")
    recipe, outcome, folder = max(trained, key=lambda one: one[1].metrics.get(_DECIDES, 0.0))
    put_folder(task.objects, prefix, folder)
    task.reached("stored")
    attributes: dict[str, Any] = {"trainingHours": round(sum(one[1].training_hours for one in trained), 3)}
    if len(recipes) > 1:
        attributes["recipeArn"] = recipe.arn
    return Outcome(attributes=attributes, private={"artifact": prefix, "metrics": dict(outcome.metrics)})


def _train(task: Task, recipe: Recipe, number: int, of: int) -> tuple[TrainingOutcome, Path]:
    from matinee.models.base import FitOptions
    from matinee.training.selection import Selection
    from matinee.training.solution_version import train_version

    payload = task.job.payload
    config: Mapping[str, Any] = payload.get("solutionConfig") or {}
    snapshot = _snapshot(task, Selection.of(recipe, payload))
    task.check()
    folder = task.scratch / f"artifact-{number}"
    options = FitOptions(
        threads=task.settings.threads,
        on_progress=lambda step: _report(task, step, number, of),
        should_stop=task.should_stop,
        checkpoints=task.scratch / "checkpoints",
    )
    return train_version(snapshot, recipe, config, folder, options), folder


def _snapshot(task: Task, selection: Selection) -> Snapshot:
    """The data of now. A part that an import replaces while it is read makes it start over with the new parts."""
    from matinee.training.snapshot import take_snapshot

    for _ in range(_SNAPSHOTS - 1):
        try:
            return take_snapshot(task.database, task.objects, task.job.payload["datasetGroupArn"], selection)
        except FileNotFoundError:
            task.log.info("the data changed while they were read; reading again")
    return take_snapshot(task.database, task.objects, task.job.payload["datasetGroupArn"], selection)


def _report(task: Task, step: Progress, number: int, of: int) -> None:
    task.report((number + step.fraction) / of, step.message, step.seconds_left, step.metrics)
