"""Trains versions that make user segments: item-affinity and item-attribute-affinity."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from matinee.data.interactions import FloatArray, Histories, Interactions, LongArray
from matinee.data.schemas import Schema
from matinee.errors import JobFailed
from matinee.evaluation.user_segments import SegmentResult, measure_segments, split_users
from matinee.models.affinity import Affinity, AffinityConfig
from matinee.models.base import FitOptions, Progress
from matinee.models.transformer.config import REPEATS_ALLOWED
from matinee.recipes.recipe import ITEMS, Place, Recipe
from matinee.training.artifact import write_artifact
from matinee.training.card import with_card
from matinee.training.manifest import LEAST_HOURS, about_training
from matinee.training.progress import PhasedProgress
from matinee.training.snapshot import Snapshot
from matinee.training.solution_version import TrainingOutcome

_NOTHING_TO_TRAIN_ON = (
    "Did not find any attribute to train on. There may not be any attribute in the items dataset, or all attribute "
    "values either have same or all distinct values."
)
#: Queries that are measured at most, chosen by the seed.
_MOST_QUERIES = 5_000
_USERS_AT_ONCE = 1024
_EVALUATION, _METRICS, _REFIT, _WRITE = "evaluation", "metrics", "refit", "write"


@with_card
def train_affinity(
    snapshot: Snapshot, recipe: Recipe, config: Mapping[str, Any], out: Path, options: FitOptions
) -> TrainingOutcome:
    """Train `recipe` on `snapshot` and write the artifact into `out`.

    Measured on each user's newest 20% of events after a fit on the rest (spec 5.1), then fitted on all. Raises
    `JobFailed`, in the service's words where they are known, when there is nothing to learn from.
    """
    started = time.monotonic()
    data = snapshot.log.interactions
    if data.timestamp.min() == data.timestamp.max():
        raise JobFailed("All timestamps of the interactions are equal, so that none is newer than another.")
    queries = _queries(snapshot, recipe, options.seed)
    progress = PhasedProgress(
        [(_EVALUATION, 30.0), (_METRICS, 35.0), (_REFIT, 30.0), (_WRITE, 5.0)], options.on_progress
    )
    repeats = 1 - len(np.unique(data.user.astype(np.int64) * data.n_items + data.item)) / len(data)
    settings = AffinityConfig(repeats=repeats > REPEATS_ALLOWED)
    learned, asked = split_users(data)
    progress.start(_EVALUATION, f"{recipe.name}: fitting on the older events of each user")
    model = Affinity(settings).fit(learned, None, progress.options(_EVALUATION, options))
    progress.start(_METRICS, f"{recipe.name}: measuring")
    result = measure(model, queries, learned, asked, options)
    progress.start(_REFIT, f"{recipe.name}: fitting on all events")
    model = Affinity(settings).fit(data, None, progress.options(_REFIT, options))
    options.raise_if_stopped()
    progress.start(_WRITE, f"{recipe.name}: writing the artifact")
    metrics = result.metrics()
    unused = sorted(config.get(Place.ALGORITHM) or {})
    evaluation = {
        "protocol": "segments",
        "cases": len(result.hits),
        "repeats": round(repeats, 4),
        "intervals": result.intervals(),
    }
    manifest = write_artifact(
        out,
        model=model,
        log=snapshot.log,
        created=snapshot.created,
        manifest=about_training(snapshot, recipe, options, metrics, evaluation=evaluation, unused=unused),
    )
    progress.report(_WRITE, Progress(1.0, f"{recipe.name}: trained", 0.0, metrics))
    hours = max(LEAST_HOURS, round((time.monotonic() - started) / 3600, 3))
    return TrainingOutcome(metrics=metrics, training_hours=hours, manifest=manifest)


def measure(
    model: Affinity, queries: Sequence[LongArray], learned: Interactions, asked: Interactions, options: FitOptions
) -> SegmentResult:
    """The metrics of a model that was fitted on `learned`, for queries of items (each (k,))."""
    return measure_segments(
        queries, _scores(model, queries, learned, options), learned, asked, repeats=model.config.repeats
    )


def _scores(
    model: Affinity, queries: Sequence[LongArray], learned: Interactions, options: FitOptions
) -> Iterator[FloatArray]:
    """Every user's score (n_users,) query by query; histories are read once for a whole block of queries."""
    everyone = learned.histories()
    blocks = [
        everyone.take(np.arange(begin, min(begin + _USERS_AT_ONCE, learned.n_users)))
        for begin in range(0, learned.n_users, _USERS_AT_ONCE)
    ]
    singles = all(len(items) == 1 for items in queries)
    step = max(1, 2**22 // max(1, learned.n_users))
    for begin in range(0, len(queries), step):
        options.raise_if_stopped()
        some = queries[begin : begin + step]
        yield from np.concatenate([_block(model, block, some, singles=singles) for block in blocks]).T


def _block(model: Affinity, users: Histories, queries: Sequence[LongArray], *, singles: bool) -> FloatArray:
    """Scores (users, queries)."""
    if singles:
        return model.each(users, np.concatenate(queries))
    return np.stack([model.drawn(users, items) for items in queries], axis=1)


def _queries(snapshot: Snapshot, recipe: Recipe, seed: int) -> list[LongArray]:
    """What the metrics ask for: each item by itself, or the items of each value of each attribute."""
    if ITEMS not in recipe.datasets:
        found = [np.array([item]) for item in range(snapshot.log.interactions.n_items)]
    else:
        found = _by_attribute(snapshot)
    chosen = np.random.default_rng(seed).permutation(len(found))[:_MOST_QUERIES]
    return [found[at] for at in np.sort(chosen)]


def _by_attribute(snapshot: Snapshot) -> list[LongArray]:
    """The items of each category. Raises `JobFailed` when no column tells some items from others."""
    numbers = pl.DataFrame({"ITEM_ID": snapshot.log.item_ids}, schema={"ITEM_ID": pl.String()}).with_row_index("item")
    known = snapshot.items.join(numbers, on="ITEM_ID")
    queries: list[LongArray] = []
    for name in usable_columns(snapshot.items, snapshot.items_schema):
        parts = known.select("item", part=pl.col(name).cast(pl.String).str.split("|")).explode("part").drop_nulls()
        grouped = parts.group_by("part").agg(pl.col("item")).sort("part")
        queries += [items.to_numpy().astype(np.int64) for items in grouped["item"]]
    if not queries:
        raise JobFailed(_NOTHING_TO_TRAIN_ON)
    return queries


def usable_columns(items: pl.DataFrame, schema: Schema | None) -> list[str]:
    """The categorical columns whose values are neither all the same nor all distinct."""
    found = []
    for field in schema.fields if schema is not None else ():
        if field.categorical and field.name in items.columns:
            values = items[field.name].drop_nulls()
            if 1 < values.n_unique() < len(values):
                found.append(field.name)
    return found
