"""Findings: their sentence, their exception, and merging."""

from __future__ import annotations

from matinee.data.findings import Finding, merged, shown

FINDING = Finding("error", "type", "YEAR is not a number.", "Write a number.", "items.csv", 7, "YEAR", "MCM", 3)


def test_the_sentence_has_problem_example_place_and_fix() -> None:
    assert FINDING.sentence == (
        "YEAR is not a number. (found 'MCM') At file items.csv, line 7, column YEAR. Write a number."
    )


def test_the_exception_carries_the_place() -> None:
    problem = FINDING.as_problem()
    assert (problem.file, problem.line, problem.column, problem.example) == ("items.csv", 7, "YEAR", "MCM")


def test_findings_of_one_kind_are_counted_at_the_first_place() -> None:
    later = Finding("error", "type", "YEAR is not a number.", "Write a number.", "items.csv", 9, "YEAR", "x", 2)
    other = Finding("error", "type", "YEAR is not a number.", "Write a number.", "more.csv", 2, "YEAR", "y")
    assert [(f.file, f.line, f.count) for f in merged([FINDING, later, other])] == [
        ("items.csv", 7, 5),
        ("more.csv", 2, 1),
    ]


def test_json_has_every_member() -> None:
    assert FINDING.to_json()["fix"] == "Write a number."
    assert set(FINDING.to_json()) == set(Finding.__dataclass_fields__)


def test_long_values_are_cut_in_messages() -> None:
    assert shown("x" * 100) == "x" * 60 + "…"
    assert shown(1.5) == "1.5"
