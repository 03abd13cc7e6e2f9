"""Trains a version of semantic similarity: it learns from the texts of items, and needs no interactions."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from matinee.errors import DataProblem, JobFailed
from matinee.evaluation.beyond import coverage_interval
from matinee.evaluation.evaluate import asked_with_inputs, measure_lists, newest_item
from matinee.evaluation.intervals import over_cases
from matinee.evaluation.lists import make_lists
from matinee.evaluation.splits import personalize
from matinee.models.base import FitOptions, ItemFeatures, Progress
from matinee.models.semantic import Semantic, SemanticConfig
from matinee.recipes.recipe import Recipe
from matinee.training.artifact import write_artifact
from matinee.training.card import with_card
from matinee.training.catalogue import text_columns, with_catalogue, with_texts
from matinee.training.features import item_features
from matinee.training.manifest import LEAST_HOURS, about_training
from matinee.training.progress import PhasedProgress
from matinee.training.snapshot import Snapshot
from matinee.training.solution_version import TrainingOutcome

_FIT, _METRICS, _WRITE = "fit", "metrics", "write"


@with_card
def train_semantic(
    snapshot: Snapshot, recipe: Recipe, config: Mapping[str, Any], out: Path, options: FitOptions
) -> TrainingOutcome:
    """Train `recipe` on the texts of `snapshot` and write the artifact into `out`.

    Where there are interactions, the metrics ask with the newest item of held-out users: the model has seen none of
    anybody's. Raises `JobFailed` when the Items dataset has no name or no text column, or no text in them.
    """
    started = time.monotonic()
    columns = text_columns(snapshot, config)
    _check(snapshot, columns)
    snapshot = with_catalogue(snapshot)
    progress = PhasedProgress([(_FIT, 80.0), (_METRICS, 15.0), (_WRITE, 5.0)], options.on_progress)
    progress.start(_FIT, f"{recipe.name}: reading {len(snapshot.log.item_ids):,} texts")
    features = with_texts(item_features(snapshot, config), snapshot, config)
    model = _fitted(snapshot, features, progress.options(_FIT, options))
    progress.start(_METRICS, f"{recipe.name}: measuring")
    metrics, cases, intervals = _measured(snapshot, model, options.seed)
    options.raise_if_stopped()
    progress.start(_WRITE, f"{recipe.name}: writing the artifact")
    evaluation = {"protocol": "personalize", "cases": cases, "asked_with": "newest item", "intervals": intervals}
    manifest = write_artifact(
        out,
        model=model,
        log=snapshot.log,
        created=snapshot.created,
        manifest={
            **about_training(snapshot, recipe, options, metrics, evaluation=evaluation),
            "item_columns": list(columns),
        },
    )
    progress.report(_WRITE, Progress(1.0, f"{recipe.name}: trained", 0.0, metrics))
    hours = max(LEAST_HOURS, round((time.monotonic() - started) / 3600, 3))
    return TrainingOutcome(metrics=metrics, training_hours=hours, manifest=manifest)


def _fitted(snapshot: Snapshot, features: ItemFeatures | None, options: FitOptions) -> Semantic:
    if features is None or not any(features.texts):
        raise JobFailed("No item of the Items dataset has a text. Import items with values in the text columns.")
    folder = None if options.sentences is None else str(options.sentences)
    return Semantic(SemanticConfig(sentences=folder)).fit(snapshot.log.interactions, features, options)


def _measured(
    snapshot: Snapshot, model: Semantic, seed: int
) -> tuple[dict[str, float], int, dict[str, dict[str, float]]]:
    """The service's metrics, the number of cases, intervals; coverage alone where there are no users to ask with."""
    try:
        split = personalize(snapshot.log.interactions, seed)
        lists = make_lists(split, asked_with_inputs(split, newest_item(model)), exclude_seen=True)
    except DataProblem:
        return {"coverage": _reached(model)}, 0, {}
    result = measure_lists(split, lists)
    intervals = over_cases(result.user, result.per_case, split.log.n_users)
    intervals["coverage"] = coverage_interval(lists, result.user, lists.n_items).rounded()
    return result.personalize(), result.cases, intervals


def _reached(model: Semantic) -> float:
    """The share of items among the 25 nearest of any of up to 1,000 items."""
    some = np.flatnonzero(model.known)[:: max(1, model.n_items // 1000)]
    scores = model.score_related(some.astype(np.int32))
    listed = np.argsort(-scores, axis=1, kind="stable")[:, :25]
    return round(len(np.unique(listed)) / max(1, model.n_items), 4)


def _check(snapshot: Snapshot, columns: tuple[str, ...]) -> None:
    schema = snapshot.items_schema
    fields = [] if schema is None else [field for field in schema.fields if field.name in columns]
    if not any(field.item_name for field in fields) or not any(field.textual for field in fields):
        raise JobFailed(
            "Semantic similarity needs an Items dataset with one itemName column and one textual column. Add "
            '"itemName": true and "textual": true to string fields of the Items schema, and import the items.'
        )
