"""Cells: typed values, and each kind of fault with its first row."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest
from tests.unit.data.shapes import INTERACTIONS, ITEMS, TIME, USER, string, text_of

from matinee.data.cells import LONGEST_TEXT, check_cells
from matinee.data.csv_lines import Block
from matinee.data.findings import Finding
from matinee.data.schemas import Schema, parse_schema


def check(schema: Schema, **columns: Sequence[str | None]) -> tuple[pl.DataFrame, list[Finding]]:
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String()))
    return check_cells(Block(frame, 2), schema, "data.csv")


def test_cells_become_the_types_of_the_schema() -> None:
    frame, findings = check(
        ITEMS, ITEM_ID=["1", "2"], GENRES=["Drama|War", "War"], YEAR=["1999", None], AWARDED=["true", "false"]
    )
    assert not findings
    assert frame.rows() == [("1", "Drama|War", 1999, True), ("2", "War", None, False)]


@pytest.mark.parametrize("cell", ["3", "3.0", "3e0"])
def test_floats_may_be_written_in_any_way(cell: str) -> None:
    frame, _ = check(INTERACTIONS, EVENT_VALUE=[cell])
    assert frame["EVENT_VALUE"].to_list() == [3.0]


def test_long_text_is_cut_and_not_refused() -> None:
    frame, findings = check(ITEMS, PLOT=["x" * (LONGEST_TEXT + 5)])
    assert not findings
    assert frame["PLOT"].str.len_chars().to_list() == [LONGEST_TEXT]


@pytest.mark.parametrize("limit", [256, 1000])
def test_lengths_are_counted_in_characters(limit: int) -> None:
    column = "ITEM_ID" if limit == 256 else "GENRES"
    assert not check(ITEMS, **{column: ["é" * limit]})[1]
    assert [finding.code for finding in check(ITEMS, **{column: ["é" * (limit + 1)]})[1]] == ["too-long"]


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("YEAR", "2147483648", "type"),
        ("YEAR", "1999.5", "type"),
        ("YEAR", " 1999", "type"),
        ("AWARDED", "True", "type"),
        ("ITEM_ID", None, "null"),
    ],
)
def test_a_cell_that_cannot_be_read_is_an_error(column: str, cell: str | None, code: str) -> None:
    _, findings = check(ITEMS, **{column: [cell]})
    assert [(finding.level, finding.code, finding.column) for finding in findings] == [("error", code, column)]


@pytest.mark.parametrize("cell", ["NaN", "inf", "3,5", "abc"])
def test_a_float_must_be_finite(cell: str) -> None:
    _, findings = check(INTERACTIONS, EVENT_VALUE=[cell])
    assert [finding.code for finding in findings] == ["type"]


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [("TIMESTAMP", "1700000000000", "millisecond-timestamp"), ("EVENT_TYPE", "EVENT_TYPE", "reserved-word")],
)
def test_what_imports_but_misleads_is_a_warning(column: str, cell: str, code: str) -> None:
    _, findings = check(INTERACTIONS, **{column: [cell]})
    assert [(finding.level, finding.code) for finding in findings] == [("warning", code)]


def test_a_fault_is_reported_once_with_its_first_line_and_count() -> None:
    _, findings = check(INTERACTIONS, TIMESTAMP=["1", "x", "2", "y"])
    assert [(finding.line, finding.example, finding.count) for finding in findings] == [(3, "x", 2)]


def test_faults_come_in_the_order_of_lines() -> None:
    _, findings = check(INTERACTIONS, USER_ID=["1", "2", None], ITEM_ID=["1", None, "3"], TIMESTAMP=["x", "1", "2"])
    assert [finding.column for finding in findings] == ["TIMESTAMP", "ITEM_ID", "USER_ID"]


ANSWERED = parse_schema(text_of("Action_Interactions", USER, string("ACTION_ID"), string("EVENT_TYPE"), TIME))


def test_what_people_do_about_actions_has_three_names_however_spelled() -> None:
    assert not check(ANSWERED, EVENT_TYPE=["Taken", "NOT_TAKEN", "not taken", "viewed"])[1]


def test_another_event_of_an_action_is_an_error() -> None:
    [found] = check(ANSWERED, EVENT_TYPE=["Taken", "click", "click"])[1]
    assert (found.level, found.code, found.line, found.count) == ("error", "event-type", 3, 2)
    assert (found.column, found.example) == ("EVENT_TYPE", "click")
    assert "Write Taken, Not taken or Viewed." in found.fix
