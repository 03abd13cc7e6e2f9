"""Semantic similarity mixes in popularity and freshness, and takes in items that came after the training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from tests.unit.serving.shop import Event, log_of

from matinee.data.interactions import FloatArray
from matinee.models.base import ItemFeatures
from matinee.models.semantic import Semantic
from matinee.serving.item_table import ItemTable
from matinee.serving.semantics import semantic_scores
from matinee.training.artifact import Artifact, write_artifact

TEXTS = ("red cars on roads", "red cars on fast roads", "red cars on slow roads", "blue ships at sea")
ROWS: list[Event] = [(f"u{n}", "c", 5, "Watch") for n in range(9)] + [("u1", item, 1, "Watch") for item in "abd"]


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> ItemTable:
    """Items a to d; c is the most popular, b the newest. `new` came after the training."""
    folder: Path = tmp_path_factory.mktemp("semantic") / "v"
    log = log_of(ROWS)
    created = np.array([1, 9, 3, 2], np.int64)
    features = ItemFeatures(sparse.csr_array((4, 0)), np.zeros((4, 0), np.float32), created, TEXTS)
    model = Semantic().fit(log.interactions, features)
    write_artifact(folder, model=model, log=log, manifest={"recipe": "r"}, created=created)
    return ItemTable(Artifact.open(folder), None, extras=("new",))


def scores(items: ItemTable, asked: str, later: FloatArray | None = None, **influence: float) -> dict[str, float]:
    model = items.artifact.model
    assert isinstance(model, Semantic)
    found = semantic_scores(model, items.artifact, items, asked, influence, later)
    return {items.item_id(number): float(score) for number, score in enumerate(found)}


def new_vector(items: ItemTable) -> FloatArray:
    model = items.artifact.model
    assert isinstance(model, Semantic)
    return model.encoder.encode(["ships at sea"])


def test_popularity_and_freshness_move_what_is_alike(items: ItemTable) -> None:
    assert scores(items, "a", POPULARITY=1.0)["c"] > scores(items, "a", POPULARITY=1.0)["b"]
    assert scores(items, "a", FRESHNESS=1.0)["b"] > scores(items, "a", FRESHNESS=1.0)["c"]
    plain = scores(items, "a")
    assert scores(items, "a", POPULARITY=1.0)["c"] == pytest.approx(plain["c"] + 1.0)


def test_they_do_not_move_what_is_not_alike(items: ItemTable) -> None:
    assert scores(items, "d", POPULARITY=1.0)["c"] == pytest.approx(scores(items, "d")["c"])


def test_a_new_item_is_found_and_can_be_asked_about(items: ItemTable) -> None:
    later = new_vector(items)
    assert scores(items, "d", later)["new"] > 0
    found = scores(items, "new", later)
    assert max(found, key=lambda item: found[item]) == "d"
    assert np.isneginf(found["new"])


def test_without_incremental_updates_a_new_item_is_unknown(items: ItemTable) -> None:
    assert np.isneginf(scores(items, "d")["new"])
    assert max(scores(items, "new").items(), key=lambda one: one[1])[0] == "c"


def test_an_item_never_heard_of_is_answered_with_popular_ones(items: ItemTable) -> None:
    found = scores(items, "nothing")
    assert max(found, key=lambda item: found[item]) == "c"
