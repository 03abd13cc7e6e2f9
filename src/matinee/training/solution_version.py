"""Trains a solution version: measure on held-out users, fit what will be deployed, write the artifact."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import matinee
from matinee.data.interactions import FloatArray, Histories
from matinee.errors import DataProblem, JobFailed
from matinee.evaluation.beyond import coverage_interval
from matinee.evaluation.evaluate import Scorer, asked_with_inputs, measure_lists
from matinee.evaluation.intervals import over_cases
from matinee.evaluation.lists import make_lists
from matinee.evaluation.splits import Split, personalize
from matinee.evaluation.trends import TREND_ACCURACY, trend_accuracy
from matinee.models.base import FitOptions, Model, Progress
from matinee.models.transformer.config import REPEATS_ALLOWED
from matinee.models.transformer.model import repeat_share
from matinee.recipes.checks import cannot_train
from matinee.recipes.models import ModelPlan, plan_model
from matinee.recipes.recipe import Recipe
from matinee.training.artifact import write_artifact
from matinee.training.card import with_card
from matinee.training.catalogue import histories_of, with_catalogue, with_trained_columns
from matinee.training.fitting import Given
from matinee.training.progress import PhasedProgress
from matinee.training.selection import within_history_lengths
from matinee.training.snapshot import Snapshot

#: A model that is not cheap is fitted again on everybody up to this many events (docs/adr: refit).
REFIT_LIMIT = 500_000

_EVALUATION, _METRICS, _REFIT, _WRITE = "evaluation", "metrics", "refit", "write"
#: What `trainingHours` shows at least: it has 3 decimals, and no training takes no time.
_LEAST_HOURS = 0.001
_METRICS_FILE = "metrics.json"
_NOTHING = Given()


@dataclass(frozen=True)
class Evaluation:
    """The metrics of a plan, under the service's names, and how they were measured."""

    metrics: Mapping[str, float]
    cases: int
    seed: int
    exclude_seen: bool
    repeats: float
    intervals: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingOutcome:
    """What a training gives back: `metrics` for GetSolutionMetrics, `training_hours` to 3 decimals, the manifest."""

    metrics: Mapping[str, float]
    training_hours: float
    manifest: Mapping[str, Any]


@with_card
def train_version(
    snapshot: Snapshot,
    recipe: Recipe,
    solution_config: Mapping[str, Any],
    out: Path,
    options: FitOptions,
    *,
    search: Mapping[str, Any] | None = None,
) -> TrainingOutcome:
    """Train `recipe` on `snapshot` and write the artifact into the folder `out`.

    `solution_config` has the wire's members; `search` is what the manifest tells of the search that led to it. With
    `options.checkpoints`, the same training started again after a kill continues. Raises `JobFailed` with a reason for
    the user and `JobStopped` when asked to stop; `out` then holds no manifest.
    """
    started = time.monotonic()
    reason = cannot_train(recipe, {"solutionConfig": solution_config})
    if reason is not None:
        raise JobFailed(reason)
    plan = plan_model(recipe, solution_config)
    snapshot = with_trained_columns(snapshot, solution_config)
    if plan.whole_catalogue:
        snapshot = with_catalogue(snapshot)
    given = Given.of(snapshot, solution_config)
    options = _with_own_checkpoints(options, snapshot, plan, given)
    refit = plan.cheap or len(snapshot.log.interactions) <= REFIT_LIMIT
    progress = PhasedProgress(
        [(_EVALUATION, 45.0), (_METRICS, 5.0), (_REFIT, 45.0 if refit else 0.0), (_WRITE, 5.0)], options.on_progress
    )
    evaluation, model = _evaluate(snapshot, plan, given, options, progress, needs_model=not refit)
    evaluation = _with_trend(evaluation, snapshot, plan)
    if refit or model is None:
        progress.start(_REFIT, f"{recipe.name}: fitting on all users")
        data = within_history_lengths(snapshot.log.interactions, *plan.history_lengths)
        model = given.fit(plan, data, progress.options(_REFIT, options))
    options.raise_if_stopped()
    progress.start(_WRITE, f"{recipe.name}: writing the artifact")
    manifest = write_artifact(
        out,
        model=model,
        log=snapshot.log,
        created=snapshot.created,
        histories=histories_of(snapshot),
        manifest={
            **_manifest(snapshot, recipe, plan, evaluation, options, refit=refit),
            **given.describe(),
            "inputs": snapshot.inputs.as_dict(),
            **({} if search is None else {"search": dict(search)}),
        },
    )
    progress.report(_WRITE, Progress(1.0, f"{recipe.name}: trained", 0.0, evaluation.metrics))
    hours = max(_LEAST_HOURS, round((time.monotonic() - started) / 3600, 3))
    return TrainingOutcome(metrics=evaluation.metrics, training_hours=hours, manifest=manifest)


