"""Findings: what is wrong, or looks wrong, in a file; where; and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from matinee.errors import DataProblem

Level = Literal["error", "warning"]
_SHOWN = 60


@dataclass(frozen=True)
class Finding:
    """One problem of one column of one file. An error fails an import; a warning does not.

    `line` is the physical line of the first case (the header is line 1), `count` how many rows have it.
    """

    level: Level
    code: str
    problem: str
    fix: str
    file: str | None = None
    line: int | None = None
    column: str | None = None
    example: str | None = None
    count: int = 1

    def as_problem(self) -> DataProblem:
        """The exception that says the same."""
        return DataProblem(
            self.problem, fix=self.fix, file=self.file, line=self.line, column=self.column, example=self.example
        )

    @property
    def sentence(self) -> str:
        """The finding in one paragraph: problem, place, fix."""
        return str(self.as_problem())

    def to_json(self) -> dict[str, Any]:
        """The finding as JSON types; every member is present."""
        return asdict(self)


def shown(value: object) -> str:
    """A value short enough to be quoted in a message."""
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """One finding for each file, column and code: the first one met, with the counts added up."""
    first: dict[tuple[str, str | None, str | None], Finding] = {}
    for finding in findings:
        key = (finding.code, finding.column, finding.file)
        known = first.get(key)
        first[key] = finding if known is None else replace(known, count=known.count + finding.count)
    return tuple(first.values())
