"""The data-quality report: every fault of a data set at once, and what would spoil the models trained on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from matinee.data.cells import check_cells
from matinee.data.csv_lines import Block, CsvFile, CsvSource, line_of, line_text
from matinee.data.findings import Finding, merged, shown
from matinee.data.interactions import LongArray
from matinee.data.measures import CategoryMeasure, Completeness, Measure, NumberMeasure, UserMeasure
from matinee.data.reading import EVENTS, MINIMUM_ROWS, match_columns
from matinee.data.schemas import Schema
from matinee.errors import DataProblem


@dataclass(frozen=True)
class QualityReport:
    """What was found in one data set. `findings`: errors first, by file and line; at last what has no line."""

    dataset_type: str
    files: tuple[str, ...]
    rows: int
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether an import and a training would accept the data: no finding is an error."""
        return not any(finding.level == "error" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON types."""
        return {
            "datasetType": self.dataset_type,
            "files": list(self.files),
            "rows": self.rows,
            "passed": self.passed,
            "findings": [finding.to_json() for finding in self.findings],
        }


@dataclass(frozen=True)
class Dataset:
    """The report of a data set, with the IDs it names: (item or action IDs, user IDs), each distinct."""

    report: QualityReport
    ids: dict[str, pl.Series]


def check_dataset(
    sources: Sequence[CsvSource],
    schema: Schema,
    *,
    minimum_rows: int = MINIMUM_ROWS,
    progress: Callable[[int], None] | None = None,
) -> Dataset:
    """Read all of `sources` and report every kind of fault once for each column, with its first place and its count.

    `progress` is given the rows so far. Raises nothing for faulty data: all faults are findings.
    """
    walk = _Walk(schema, progress)
    findings = [finding for source in sources for finding in walk.file(source)]
    for measure in walk.measures:
        findings.extend(measure.findings())
    findings.extend(walk.repeated())
    if walk.rows < minimum_rows and schema.dataset_type in EVENTS and not _unread(findings):
        findings.append(
            Finding(
                "error",
                "too-few-interactions",
                f"There are {walk.rows} interactions; an import and a training need {minimum_rows}.",
                "Add events, or loosen the rule that turns your data into events.",
                file=sources[0].name if sources else None,
            )
        )
    order = {"error": 0, "warning": 1}
    ranked = sorted(merged(findings), key=lambda f: (order[f.level], f.line is None, f.file or "", f.line or 0))
    report = QualityReport(schema.dataset_type, tuple(source.name for source in sources), walk.rows, tuple(ranked))
    return Dataset(report, {name: ids.unique() for name, ids in walk.ids.items()})


def check_together(interactions: Dataset, records: Dataset, key: str) -> list[Finding]:
    """What two data sets say of each other: records without interactions, interactions with unknown records (3.6)."""
    seen, known = interactions.ids.get(key), records.ids.get(key)
    if seen is None or known is None or known.is_empty() or seen.is_empty():
        return []
    idle = int((~known.is_in(seen.implode())).sum())
    unknown = seen.filter(~seen.is_in(known.implode())).sort()
    findings = []
    if idle > known.len() * 0.5:
        findings.append(
            Finding(
                "warning",
                "without-interactions",
                f"{idle / known.len():.0%} of the {records.report.dataset_type} records have no interaction.",
                "Check that both files use the same IDs; records without interactions are recommended by metadata.",
                file=records.report.files[0],
                column=key,
                count=idle,
            )
        )
    if unknown.len():
        findings.append(
            Finding(
                "warning",
                "without-record",
                f"{unknown.len()} values of {key} in the interactions have no {records.report.dataset_type} record.",
                "Add the records, or expect filters and metadata to miss them.",
                file=interactions.report.files[0],
                column=key,
                example=str(unknown[0]),
                count=unknown.len(),
            )
        )
    return findings


def _unread(findings: Sequence[Finding]) -> bool:
    """Whether rows are missing because a file could not be read, so that counting them means nothing."""
    return any(finding.code in {"unreadable-file", "missing-column"} for finding in findings)


class _Walk:
    """One pass over the files of a data set, feeding every measure; keeps a hash of each row to find repetitions."""

    def __init__(self, schema: Schema, progress: Callable[[int], None] | None) -> None:
        self.schema, self.progress = schema, progress
        self.rows = 0
        self.ids: dict[str, pl.Series] = {}
        self.measures = _measures(schema)
        self._hashes: list[pl.Series] = []
        self._places: list[tuple[int, CsvSource, int | LongArray]] = []

    def file(self, source: CsvSource) -> Iterator[Finding]:
        """Walk one file; yields what is wrong with its header, its lines and its cells."""
        try:
            file = CsvFile(source)
            columns, findings = match_columns(file, self.schema)
            yield from findings
            for block in file.blocks(columns):
                frame, findings = check_cells(block, self.schema, source.name)
                yield from findings
                self._add(frame, block, source)
        except DataProblem as problem:
            yield Finding(
                "error",
                "unreadable-file",
                problem.problem,
                problem.fix,
                file=problem.file or source.name,
                line=problem.line,
                column=problem.column,
                example=problem.example,
            )

    def repeated(self) -> Iterator[Finding]:
        """Rows that occur more than once (events), or IDs that do (records)."""
        if not self._hashes:
            return
        again = ~pl.concat(self._hashes).is_first_distinct()
        row = again.arg_max()
        if row is None or not again[row]:
            return
        at = int(np.searchsorted([start for start, _, _ in self._places], row, side="right")) - 1
        start, source, lines = self._places[at]
        line = line_of(lines, row - start)
        key = self.schema.key
        what, fix = (
            ("The row repeats an earlier one.", "Remove it: exact repetitions count once.")
            if key is None
            else (f"{key} names a record that was given before.", "Keep one row for each ID: the last one wins.")
        )
        yield Finding(
            "warning",
            "duplicate",
            what,
            fix,
            file=source.name,
            line=line,
            column=key,
            example=shown(line_text(source, line)),
            count=int(again.sum()),
        )

    def _add(self, frame: pl.DataFrame, block: Block, source: CsvSource) -> None:
        for measure in self.measures:
            measure.add(frame, block, source.name)
        for name in ("ITEM_ID", "USER_ID", "ACTION_ID"):
            if name in frame.columns:
                new = frame[name].drop_nulls().unique()
                self.ids[name] = new if name not in self.ids else pl.concat([self.ids[name], new]).unique()
        key = self.schema.key
        if frame.height and frame.width and (key is None or key in frame.columns):
            self._places.append((self.rows, source, block.lines))
            # As written, not as read: two values that cannot be read are both null, but no repetition.
            self._hashes.append((block.frame if key is None else block.frame.select(key)).hash_rows())
            self.rows += frame.height
        if self.progress is not None:
            self.progress(self.rows)


def _measures(schema: Schema) -> list[Measure]:
    """What to measure, by the schema."""
    measures: list[Measure] = []
    for field in schema.fields:
        if field.nullable:
            measures.append(Completeness(field.name, textual=field.textual))
        if field.categorical or field.name == "EVENT_TYPE":
            measures.append(CategoryMeasure(field.name, is_event_type=field.name == "EVENT_TYPE"))
        if field.type in {"int", "long", "float", "double"}:
            measures.append(NumberMeasure(field.name, is_event_time=field.name == "TIMESTAMP"))
    if schema.dataset_type == "INTERACTIONS":
        measures.append(UserMeasure())
    return measures