def _with_trend(evaluation: Evaluation, snapshot: Snapshot, plan: ModelPlan) -> Evaluation:
    """The evaluation, for trends with how well they are foreseen."""
    if plan.model != "trending":
        return evaluation
    accuracy = trend_accuracy(snapshot.log.interactions, int(plan.config["interval_seconds"]))
    return replace(evaluation, metrics={**evaluation.metrics, TREND_ACCURACY: round(accuracy, 4)})


def evaluate_plan(snapshot: Snapshot, plan: ModelPlan, options: FitOptions, given: Given = _NOTHING) -> Evaluation:
    """The metrics of a plan on a snapshot, as those of a version are measured; nothing is written but checkpoints."""
    progress = PhasedProgress([(_EVALUATION, 95.0), (_METRICS, 5.0)], options.on_progress)
    options = _with_own_checkpoints(options, snapshot, plan, given)
    return _evaluate(snapshot, plan, given, options, progress, needs_model=False)[0]


def _evaluate(
    snapshot: Snapshot,
    plan: ModelPlan,
    given: Given,
    options: FitOptions,
    progress: PhasedProgress,
    *,
    needs_model: bool,
) -> tuple[Evaluation, Model | None]:
    """Metrics on 10% of users after a fit on the others, and that fit unless an earlier run has left the metrics."""
    kept = None if options.checkpoints is None else options.checkpoints / _METRICS_FILE
    if kept is not None and kept.is_file() and not needs_model:
        return Evaluation(**json.loads(kept.read_text(encoding="utf-8"))), None
    data = snapshot.log.interactions
    split = personalize(data, options.seed)
    progress.start(_EVALUATION, f"{plan.model}: fitting on 90% of users")
    train = within_history_lengths(split.train, *plan.history_lengths)
    model = given.fit(plan, train, progress.options(_EVALUATION, options))
    evaluation = _measure(snapshot, given, split, _watched(model, split, options, progress), options.seed)
    if kept is not None:
        partial = kept.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(evaluation)), encoding="utf-8")
        partial.replace(kept)
    return evaluation, model


def _measure(snapshot: Snapshot, given: Given, split: Split, score: Scorer, seed: int) -> Evaluation:
    """The service's metrics; coverage counts the items of Interactions and Items together (spec 5.2)."""
    repeats = repeat_share(snapshot.log.interactions)
    exclude_seen = repeats <= REPEATS_ALLOWED
    try:
        lists = make_lists(split, asked_with_inputs(split, score), exclude_seen=exclude_seen)
    except DataProblem as problem:
        raise JobFailed(str(problem)) from problem
    result = measure_lists(split, lists)
    covered = result.metrics["coverage"] * split.log.n_items / max(1, snapshot.catalogue)
    more = given.per_case(split, lists)
    metrics = {**result.personalize(), "coverage": round(covered, 4)}
    metrics |= {name: round(float(values.mean()), 4) for name, values in more.items()}
    intervals = {
        **over_cases(result.user, {**result.per_case, **more}, split.log.n_users),
        "coverage": coverage_interval(lists, result.user, snapshot.catalogue).rounded(),
    }
    return Evaluation(metrics, result.cases, seed, exclude_seen, round(repeats, 4), intervals)


def _watched(model: Model, split: Split, options: FitOptions, progress: PhasedProgress) -> Scorer:
    """The model's `score`, with progress reported and a request to stop heard between batches."""
    done = 0

    def score(histories: Histories) -> FloatArray:
        nonlocal done
        options.raise_if_stopped()
        scores = model.score(histories)
        done += len(histories)
        progress.report(_METRICS, Progress(done / max(1, len(split)), f"{model.name}: measured {done} users"))
        return scores

    return score


def _with_own_checkpoints(options: FitOptions, snapshot: Snapshot, plan: ModelPlan, given: Given) -> FitOptions:
    """`options` with a checkpoint folder that belongs to this data, plan and seed alone: data may change before a
    restart, and what was learned from other data must not be continued."""
    if options.checkpoints is None:
        return options
    data = [snapshot.fingerprint, snapshot.catalogue, snapshot.selection.describe(), given.describe()]
    identity = [*data, asdict(plan), options.seed]
    name = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
    folder = options.checkpoints / name
    folder.mkdir(parents=True, exist_ok=True)
    return replace(options, checkpoints=folder)


def _manifest(
    snapshot: Snapshot, recipe: Recipe, plan: ModelPlan, evaluation: Evaluation, options: FitOptions, *, refit: bool
) -> dict[str, Any]:
    """What the manifest says beyond the model and the files."""
    return {
        "matinee": matinee.__version__,
        "recipe": recipe.arn,
        "seed": options.seed,
        "created": time.time_ns() // 1_000_000,
        "data": snapshot.summary(),
        "fitted_on": "all users" if refit else "90% of users",
        "metrics": dict(evaluation.metrics),
        "evaluation": {
            "protocol": "personalize",
            "cases": evaluation.cases,
            "seed": evaluation.seed,
            "asked_with": plan.asked_with,
            "repeats": evaluation.repeats,
            "exclude_seen": evaluation.exclude_seen,
            "intervals": evaluation.intervals,
        },
        "unused_parameters": list(plan.unused),
    }
