"""A version of semantic similarity is trained from texts, with interactions or without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.unit.training.generated import generated_log

from matinee.data.interactions import InteractionLog
from matinee.data.schemas import Field, Schema
from matinee.errors import JobFailed
from matinee.models.base import FitOptions
from matinee.models.semantic import Semantic
from matinee.recipes.catalogue import find
from matinee.training.artifact import Artifact
from matinee.training.selection import Selection
from matinee.training.semantic_version import train_semantic
from matinee.training.snapshot import Snapshot

RECIPE = find("aws-semantic-similarity")
FIELDS = (Field("ITEM_ID", "string"), Field("TITLE", "string", item_name=True), Field("STORY", "string", textual=True))


def snapshot(log: InteractionLog, *, events: bool = True, schema: Schema | None = None) -> Snapshot:
    """Films of the two tastes tell of cars or ships; `cold` has no events."""
    numbers = range(len(log.item_ids))
    items = pl.DataFrame(
        {
            "ITEM_ID": [*log.item_ids, "cold"],
            "TITLE": [*(f"Film {n}" for n in numbers), "Cold"],
            "STORY": [*("fast cars" if n < len(log.item_ids) // 2 else "old ships" for n in numbers), "old ships"],
        }
    )
    kept = (
        log
        if events
        else InteractionLog(log.interactions.select(np.zeros(len(log.interactions), np.bool_)), (), (), ())
    )
    if not events:
        kept = replace(kept, interactions=replace(kept.interactions, n_users=0, n_items=0))
    created = np.full(kept.interactions.n_items, 1, np.int64)
    return Snapshot(
        kept,
        items,
        items,
        created,
        len(items),
        Selection.of(RECIPE, {}),
        items_schema=schema or Schema("Items", None, FIELDS),
    )


@pytest.mark.parametrize("events", [True, False])
def test_items_are_related_by_their_texts(folder: Path, events: bool) -> None:
    outcome = train_semantic(snapshot(generated_log(), events=events), RECIPE, {}, folder, FitOptions())
    artifact = Artifact.open(folder)
    model = artifact.model
    assert isinstance(model, Semantic)
    cold = artifact.item_index("cold")
    assert cold is not None
    nearest = np.argsort(-model.score_related(np.array([cold], np.int32))[0])[:10]
    assert all(int(artifact.item_ids[item].removeprefix("film-")) >= 40 for item in nearest)
    assert artifact.manifest["item_columns"] == ["TITLE", "STORY"]
    assert 0 < outcome.metrics["coverage"] <= 1
    assert ("precision_at_5" in outcome.metrics) == events


@pytest.mark.parametrize("missing", [1, 2])
def test_a_schema_without_name_or_text_is_refused(folder: Path, missing: int) -> None:
    schema = Schema("Items", None, tuple(field for at, field in enumerate(FIELDS) if at != missing))
    with pytest.raises(JobFailed, match="itemName"):
        train_semantic(snapshot(generated_log(), schema=schema), RECIPE, {}, folder, FitOptions())


def test_items_without_any_text_are_refused(folder: Path) -> None:
    empty = snapshot(generated_log())
    blank = empty.items.with_columns(TITLE=pl.lit(None, pl.String), STORY=pl.lit(None, pl.String))
    with pytest.raises(JobFailed, match="No item"):
        train_semantic(replace(empty, items=blank), RECIPE, {}, folder, FitOptions())
