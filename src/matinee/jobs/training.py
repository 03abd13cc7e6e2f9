"""One training within a job: a snapshot of the data, the recipe's fit and metrics, an artifact in the job's scratch.

The training room is imported at the first training: a worker is ready before the numeric libraries are loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matinee.errors import JobFailed
from matinee.jobs.task import Task
from matinee.recipes.recipe import Method, Recipe

if TYPE_CHECKING:
    from matinee.models.base import FitOptions, Progress
    from matinee.training.caps import Caps
    from matinee.training.searching import Found
    from matinee.training.selection import Selection
    from matinee.training.snapshot import Snapshot
    from matinee.training.solution_version import TrainingOutcome

_SNAPSHOTS = 3


def train_best_recipe(task: Task, recipes: Sequence[Recipe], request: Mapping[str, Any]) -> tuple[Found, Path]:
    """Train the best of `recipes` (AutoML) with the best parameters (`performHPO`) on the data of now.

    `request` is as for `train_recipe`, with `performAutoML` and `performHPO`. A search that was cut short goes on.
    """
    from matinee.training.searching import train_best

    folder, options = task.scratch / "artifact", _options(task)
    snapshot = _snapshot(task, request, recipes[0])
    return train_best(snapshot, recipes, request, folder, options, parallel=task.settings.tuning_parallel), folder


def train_recipe(task: Task, recipe: Recipe, request: Mapping[str, Any]) -> tuple[TrainingOutcome, Path]:
    """Train `recipe` on the data of now; returns its outcome and the folder that holds the artifact.

    `request` has the wire's members `datasetGroupArn`, `eventType` and `solutionConfig`. A training that was cut short
    goes on from its checkpoints.
    """
    from matinee.training.solution_version import train_version

    config: Mapping[str, Any] = request.get("solutionConfig") or {}
    folder, options = task.scratch / "artifact", _options(task)
    snapshot = _snapshot(task, request, recipe)
    if recipe.method is Method.AFFINITY:
        from matinee.training.affinity_version import train_affinity

        return train_affinity(snapshot, recipe, config, folder, options), folder
    if recipe.method is Method.SEMANTICS:
        from matinee.training.semantic_version import train_semantic

        return train_semantic(snapshot, recipe, config, folder, options), folder
    if recipe.method is Method.ACTIONS:
        from matinee.training.action_data import take_action_data
        from matinee.training.action_version import train_actions

        actions = take_action_data(task.database, task.objects, request["datasetGroupArn"])
        return train_actions(snapshot, actions, recipe, config, folder, options), folder
    return train_version(snapshot, recipe, config, folder, options), folder


def update_recipe(task: Task, recipe: Recipe, request: Mapping[str, Any], source: str) -> tuple[TrainingOutcome, Path]:
    """The model under the key prefix `source`, brought up to date with the data of now; as `train_recipe`.

    Of a recommender, `request` has `recommenderConfig`.
    """
    from matinee.training.artifact import Artifact
    from matinee.training.update import update_version

    config = request.get("solutionConfig") or request.get("recommenderConfig") or {}
    snapshot = _snapshot(task, request, recipe)
    folder = task.scratch / "artifact"
    artifact = Artifact.open(task.objects.local(source), verify=False)
    return update_version(artifact, snapshot, recipe, config, folder, _options(task)), folder


def _options(task: Task) -> FitOptions:
    """What a fit is given by its job; raises `JobFailed` when there is no such device as the settings name."""
    from matinee.models.base import FitOptions
    from matinee.models.transformer.device import missing_device

    settings = task.settings
    reason = missing_device(settings.device)
    if reason is not None:
        raise JobFailed(
            f"MATINEE_DEVICE names {settings.device!r}, where this worker cannot train: {reason}. "
            "Set it to cpu, or to a device that the worker's machine has, and train again."
        )
    return FitOptions(
        threads=settings.threads,
        device=settings.device,
        bfloat16=settings.bfloat16,
        compiled=settings.compiled,
        on_progress=lambda step: _report(task, step),
        should_stop=task.should_stop,
        checkpoints=task.scratch / "checkpoints",
        sentences=settings.sentence_model,
    )


def _snapshot(task: Task, request: Mapping[str, Any], recipe: Recipe) -> Snapshot:
    """The data of now that `recipe` trains on, unless the job is to stop."""
    from matinee.training.caps import Caps
    from matinee.training.selection import Selection

    caps = Caps.of(recipe, task.settings)
    snapshot = _taken(task, request["datasetGroupArn"], Selection.of(recipe, request), caps)
    task.check()
    return snapshot


def _taken(task: Task, group_arn: str, selection: Selection, caps: Caps) -> Snapshot:
    """A snapshot. A part that an import replaces while it is read makes it start over with the new parts."""
    from matinee.training.snapshot import take_snapshot

    for _ in range(_SNAPSHOTS - 1):
        try:
            return take_snapshot(task.database, task.objects, group_arn, selection, caps)
        except FileNotFoundError:
            task.log.info("the data changed while they were read; reading again")
    return take_snapshot(task.database, task.objects, group_arn, selection, caps)


def _report(task: Task, step: Progress) -> None:
    task.report(step.fraction, step.message, step.seconds_left, step.metrics)
