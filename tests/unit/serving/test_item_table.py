"""Numbers for the model's items and for those that only have a record."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.unit.serving.shop import ITEMS, log_of

from matinee.data.schemas import parse_schema, polars_schema
from matinee.filters.columns import Columns
from matinee.filters.syntax import Among, Dataset, Field
from matinee.models.popularity import Popularity
from matinee.serving.dataset_records import DatasetRecords, Layer
from matinee.serving.groups import GroupDataset
from matinee.serving.item_table import ItemTables
from matinee.training.artifact import Artifact, write_artifact

SCHEMA = parse_schema(json.dumps({"type": "record", "name": "Items", "fields": ITEMS}))
DATASET = GroupDataset("arn", SCHEMA, (1, 1))
DRAMA = ((Among(Field(Dataset.ITEMS, "GENRES"), ("Drama",)),),)


def _layer(**genres: str) -> Layer:
    types = polars_schema(SCHEMA)
    frame = pl.DataFrame(
        {"ITEM_ID": list(genres), "GENRES": list(genres.values())},
        schema_overrides={"ITEM_ID": pl.String, "GENRES": pl.String},
    )
    assert set(frame.columns) <= set(types)
    return Layer(tuple(genres), Columns(frame, SCHEMA), np.zeros(len(genres), np.int64))


def _records(base: Layer, streamed: Layer) -> DatasetRecords:
    return DatasetRecords(DATASET, base, streamed, (1,), 0, {})


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A model of items a, b, c."""
    folder: Path = tmp_path_factory.mktemp("artifact") / "v"
    log = log_of([("u", one, at, "watch") for at, one in enumerate("abc")])
    write_artifact(folder, model=Popularity().fit(log.interactions), log=log, manifest={"recipe": "r"})
    return Artifact.open(folder)


def test_the_models_items_come_first_then_the_others(artifact: Artifact) -> None:
    table = ItemTables().get(
        artifact, _records(_layer(x="War", b="Drama", y="Drama"), _layer(y="War", z="Drama", a="Drama"))
    )
    assert [table.number(one) for one in "abcxyz"] == [0, 1, 2, 3, 4, 5]
    assert [table.item_id(number) for number in range(6)] == list("abcxyz")
    assert table.number("nobody knows") == table.unknown == 6
    assert [table.item_id(int(number)) for number in np.flatnonzero(table.table.where(DRAMA))] == ["a", "b", "z"]


def test_without_records_there_are_the_models_items_only(artifact: Artifact) -> None:
    table = ItemTables().get(artifact, None)
    assert (table.unknown, table.table.n) == (3, 4)
    assert not table.table.where(DRAMA).any()
    assert table.record("a") == {}


def test_a_table_is_kept_while_its_records_are_the_same(artifact: Artifact) -> None:
    tables = ItemTables()
    base = _layer(x="War")
    records = _records(base, _layer())
    first = tables.get(artifact, records)
    assert tables.get(artifact, records) is first
    second = tables.get(artifact, _records(base, _layer(q="War")))
    assert second is not first
    assert second.table.segments[0].rows is first.table.segments[0].rows
    assert first.number("q") == first.unknown
