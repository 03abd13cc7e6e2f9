"""String cells to typed columns, checked against a schema. Faults come back as findings with their place."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from matinee.data.actions import answer_of
from matinee.data.csv_lines import Block
from matinee.data.findings import Finding, Level, shown
from matinee.data.schema_rules import KEYS, RESERVED_WORDS
from matinee.data.schemas import Field, Schema, polars_schema

LONGEST_ID = 256
LONGEST_STRING = 1000
LONGEST_TEXT = 20_000
# The year 5138 in seconds, March 1973 in milliseconds: what lies above is not a time in seconds.
MILLISECONDS_FROM = 100_000_000_000
_INT32 = 2**31


def check_cells(block: Block, schema: Schema, file: str) -> tuple[pl.DataFrame, list[Finding]]:
    """The block's columns in the schema's types (see `polars_schema`), and what is wrong with its cells.

    Columns of the schema that the block lacks are left out. A cell that cannot be read is null in the frame. One
    finding for each column and kind of fault: its first row, and how many rows have it; sorted by line.
    """
    types = polars_schema(schema)
    typed: list[pl.Series] = []
    findings: list[Finding] = list(block.findings)
    for field in schema.fields:
        if field.name not in block.frame.columns:
            continue
        cells = block.frame[field.name]
        values = _typed(cells, field, types[field.name])
        typed.append(values)
        faults = [*_faults(cells, values, field)]
        if schema.dataset_type == "ACTION_INTERACTIONS" and field.name == "EVENT_TYPE":
            faults += _answer_faults(cells)
        for level, code, bad, problem, fix in faults:
            row = bad.arg_max()
            if row is not None and bad[row]:
                example = cells[row]
                findings.append(
                    Finding(
                        level,
                        code,
                        problem,
                        fix,
                        file=file,
                        line=block.line_of(row),
                        column=field.name,
                        example=None if example is None else shown(example),
                        count=int(bad.sum()),
                    )
                )
    return pl.DataFrame(typed), sorted(findings, key=lambda finding: finding.line or 0)


Fault = tuple[Level, str, pl.Series, str, str]


def _faults(cells: pl.Series, values: pl.Series, field: Field) -> Iterator[Fault]:
    """Every kind of fault that this field's cells can have, with the rows (n,) that have it."""
    if not field.nullable and cells.null_count():
        fix = 'Fill the cell, remove the row, or allow null in the schema ("type": ["null", …]).'
        if field.name in KEYS or field.name == "TIMESTAMP":
            fix = "Fill the cell or remove the row."
        yield "error", "null", cells.is_null(), f"{field.name} is empty, and the schema does not allow null.", fix
    if field.type == "string":
        yield from _string_faults(cells, field)
        return
    unread = values.is_null() & cells.is_not_null()
    match field.type:
        case "boolean":
            yield "error", "type", unread, f"{field.name} is not a boolean.", "Write true or false, in lower case."
        case "int" | "long":
            fix = "Write a whole number: no decimal point, no spaces, no quotes inside."
            if field.type == "int":
                fix += ' An int is within ±2,147,483,647: use "long" in the schema beyond it.'
            yield "error", "type", unread, f"{field.name} is not a number of type {field.type}.", fix
        case _:
            fix = "Write a decimal number such as 3.5, with a point and no thousands separator."
            yield "error", "type", unread, f"{field.name} is not a number of type {field.type}.", fix
    if field.name.endswith("TIMESTAMP") and field.type in {"long", "float"}:
        yield (
            "warning",
            "millisecond-timestamp",
            (values >= MILLISECONDS_FROM).fill_null(value=False),
            f"{field.name} looks like milliseconds.",
            "Write Unix seconds: divide by 1000. Otherwise every model takes these rows for the far future.",
        )


def _string_faults(cells: pl.Series, field: Field) -> Iterator[Fault]:
    if field.textual:
        return
    limit = LONGEST_ID if field.name in KEYS else LONGEST_STRING
    longest = cells.str.len_bytes().max()
    if isinstance(longest, int) and longest > limit:
        yield (
            "error",
            "too-long",
            (cells.str.len_chars() > limit).fill_null(value=False),
            f"Length cannot be more than {limit} characters for {field.name}. If no values exceed the character "
            "limit, make sure your data follows the formatting guidelines.",
            "Shorten the value, or close the quote that makes it swallow what follows.",
        )
    yield (
        "warning",
        "reserved-word",
        cells.is_in(RESERVED_WORDS).fill_null(value=False),
        f"A reserved word is a value of {field.name}.",
        "Rename the value: names of the service's own columns are not read as data.",
    )


def _answer_faults(cells: pl.Series) -> Iterator[Fault]:
    """What is no event of an action (spec 2.2)."""
    wrong = [name for name in cells.drop_nulls().unique() if answer_of(name) is None]
    yield (
        "error",
        "event-type",
        cells.is_in(wrong).fill_null(value=False),
        "EVENT_TYPE is no event of an action.",
        "Write Taken, Not taken or Viewed.",
    )


def _typed(cells: pl.Series, field: Field, dtype: pl.DataType) -> pl.Series:
    """The cells as `dtype`; what cannot be read is null."""
    match field.type:
        case "string":
            return cells.str.slice(0, LONGEST_TEXT) if field.textual else cells
        case "boolean":
            return cells.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean())
        case "int":
            values = cells.cast(dtype, strict=False)
            return values.set(((values >= _INT32) | (values < -_INT32)).fill_null(value=False), None)
        case "long":
            return cells.cast(dtype, strict=False)
        case _:
            values = cells.cast(dtype, strict=False)
            return values.set((~values.is_finite()).fill_null(value=False), None)
