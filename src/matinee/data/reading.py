"""CSV to Parquet: stream files, check every cell against the schema, write one Parquet part or nothing at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from polars.io.plugins import register_io_source

from matinee.data.cells import check_cells
from matinee.data.csv_lines import CsvFile, CsvSource
from matinee.data.findings import Finding, merged
from matinee.data.schemas import Schema, polars_schema
from matinee.errors import DataProblem

__all__ = ["MINIMUM_ROWS", "CsvSource", "ImportSummary", "import_csv", "match_columns"]

# Bulk imports of events need so many rows in each job (3.1).
MINIMUM_ROWS = 1000
EVENTS = ("INTERACTIONS", "ACTION_INTERACTIONS")


@dataclass(frozen=True)
class ImportSummary:
    """What an import read and wrote. `warnings` has one entry for each kind, file and column."""

    rows: int
    csv_bytes: int
    parquet_bytes: int
    warnings: tuple[Finding, ...]


def import_csv(
    sources: Sequence[CsvSource],
    schema: Schema,
    out: Path,
    *,
    minimum_rows: int = MINIMUM_ROWS,
    progress: Callable[[int], None] | None = None,
) -> ImportSummary:
    """Check `sources` against `schema` and write their rows, in order, as the Parquet file `out`.

    Memory is bounded by a few blocks of a few MiB, whatever the size. `minimum_rows` applies to data sets of events.
    `progress` is called with the rows so far after each block; what it raises ends the import. Raises `DataProblem`
    for the first fault, with file, line, column, an example and the fix; `out` is then not written.
    """
    if not sources:
        raise DataProblem("There is no CSV file to import.", fix="Name a file, or a folder that directly holds files.")
    walk = _Walk(sources, schema, progress)
    partial = out.with_name(f"{out.name}.partial")
    try:
        frames = register_io_source(
            lambda with_columns, predicate, n_rows, batch_size: walk.frames(),
            schema=polars_schema(schema),
        )
        # Opened here: a writer that polars opens by path may come after the fault, and make the file anew.
        with partial.open("wb") as written:
            frames.sink_parquet(written, compression="zstd", maintain_order=True)
        _check_size(walk.rows, schema, minimum_rows, sources)
        size = partial.stat().st_size
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return ImportSummary(walk.rows, walk.bytes, size, merged(walk.warnings))


def match_columns(file: CsvFile, schema: Schema) -> tuple[list[tuple[int, str]], list[Finding]]:
    """Where each field of the schema is in the file: (position, field name), and what is wrong with the header.

    Names match without case, in any order; other columns are ignored.
    """
    positions: dict[str, list[int]] = {}
    for at, name in enumerate(file.header):
        positions.setdefault(name.upper(), []).append(at)
    found, missing, findings = [], [], []
    for name in schema.names:
        where = positions.get(name.upper(), [])
        if not where:
            missing.append(name)
            continue
        found.append((where[0], name))
        if len(where) > 1:
            findings.append(
                Finding(
                    "error",
                    "repeated-column",
                    f"The header names {name} {len(where)} times.",
                    "Keep one of them.",
                    file=file.source.name,
                    line=1,
                    column=name,
                )
            )
    if missing:
        findings.insert(0, _missing(missing, file))
    return found, findings


def _missing(names: Sequence[str], file: CsvFile) -> Finding:
    header = ",".join(file.header)
    other = next((mark for mark in (";", "\t", "|") if mark in header), None)
    fix = "Add them to the header and to every row, or take them out of the schema."
    if len(file.header) == 1 and other:
        fix = f"The header is separated by {other!r}: separate values by commas."
    return Finding(
        "error",
        "missing-column",
        f"Input CSV is missing the following columns: [{', '.join(names)}].",
        fix,
        file=file.source.name,
        line=1,
        column=names[0] if len(names) == 1 else None,
        example=header[:120],
    )


def _check_size(rows: int, schema: Schema, minimum_rows: int, sources: Sequence[CsvSource]) -> None:
    names = ", ".join(source.name for source in sources)
    if rows == 0:
        raise DataProblem(
            "There are no records below the header.", fix="Add records, one per line.", file=names, line=2
        )
    if schema.dataset_type in EVENTS and rows < minimum_rows:
        raise DataProblem(
            f"An import of {schema.dataset_type} needs at least {minimum_rows} rows, and there are {rows}.",
            fix="Add rows, or put several files in one folder and import the folder.",
            file=names,
        )


class _Walk:
    """One pass over the files: counts rows and keeps warnings while frames flow to the writer."""

    def __init__(self, sources: Sequence[CsvSource], schema: Schema, progress: Callable[[int], None] | None) -> None:
        self.sources, self.schema, self.progress = sources, schema, progress
        self.rows = 0
        self.bytes = 0
        self.warnings: list[Finding] = []

    def frames(self) -> Iterator[pl.DataFrame]:
        """Typed frames, in order; raises `DataProblem` at the first fault."""
        for source in self.sources:
            file = CsvFile(source)
            columns, findings = match_columns(file, self.schema)
            self._note(findings)
            for block in file.blocks(columns):
                frame, findings = check_cells(block, self.schema, source.name)
                self._note(findings)
                self.rows += frame.height
                if self.progress is not None:
                    self.progress(self.rows)
                yield frame
            self.bytes += file.bytes_read

    def _note(self, findings: Sequence[Finding]) -> None:
        for finding in findings:
            if finding.level == "error":
                raise finding.as_problem()
            self.warnings.append(finding)
