"""Training for segments: metrics of the service, what is refused, what is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.unit.training.generated import SCHEMAS

from matinee.data.interactions import InteractionLog
from matinee.data.schemas import parse_schema
from matinee.errors import JobFailed
from matinee.models.affinity import Affinity
from matinee.models.base import FitOptions
from matinee.recipes import catalogue
from matinee.training.affinity_version import train_affinity, usable_columns
from matinee.training.artifact import Artifact
from matinee.training.selection import Selection
from matinee.training.snapshot import Snapshot

BY_ITEM, BY_ATTRIBUTE = catalogue.find("aws-item-affinity"), catalogue.find("aws-item-attribute-affinity")
SCHEMA = parse_schema(SCHEMAS["ITEMS"])


def snapshot(log: InteractionLog, genres: Sequence[str | None]) -> Snapshot:
    """The log with the genres of its first items."""
    items = pl.DataFrame(
        {"ITEM_ID": log.item_ids[: len(genres)], "GENRES": genres}, schema={"ITEM_ID": pl.String, "GENRES": pl.String}
    )
    created = np.zeros(len(log.item_ids), np.int64)
    return Snapshot(log, items, pl.DataFrame(), created, len(log.item_ids), Selection(), SCHEMA)


def test_metrics_and_model_of_item_affinity(log: InteractionLog, folder: Path) -> None:
    config = {"algorithmHyperParameters": {"hidden_dimension": "64"}}
    outcome = train_affinity(snapshot(log, []), BY_ITEM, config, folder, FitOptions())
    artifact = Artifact.open(folder)
    assert set(outcome.metrics) == {"coverage", "hits_at_1_percent", "recall_at_1_percent"}
    assert isinstance(artifact.model, Affinity)
    assert not artifact.model.config.repeats
    assert artifact.manifest["unused_parameters"] == ["hidden_dimension"]
    assert json.loads((folder / "manifest.json").read_text())["metrics"] == outcome.metrics


def test_attributes_are_asked_for_by_category(log: InteractionLog, folder: Path) -> None:
    told = snapshot(log, ["a"] * 40 + ["b"] * 30 + ["a|b"] * 10)
    train_affinity(told, BY_ATTRIBUTE, {}, folder, FitOptions())
    assert Artifact.open(folder).manifest["evaluation"]["cases"] == 2


@pytest.mark.parametrize("genres", [[], ["a"] * 80, [f"g{n}" for n in range(80)], [None] * 80])
def test_attributes_that_tell_nothing_are_refused(log: InteractionLog, folder: Path, genres: list[str | None]) -> None:
    with pytest.raises(JobFailed, match="Did not find any attribute to train on"):
        train_affinity(snapshot(log, genres), BY_ATTRIBUTE, {}, folder, FitOptions())


def test_equal_timestamps_are_refused(log: InteractionLog, folder: Path) -> None:
    data = replace(log.interactions, timestamp=np.zeros(len(log.interactions), np.int64))
    with pytest.raises(JobFailed, match="timestamps"):
        train_affinity(snapshot(replace(log, interactions=data), []), BY_ITEM, {}, folder, FitOptions())


def test_usable_columns_are_categorical() -> None:
    items = pl.DataFrame({"ITEM_ID": ["a", "b", "c"], "GENRES": ["x", "x", "y"], "CREATION_TIMESTAMP": [1, 1, 2]})
    assert usable_columns(items, SCHEMA) == ["GENRES"]
    assert usable_columns(items, None) == []
