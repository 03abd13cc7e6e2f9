"""Metadata columns as numbers."""

from __future__ import annotations

import json

import numpy as np
import polars as pl

from matinee.data.schemas import Schema, parse_schema
from matinee.training.columns import MOST_CATEGORIES, ColumnEncoder

FIELDS = [
    {"name": "USER_ID", "type": "string"},
    {"name": "KIND", "type": ["null", "string"], "categorical": True},
    {"name": "AGE", "type": ["null", "int"]},
    {"name": "NOTE", "type": ["null", "string"]},
]


def schema() -> Schema:
    return parse_schema(json.dumps({"type": "record", "name": "Users", "fields": FIELDS, "version": "1.0"}))


def users(kinds: list[str | None], ages: list[int | None]) -> pl.DataFrame:
    ids = [f"u{n}" for n in range(len(kinds))]
    return pl.DataFrame({"USER_ID": ids, "KIND": kinds, "AGE": ages, "NOTE": ["x"] * len(ids)})


def test_categories_are_told_apart_and_numbers_standardised() -> None:
    encoder = ColumnEncoder.of(users(["a", "a|b", "c", None], [20, 30, 40, None]), schema())
    assert encoder.categories == (("KIND", "a"), ("KIND", "b"), ("KIND", "c"))
    rows = encoder.encode([{"KIND": "a|c", "AGE": 30}, {}, {"KIND": "new", "AGE": 10_000}])
    assert rows[0].tolist() == [1, 0, 1, 0]
    assert rows[1].tolist() == [0, 0, 0, 0]
    assert rows[2].tolist() == [0, 0, 0, 5]


def test_what_tells_nothing_is_left_out() -> None:
    assert ColumnEncoder.of(users(["a", "a"], [7, 7]), schema()).width == 0
    assert ColumnEncoder.of(users(["a", "b"], [7, 8]), None).width == 0


def test_columns_that_are_excluded_are_not_read() -> None:
    encoder = ColumnEncoder.of(users(["a", "b"], [7, 8]), schema(), keep={"AGE"})
    assert (encoder.categories, [name for name, *_ in encoder.numbers]) == ((), ["AGE"])


def test_only_the_most_frequent_categories_are_kept() -> None:
    many = [f"k{n}" for n in range(50)]
    encoder = ColumnEncoder.of(users([*many, "k49"], list(range(51))), schema())
    assert len(encoder.categories) == MOST_CATEGORIES
    assert encoder.categories[0] == ("KIND", "k49")


def test_an_encoder_survives_json() -> None:
    encoder = ColumnEncoder.of(users(["a", "b"], [7, 8]), schema())
    again = ColumnEncoder.from_dict(json.loads(json.dumps(encoder.as_dict())))
    assert again == encoder
    np.testing.assert_array_equal(again.encode([{"KIND": "b", "AGE": 7}]), encoder.encode([{"KIND": "b", "AGE": 7}]))
