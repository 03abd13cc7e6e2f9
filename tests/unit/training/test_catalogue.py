"""A training that reads items knows those that have only a record, their texts, and what filters look at."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from tests.unit.training.generated import generated_log

from matinee.data.interactions import InteractionLog
from matinee.data.log import creation_timestamps
from matinee.data.schemas import Field, Schema
from matinee.training.catalogue import histories_of, text_columns, with_catalogue, with_texts
from matinee.training.features import item_features
from matinee.training.selection import Selection
from matinee.training.snapshot import Snapshot

SCHEMA = Schema(
    "Items",
    None,
    (
        Field("ITEM_ID", "string"),
        Field("STORY", "string", textual=True),
        Field("TITLE", "string", item_name=True),
        Field("CREATION_TIMESTAMP", "long", nullable=True),
    ),
)
ITEMS = pl.DataFrame(
    {
        "ITEM_ID": ["film-0", "a-new-film", "z-new-film"],
        "STORY": ["of cars", "of ships", None],
        "TITLE": ["First", "Second", "Third"],
        "CREATION_TIMESTAMP": [5, 7, None],
    }
)


@pytest.fixture
def snapshot() -> Snapshot:
    log = generated_log()
    return Snapshot(log, ITEMS, ITEMS, creation_timestamps(log, ITEMS), 82, Selection(), items_schema=SCHEMA)


def test_items_with_a_record_only_join_the_items_with_events(snapshot: Snapshot) -> None:
    wider = with_catalogue(snapshot)
    assert wider.log.item_ids == tuple(sorted((*snapshot.log.item_ids, "a-new-film", "z-new-film")))
    before = [snapshot.log.item_ids[item] for item in snapshot.log.interactions.item]
    assert [wider.log.item_ids[item] for item in wider.log.interactions.item] == before
    assert wider.log.interactions.n_items == len(wider.log.item_ids)


def test_creation_times_move_along_and_an_unknown_one_is_negative(snapshot: Snapshot) -> None:
    wider = with_catalogue(snapshot)
    created = dict(zip(wider.log.item_ids, wider.created.tolist(), strict=True))
    assert (created["film-0"], created["a-new-film"], created["z-new-film"]) == (5, 7, -1)


def test_nothing_changes_where_every_item_has_events(snapshot: Snapshot) -> None:
    known = replace(snapshot, items=ITEMS.head(1))
    assert with_catalogue(known) is known


def test_texts_are_the_name_and_the_text_of_each_item(snapshot: Snapshot) -> None:
    wider = with_catalogue(snapshot)
    features = with_texts(item_features(wider, {}), wider, {})
    assert features is not None
    texts = dict(zip(wider.log.item_ids, features.texts, strict=True))
    assert (texts["film-0"], texts["z-new-film"], texts["film-1"]) == ("First of cars", "Third", "")


def test_columns_that_are_left_out_are_not_read(snapshot: Snapshot) -> None:
    assert text_columns(snapshot, {}) == ("TITLE", "STORY")
    excluded = {"trainingDataConfig": {"excludedDatasetColumns": {"Items": ["STORY"]}}}
    assert text_columns(snapshot, excluded) == ("TITLE",)
    included = {"trainingDataConfig": {"includedDatasetColumns": {"ITEMS": ["STORY"]}}}
    assert text_columns(snapshot, included) == ("STORY",)


def test_histories_hold_what_was_not_trained_on_of_items_that_were(snapshot: Snapshot) -> None:
    assert histories_of(snapshot) is None
    data = snapshot.log.interactions
    some = InteractionLog(
        replace(data.select(data.item < 40), n_items=40), snapshot.log.user_ids, snapshot.log.item_ids[:40], ("watch",)
    )
    found = histories_of(replace(snapshot, log=some, everything=snapshot.log))
    assert found is not None
    assert len(found.interactions) == int((data.item < 40).sum())
    assert found.interactions.n_items == 40


def test_rules_of_one_type_are_widened_by_the_others() -> None:
    from matinee.data.log import EventRule

    views = Selection((EventRule("View"),))
    assert views.with_other_types(("view", "Purchase")) == (EventRule("View"), EventRule("purchase"))
    assert views.with_other_types(("VIEW",)) is None
    assert Selection().with_other_types(("view", "purchase")) is None
