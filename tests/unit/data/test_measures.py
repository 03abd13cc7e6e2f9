"""Measures fed block by block say the same as when fed at once."""

from __future__ import annotations

import polars as pl
import pytest

from matinee.data.csv_lines import Block
from matinee.data.measures import CategoryMeasure, Completeness, Measure, NumberMeasure, UserMeasure

FRAME = pl.DataFrame(
    {
        "USER_ID": [f"u{n % 40}" for n in range(60)],
        "YEAR": [1990] * 59 + [100_000],
        "GENRES": [f"A|G{n}" for n in range(60)],
        "PLOT": [None if n % 4 == 0 else "x" for n in range(60)],
    }
)


def fed(measure: Measure, size: int) -> Measure:
    for at in range(0, FRAME.height, size):
        frame = FRAME.slice(at, size)
        measure.add(frame, Block(frame, at + 2), "data.csv")
    return measure


@pytest.mark.parametrize("size", [60, 7, 1])
def test_blocks_of_any_size_give_the_same_findings(size: int) -> None:
    found = [
        (finding.code, finding.line, finding.count)
        for measure in (
            Completeness("PLOT", textual=True),
            CategoryMeasure("GENRES", is_event_type=False),
            UserMeasure(),
        )
        for finding in fed(measure, size).findings()
    ]
    assert found == [("sparse-column", 2, 15), ("many-categories", 31, 61), ("too-few-users", None, 20)]


@pytest.mark.parametrize("size", [60, 7])
def test_an_outlier_is_found_in_the_last_block(size: int) -> None:
    many = NumberMeasure("YEAR", is_event_time=False)
    for _ in range(3):
        frame = FRAME.with_columns(YEAR=pl.lit(1990))
        many.add(frame, Block(frame, 2), "data.csv")
    (finding,) = fed(many, size).findings()
    assert (finding.code, finding.line, finding.example) == ("outlier", 61, "100000")


def test_a_measure_without_its_column_finds_nothing() -> None:
    for measure in (
        Completeness("X", textual=False),
        CategoryMeasure("X", is_event_type=True),
        NumberMeasure("X", is_event_time=True),
    ):
        assert fed(measure, 30).findings() == []


def test_enough_texts_are_enough() -> None:
    assert fed(Completeness("PLOT", textual=False), 60).findings() == []
