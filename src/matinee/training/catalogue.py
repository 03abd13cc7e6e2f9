"""The whole catalogue of a group as a training's items: those with events, and those that have only a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from matinee.data.interactions import InteractionLog
from matinee.models.base import ItemFeatures
from matinee.models.semantic import joined_text
from matinee.training.inputs import narrowed
from matinee.training.snapshot import Snapshot

#: As written into artifacts: an item whose age nothing tells.
_NO_TIME = -1


def with_catalogue(snapshot: Snapshot) -> Snapshot:
    """The same snapshot with the items of Interactions and of Items together, in the order of their IDs' bytes."""
    log = snapshot.log
    ids = tuple(sorted({*log.item_ids, *snapshot.items["ITEM_ID"]}, key=str.encode))
    if len(ids) == len(log.item_ids):
        return snapshot
    place = {one: number for number, one in enumerate(ids)}
    moved = np.array([place[one] for one in log.item_ids], np.int32)
    events = log.interactions
    item = moved[events.item] if len(moved) else events.item
    created = np.full(len(ids), _NO_TIME, np.int64)
    created[moved] = snapshot.created
    if "CREATION_TIMESTAMP" in snapshot.items.columns:
        told = snapshot.items.select("ITEM_ID", "CREATION_TIMESTAMP").drop_nulls()
        created[[place[one] for one in told["ITEM_ID"]]] = told["CREATION_TIMESTAMP"].cast(pl.Int64).to_numpy()
    wider = InteractionLog(replace(events, item=item, n_items=len(ids)), log.user_ids, ids, log.event_types)
    return replace(snapshot, log=wider, created=created)


def with_trained_columns(snapshot: Snapshot, solution_config: Mapping[str, Any]) -> Snapshot:
    """The same snapshot with what a solution lets be trained on of contexts and users alone."""
    log, inputs = narrowed(snapshot.log, snapshot.inputs, solution_config)
    return replace(snapshot, log=log, inputs=inputs)


def histories_of(snapshot: Snapshot) -> InteractionLog | None:
    """All that users did with the snapshot's items, for filters; None when that is what is trained on."""
    whole = snapshot.everything
    if whole is None:
        return None
    place = {one: number for number, one in enumerate(snapshot.log.item_ids)}
    numbers = np.array([place.get(one, -1) for one in whole.item_ids], np.int32)
    kept = whole.interactions.select(numbers[whole.interactions.item] >= 0)
    events = replace(kept, item=numbers[kept.item], n_items=len(snapshot.log.item_ids))
    return InteractionLog(events, whole.user_ids, snapshot.log.item_ids, whole.event_types)


def text_columns(snapshot: Snapshot, solution_config: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns of Items that hold the name and the text of an item, as far as the solution lets them in."""
    if snapshot.items_schema is None:
        return ()
    config: Mapping[str, Any] = solution_config.get("trainingDataConfig") or {}
    included, excluded = (
        next(
            (names for kind, names in (config.get(f"{word}DatasetColumns") or {}).items() if kind.upper() == "ITEMS"),
            None,
        )
        for word in ("included", "excluded")
    )
    fields = sorted(snapshot.items_schema.fields, key=lambda field: not field.item_name)
    return tuple(
        field.name
        for field in fields
        if (field.item_name or field.textual)
        and (included is None or field.name in included)
        and field.name not in (excluded or ())
    )


def with_texts(
    features: ItemFeatures | None, snapshot: Snapshot, solution_config: Mapping[str, Any]
) -> ItemFeatures | None:
    """The features together with each item's name and text; the same where the dataset has neither."""
    columns = [name for name in text_columns(snapshot, solution_config) if name in snapshot.items.columns]
    if features is None or not columns:
        return features
    rows = snapshot.items.select("ITEM_ID", *columns).rows()
    texts = {str(item_id): joined_text(parts) for item_id, *parts in rows}
    return replace(features, texts=tuple(texts.get(item_id, "") for item_id in snapshot.log.item_ids))
