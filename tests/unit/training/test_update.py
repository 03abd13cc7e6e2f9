"""A version brought up to date: new items are scored and found, nothing is learned anew, and it can be done again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from matinee.data.interactions import Histories, InteractionLog, Interactions
from matinee.data.schemas import Field, Schema
from matinee.models.adjusted import Adjusted
from matinee.models.base import FitOptions
from matinee.models.blend import Blend
from matinee.models.popularity import Popularity
from matinee.models.recent import Recent
from matinee.recipes.catalogue import find
from matinee.training.artifact import Artifact, write_artifact
from matinee.training.selection import Selection
from matinee.training.snapshot import Snapshot
from matinee.training.solution_version import TrainingOutcome
from matinee.training.update import update_version

USERS, ITEMS, EVENTS = 40, 20, 8
RECIPE = find("aws-user-personalization")
SCHEMA = Schema(
    "Items",
    None,
    (
        Field("ITEM_ID", "string"),
        Field("GENRES", "string", categorical=True),
        Field("PRICE", "float"),
    ),
)
GENRES = {0: "Noir", 1: "Farce"}


def _log(new_events: int = 0) -> InteractionLog:
    """Even users have even items, odd users odd ones; the last `new_events` are of the new item, by even users."""
    random = np.random.default_rng(1)
    user = np.repeat(np.arange(USERS), EVENTS)
    item = np.concatenate([random.permutation(np.arange(one % 2, ITEMS, 2))[:EVENTS] for one in range(USERS)])
    user = np.concatenate([user, 2 * np.arange(new_events)])
    item = np.concatenate([item, np.full(new_events, ITEMS)])
    n_items = ITEMS + (new_events > 0)
    data = Interactions.of(
        user.astype(np.int32),
        item.astype(np.int32),
        1_000_000 + np.arange(len(user), dtype=np.int64),
        n_users=USERS,
        n_items=n_items,
    )
    return InteractionLog(data, tuple(f"u{n}" for n in range(USERS)), tuple(f"i{n:02}" for n in range(n_items)), ())


def _snapshot(log: InteractionLog, new_genre: str | None = None) -> Snapshot:
    ids = [f"i{n:02}" for n in range(ITEMS)]
    genres = [GENRES[n % 2] for n in range(ITEMS)]
    if new_genre is not None:
        ids.append(f"i{ITEMS:02}")
        genres.append(new_genre)
    prices = [float(n) for n in range(len(ids))]
    items = pl.DataFrame({"ITEM_ID": ids, "GENRES": genres, "PRICE": prices})
    created = np.full(len(log.item_ids), 1_000_000, np.int64)
    return Snapshot(log, items, pl.DataFrame(), created, len(ids), Selection(), items_schema=SCHEMA)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """The artifact of a blend without its slow part."""
    folder = tmp_path_factory.mktemp("source")
    log = _log()
    model = Blend({"transformer": None, "seen": "last"}).fit(log.interactions)
    write_artifact(folder, model=model, log=log, manifest={"metrics": {"coverage": 0.5}, "recipe": RECIPE.arn})
    return Artifact.open(folder)


def _update(source: Artifact, snapshot: Snapshot, out: Path, config: dict[str, Any] | None = None) -> TrainingOutcome:
    return update_version(source, snapshot, RECIPE, config or {}, out, FitOptions())


def _rank(artifact: Artifact, history: list[int]) -> int:
    """The place of the new item among what a user with this history has not had."""
    scores = artifact.model.score(Histories.one(np.array(history, np.int32), np.arange(len(history), dtype=np.int64)))
    return int((scores[0] > scores[0, ITEMS]).sum())


def test_an_item_known_by_its_record_alone_goes_to_those_who_like_its_kind(source: Artifact, tmp_path: Path) -> None:
    _update(source, _snapshot(_log(), "Noir"), tmp_path)
    updated = Artifact.open(tmp_path)
    assert updated.item_index(f"i{ITEMS}") == ITEMS
    assert _rank(updated, [0, 2, 4, 6]) < _rank(updated, [1, 3, 5, 7])


def test_an_item_known_by_its_events_alone_goes_to_those_who_are_like_its_users(
    source: Artifact, tmp_path: Path
) -> None:
    _update(source, replace(_snapshot(_log(12)), items_schema=None), tmp_path)
    updated = Artifact.open(tmp_path)
    assert _rank(updated, [0, 2, 4, 6]) < _rank(updated, [1, 3, 5, 7])
    assert updated.popularity[ITEMS] == 12


def test_an_excluded_column_says_nothing_of_a_new_item(source: Artifact, tmp_path: Path) -> None:
    config = {"trainingDataConfig": {"excludedDatasetColumns": {"Items": ["GENRES", "PRICE"]}}}
    outcome = _update(source, _snapshot(_log(), "Noir"), tmp_path, config)
    scores = Artifact.open(tmp_path).model.score(Histories.one(np.zeros(0, np.int32), np.zeros(0, np.int64)))[0]
    assert scores[ITEMS] == pytest.approx(scores[:ITEMS].mean(), abs=1e-4)
    assert outcome.manifest["item_columns"] == []


def test_histories_are_those_of_now_and_the_metrics_those_of_the_training(source: Artifact, tmp_path: Path) -> None:
    outcome = _update(source, _snapshot(_log(12), "Noir"), tmp_path)
    assert outcome.metrics == {"coverage": 0.5}
    assert Artifact.open(tmp_path).user_history("u0").items[-1] == ITEMS


def test_an_update_of_an_update_is_that_of_the_training(source: Artifact, tmp_path: Path) -> None:
    _update(source, _snapshot(_log(), "Farce"), tmp_path / "first")
    _update(Artifact.open(tmp_path / "first"), _snapshot(_log(12), "Noir"), tmp_path / "second")
    _update(source, _snapshot(_log(12), "Noir"), tmp_path / "at-once")
    second, at_once = Artifact.open(tmp_path / "second"), Artifact.open(tmp_path / "at-once")
    history = Histories.one(np.array([0, 2, ITEMS], np.int32), np.arange(3, dtype=np.int64))
    np.testing.assert_array_equal(second.model.score(history), at_once.model.score(history))


def test_the_parts_that_count_are_counted_again(source: Artifact, tmp_path: Path) -> None:
    log = _log(12)
    _update(source, _snapshot(log), tmp_path)
    updated = Artifact.open(tmp_path).model
    assert isinstance(updated, Adjusted)
    assert isinstance(updated.base, Blend)
    data = log.interactions
    known = replace(data.select(data.item < ITEMS), n_items=ITEMS)
    nobody = Histories.one(np.zeros(0, np.int32), np.zeros(0, np.int64))
    for name, fresh in (("popularity", Popularity()), ("recent", Recent())):
        np.testing.assert_array_equal(updated.base.parts[name].score(nobody), fresh.fit(known).score(nobody))
