"""What a training may know of items beside interactions: the columns of Items that the solution lets in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from matinee.data.interactions import InteractionLog
from matinee.data.schemas import Field
from matinee.evaluation.item_features import record_features
from matinee.models.base import ItemFeatures
from matinee.models.histories import Sparse, weighted_rows
from matinee.training.snapshot import Snapshot

_NUMBERS = frozenset({"int", "long", "float", "double"})
_CREATED = "CREATION_TIMESTAMP"


def trained_columns(snapshot: Snapshot, solution_config: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns of Items that are trained on, in the schema's order (spec 4.6).

    Categorical and numeric ones; of these `includedDatasetColumns`, or all but `excludedDatasetColumns`, where the
    solution has them for Items. Text, plain strings and booleans are never among them.
    """
    if snapshot.items_schema is None:
        return ()
    config: Mapping[str, Any] = solution_config.get("trainingDataConfig") or {}
    included, excluded = (_of_items(config.get(f"{word}DatasetColumns")) for word in ("included", "excluded"))
    return tuple(
        field.name
        for field in snapshot.items_schema.fields
        if _is_feature(field) and (included is None or field.name in included) and field.name not in (excluded or ())
    )


def item_features(
    snapshot: Snapshot, solution_config: Mapping[str, Any], log: InteractionLog | None = None
) -> ItemFeatures | None:
    """What is known of each item of the snapshot, or of `log` instead; None without an Items dataset."""
    schema = snapshot.items_schema
    if schema is None or snapshot.items.is_empty():
        return None
    log = snapshot.log if log is None else log
    columns = trained_columns(snapshot, solution_config)
    held = tuple(field for field in schema.fields if field.name in columns and field.name in snapshot.items.columns)
    found = record_features(log, snapshot.items, replace(schema, fields=held))
    return found if _CREATED in columns or _CREATED not in snapshot.items.columns else _undated(found)


def _undated(features: ItemFeatures) -> ItemFeatures:
    """The same where CREATION_TIMESTAMP is left out of training: every item is as old as the oldest."""
    oldest = features.created.min(initial=np.iinfo(np.int64).max)
    return replace(features, created=np.full_like(features.created, oldest))


def as_matrix(features: ItemFeatures | None, items: int) -> Sparse:
    """The features as rows of length 1, or 0 where nothing is known: (items, categories + numbers)."""
    if features is None:
        return weighted_rows(np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), (items, 1))
    whole: Sparse = sparse.csr_array(
        sparse.hstack([features.categories, sparse.csr_array(features.numbers)], format="csr")
    )
    length = np.sqrt(np.asarray(whole.multiply(whole).sum(axis=1)))
    whole.data = (whole.data / np.maximum(np.repeat(length, np.diff(whole.indptr)), 1e-9)).astype(np.float32)
    return whole


def _is_feature(field: Field) -> bool:
    return field.categorical or field.type in _NUMBERS


def _of_items(columns: Mapping[str, Any] | None) -> frozenset[str] | None:
    """The names given for the Items dataset; None when none are given."""
    found = [names for kind, names in (columns or {}).items() if kind.upper() == "ITEMS"]
    return frozenset(found[0]) if found else None
