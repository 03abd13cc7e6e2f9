"""Which columns of Items a training is given."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from matinee.data.interactions import InteractionLog, Interactions
from matinee.data.schemas import Field, Schema
from matinee.training.features import item_features, trained_columns
from matinee.training.selection import Selection
from matinee.training.snapshot import Snapshot

FIELDS = (
    Field("ITEM_ID", "string"),
    Field("TITLE", "string"),
    Field("GENRES", "string", categorical=True),
    Field("PRICE", "float"),
    Field("PLOT", "string", textual=True),
)


def _snapshot() -> Snapshot:
    data = Interactions.of(
        np.zeros(2, np.int32), np.arange(2, dtype=np.int32), np.arange(2, dtype=np.int64), n_users=1, n_items=2
    )
    items = pl.DataFrame({"ITEM_ID": ["a", "b"], "TITLE": ["A", "B"], "GENRES": ["x|y", "y"], "PRICE": [1.0, 3.0]})
    log = InteractionLog(data, ("u",), ("a", "b"), ())
    return Snapshot(
        log, items, pl.DataFrame(), data.timestamp, 2, Selection(), items_schema=Schema("Items", None, FIELDS)
    )


def _config(**columns: list[str]) -> dict[str, Any]:
    return {"trainingDataConfig": {f"{word}DatasetColumns": {"Items": names} for word, names in columns.items()}}


@pytest.mark.parametrize(
    ("config", "columns"),
    [
        ({}, ("GENRES", "PRICE")),
        (_config(excluded=["PRICE"]), ("GENRES",)),
        (_config(included=["PRICE", "TITLE"]), ("PRICE",)),
    ],
)
def test_only_columns_that_are_let_in_are_trained_on(config: dict[str, Any], columns: tuple[str, ...]) -> None:
    assert trained_columns(_snapshot(), config) == columns
    found = item_features(_snapshot(), config)
    assert found is not None
    assert found.categories.shape == (2, 2 * ("GENRES" in columns))
    assert found.numbers.shape == (2, int("PRICE" in columns))
