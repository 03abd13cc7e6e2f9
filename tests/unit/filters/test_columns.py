"""Columns as masks."""

from __future__ import annotations

import pytest
from tests.unit.filters.films import ITEMS, frame_of

from matinee.filters.columns import Columns
from matinee.filters.syntax import Among, Compared, Dataset, Field

GENRES = Field(Dataset.ITEMS, "GENRES")
STUDIO = Field(Dataset.ITEMS, "STUDIO")
PRICE = Field(Dataset.ITEMS, "PRICE", numeric=True)


@pytest.fixture
def columns() -> Columns:
    """Three films, the last one without any value."""
    return Columns(
        frame_of(
            [
                {"ITEM_ID": "a", "GENRES": "Drama|War", "STUDIO": "A|B", "PRICE": 1.5},
                {"ITEM_ID": "b", "GENRES": "Comedy", "STUDIO": "A", "PRICE": 3.0},
                {"ITEM_ID": "c"},
            ]
        ),
        ITEMS,
    )


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Among(GENRES, ("War", "x")), [True, False, False]),
        (Among(GENRES, ("war",)), [False, False, False]),
        (Among(GENRES, ("War",), negated=True), [False, True, True]),
        (Compared(GENRES, "=", "Drama"), [True, False, False]),
        (Compared(GENRES, "!=", "Drama"), [False, True, False]),
        (Among(STUDIO, ("A",)), [False, True, False]),
        (Among(STUDIO, ("A|B",)), [True, False, False]),
        (Compared(PRICE, "<", 3.0), [True, False, False]),
        (Compared(PRICE, "<=", 3.0), [True, True, False]),
        (Compared(PRICE, ">", 1.5), [False, True, False]),
        (Compared(PRICE, ">=", 1.5), [True, True, False]),
        (Compared(PRICE, "=", 3.0), [False, True, False]),
        (Compared(PRICE, "!=", 3.0), [True, False, False]),
        (Among(PRICE, (3.0, 9.0)), [False, True, False]),
        (Among(PRICE, (3.0,), negated=True), [True, False, True]),
    ],
)
def test_conditions(columns: Columns, condition: Among | Compared, expected: list[bool]) -> None:
    assert columns.matches(condition).tolist() == expected


def test_a_row_is_read_back_as_it_was(columns: Columns) -> None:
    assert columns.row(1)["GENRES"] == "Comedy"
    assert columns.row(2)["PRICE"] is None


def test_a_column_that_the_frame_lacks_is_null() -> None:
    columns = Columns(frame_of([{"ITEM_ID": "a"}]).drop("PRICE"), ITEMS)
    assert columns.matches(Compared(PRICE, ">", 0.0)).tolist() == [False]


def test_no_rows_are_no_trouble() -> None:
    columns = Columns(frame_of([]), ITEMS)
    assert columns.matches(Among(GENRES, ("x",))).tolist() == []
