"""Brings a trained version up to date in seconds: new items and events are taken in, what was learned stays."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import matinee
from matinee.data.interactions import InteractionLog, Interactions
from matinee.data.log import creation_timestamps
from matinee.models.adjusted import Adjusted
from matinee.models.base import FitOptions, Model, Progress
from matinee.models.blend import Blend
from matinee.models.likeness import new_item_neighbours
from matinee.recipes.recipe import Recipe
from matinee.training.artifact import Artifact, write_artifact
from matinee.training.card import CARD
from matinee.training.features import as_matrix, item_features, trained_columns
from matinee.training.manifest import LEAST_HOURS
from matinee.training.objective import Objective, bonus
from matinee.training.snapshot import Snapshot
from matinee.training.solution_version import TrainingOutcome


@dataclass(frozen=True)
class _Base:
    """What a training learned, without what updates added since: the model knows the first of the artifact's items."""

    model: Model
    item_ids: tuple[str, ...]
    strength: float
    seen_last: bool


def update_version(
    source: Artifact,
    snapshot: Snapshot,
    recipe: Recipe,
    solution_config: Mapping[str, Any],
    out: Path,
    options: FitOptions,
) -> TrainingOutcome:
    """Write into `out` the artifact in `source` with the items and events of `snapshot`; nothing is learned anew.

    New items, from events or records, score as what they are like in their metadata and their users. Histories,
    popularity, dates and the objective are those of the snapshot. The metrics are the source's. An item that the
    snapshot no longer has keeps its place. The source may itself be the result of an update.
    """
    started = time.monotonic()
    options.raise_if_stopped()
    base = _base(source)
    log = _log(base.item_ids, snapshot)
    options.on_progress(Progress(0.3, f"{recipe.name}: {len(log.item_ids) - len(base.item_ids)} new items"))
    model = _updated(base, log, snapshot, solution_config, options.portion(0.3, 0.9))
    options.raise_if_stopped()
    manifest = write_artifact(
        out,
        model=model,
        log=log,
        created=creation_timestamps(log, snapshot.items),
        manifest=_manifest(source, snapshot, solution_config, new=len(log.item_ids) - len(base.item_ids)),
    )
    if (source.folder / CARD).is_file():  # it tells of the training, which this is none
        shutil.copyfile(source.folder / CARD, out / CARD)
    metrics: Mapping[str, float] = manifest["metrics"]
    options.on_progress(Progress(1.0, f"{recipe.name}: brought up to date", 0.0, metrics))
    return TrainingOutcome(metrics, max(LEAST_HOURS, round((time.monotonic() - started) / 3600, 3)), manifest)


def _base(source: Artifact) -> _Base:
    """The model is loaded anew: the one of `source` may be answering at this moment."""
    entry = source.manifest["model"]
    model = Artifact(source.folder, source.manifest).model
    ids = tuple(source.item_ids)
    if not isinstance(model, Adjusted):
        return _Base(model, ids, 0.0, seen_last=False)
    strength = float(entry["config"]["strength"])
    return _Base(model.base, ids[: model.base.n_items], strength, seen_last=model.seen_last)


def _log(item_ids: tuple[str, ...], snapshot: Snapshot) -> InteractionLog:
    """The snapshot's log with the base's items first and under their numbers, then the new ones in order of ID."""
    found = snapshot.log
    new = sorted(set(found.item_ids).union(snapshot.items["ITEM_ID"]).difference(item_ids))
    place = {one: number for number, one in enumerate((*item_ids, *new))}
    numbers = np.array([place[one] for one in found.item_ids], np.int32)
    data = replace(found.interactions, item=numbers[found.interactions.item], n_items=len(place))
    return replace(found, interactions=data, item_ids=(*item_ids, *new))


def _updated(
    base: _Base, log: InteractionLog, snapshot: Snapshot, solution_config: Mapping[str, Any], options: FitOptions
) -> Adjusted:
    n_base = len(base.item_ids)
    _refresh_popularity(base.model, log.interactions, n_base)
    features = as_matrix(item_features(snapshot, solution_config, log), len(log.item_ids))
    objective = Objective.of(solution_config)
    wanted = None if objective is None or not base.strength else bonus(objective.values(log.item_ids, snapshot.items))
    return Adjusted.of(
        base.model,
        bonus=wanted,
        strength=base.strength,
        neighbours=new_item_neighbours(features, log.interactions, base.model.known[:n_base], options),
        seen_last=base.seen_last,
    )


def _refresh_popularity(model: Model, data: Interactions, n_base: int) -> None:
    """Count the users of the base's items again, and its events of the last days, where the model counts them."""
    known = data.select(data.item < n_base)
    if not isinstance(model, Blend) or not len(known):
        return
    for part in model.parts.values():
        if not part.personal:
            part.fit(replace(known, n_items=n_base))


def _manifest(source: Artifact, snapshot: Snapshot, solution_config: Mapping[str, Any], *, new: int) -> dict[str, Any]:
    """The source's, which tells of the training, with what is new."""
    kept = {name: value for name, value in source.manifest.items() if name not in ("files", "checksum", "update")}
    return {
        **kept,
        "matinee": matinee.__version__,
        "created": time.time_ns() // 1_000_000,
        "data": snapshot.summary(),
        "item_columns": list(trained_columns(snapshot, solution_config)),
        "update": {"of": source.manifest["data"].get("sha256"), "new_items": new},
    }
