"""Contexts and attributes become numbers beside the events, as training and requests read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from matinee.data.interactions import InteractionLog
from matinee.data.log import load_interactions
from matinee.data.schemas import Field, Schema
from matinee.training.inputs import InputColumns, narrowed, occasion_columns, with_inputs

EVENTS = Schema(
    "Interactions",
    None,
    (
        Field("USER_ID", "string"),
        Field("ITEM_ID", "string"),
        Field("TIMESTAMP", "long"),
        Field("DEVICE", "string", nullable=True, categorical=True),
        Field("HOUR", "int", nullable=True),
    ),
)
USERS = Schema("Users", None, (Field("USER_ID", "string"), Field("CITY", "string", categorical=True)))
RECORDS = pl.DataFrame({"USER_ID": ["b", "zz"], "CITY": ["Rome", "Oslo"]})


def log(folder: Path) -> InteractionLog:
    rows = [("b", "x", 9, "tv", 3), ("a", "x", 5, None, None), ("b", "y", 1, "phone", 9), ("a", "y", 7, "tv", 3)]
    frame = pl.DataFrame(rows, schema=["USER_ID", "ITEM_ID", "TIMESTAMP", "DEVICE", "HOUR"], orient="row")
    frame.write_parquet(folder / "part.parquet")
    return load_interactions([folder / "part.parquet"], columns=occasion_columns(EVENTS))


def read(folder: Path) -> tuple[InteractionLog, InputColumns]:
    return with_inputs(log(folder), RECORDS, EVENTS, USERS)


def test_columns_of_an_event_stay_with_it(tmp_path: Path) -> None:
    found, columns = read(tmp_path)
    data = found.interactions
    assert columns.context.categories == (("DEVICE", "tv"), ("DEVICE", "phone"))
    assert data.timestamp.tolist() == [5, 7, 1, 9]
    assert data.context is not None
    assert data.context.toarray()[:, :2].tolist() == [[0, 0], [1, 0], [0, 1], [1, 0]]
    assert found.occasions is None


def test_a_request_is_read_as_its_event_was(tmp_path: Path) -> None:
    found, columns = read(tmp_path)
    asked = columns.context_row({"device": "phone", "HOUR": "9"})
    assert asked is not None
    assert found.interactions.context is not None
    np.testing.assert_allclose(asked, found.interactions.context[[2]].toarray(), rtol=1e-6)


def test_a_value_of_few_users_is_not_read(tmp_path: Path) -> None:
    records = pl.DataFrame({"USER_ID": ["a", "b", "zz"], "CITY": ["Rome", "Oslo", "Bern"]})
    found, columns = with_inputs(log(tmp_path), records, EVENTS, USERS)
    assert found.interactions.attributes is None
    assert columns.attributes.width == 0


def test_attributes_are_those_of_the_user_and_zero_without_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matinee.training.inputs._FEWEST_USERS", 1)
    records = pl.DataFrame({"USER_ID": ["a", "b", "zz"], "CITY": ["Rome", "Oslo", "Bern"]})
    found, columns = with_inputs(log(tmp_path), records, EVENTS, USERS)
    assert found.interactions.attributes is not None
    assert found.interactions.attributes.tolist() == [[0, 1], [1, 0]]
    row = columns.attribute_row({"USER_ID": "new", "CITY": "Rome"})
    assert row is not None
    assert row.tolist() == [[0, 1]]
    assert columns.attribute_row({}) is not None


def test_columns_that_are_not_let_in_are_left_out(tmp_path: Path) -> None:
    config: dict[str, Any] = {
        "trainingDataConfig": {
            "includedDatasetColumns": {"Interactions": ["HOUR"]},
            "excludedDatasetColumns": {"Users": ["CITY"]},
        }
    }
    found, columns = narrowed(*read(tmp_path), config)
    assert columns.context.width == 1
    assert found.interactions.context is not None
    assert found.interactions.context.shape == (4, 1)
    assert found.interactions.attributes is None


def test_without_columns_nothing_is_read(tmp_path: Path) -> None:
    found, columns = with_inputs(log(tmp_path), pl.DataFrame({"USER_ID": ["b"]}), None, None)
    assert found.interactions.context is None
    assert found.interactions.attributes is None
    assert columns.context_row({"DEVICE": "tv"}) is None
    assert columns.attribute_row({"CITY": "Rome"}) is None


def test_columns_survive_the_manifest(tmp_path: Path) -> None:
    _, columns = read(tmp_path)
    assert InputColumns.from_dict(columns.as_dict()) == columns
    assert InputColumns.from_dict({}) == InputColumns()
