"""Measures of the data-quality report: each is fed the blocks of a data set and then says what it found."""

from __future__ import annotations

from typing import Protocol

import polars as pl

from matinee.data.csv_lines import Block
from matinee.data.findings import Finding, shown
from matinee.data.schema_rules import RESERVED_WORDS

MOST_EVENT_TYPES = 10
MANY_CATEGORIES = 30
FEWEST_USERS = 25
COMPLETE, COMPLETE_TEXT = 0.70, 0.85
# Beyond so many standard deviations a number is taken for a slip of the pen.
OUTLIER = 10.0
_ENOUGH_CATEGORIES = 10_000


class Measure(Protocol):
    """Fed with typed frames, the block each came from, and the file's name."""

    def add(self, frame: pl.DataFrame, block: Block, file: str) -> None:
        """Take in some rows."""

    def findings(self) -> list[Finding]:
        """What the rows taken in amount to."""


class Completeness:
    """The share of rows that have a value: 70% is advised, and a text below 85% is not used (3.6)."""

    def __init__(self, column: str, *, textual: bool) -> None:
        self.column, self.textual = column, textual
        self.rows = self.empty = 0
        self.first: tuple[str, int] | None = None

    def add(self, frame: pl.DataFrame, block: Block, file: str) -> None:
        """Count the empty cells."""
        if self.column not in frame.columns:
            return
        empty = frame[self.column].is_null()
        self.rows += frame.height
        self.empty += int(empty.sum())
        row = empty.arg_max()
        if self.first is None and row is not None and empty[row]:
            self.first = (file, block.line_of(row))

    def findings(self) -> list[Finding]:
        """A warning when too much is missing."""
        wanted = COMPLETE_TEXT if self.textual else COMPLETE
        if self.first is None or 1 - self.empty / self.rows >= wanted:
            return []
        return [
            Finding(
                "warning",
                "sparse-column",
                f"{self.column} is empty in {self.empty / self.rows:.0%} of the rows; {wanted:.0%} should not be.",
                "Fill the column, or leave it out of the schema.",
                file=self.first[0],
                line=self.first[1],
                column=self.column,
                count=self.empty,
            )
        ]


class CategoryMeasure:
    """How many different values there are: more than 10 event types fail a training, more than 30 categories are many.

    Event types are counted without case; in other columns the parts between `|` are.
    """

    def __init__(self, column: str, *, is_event_type: bool) -> None:
        self.column, self.is_event_type = column, is_event_type
        self.limit = MOST_EVENT_TYPES if is_event_type else MANY_CATEGORIES
        self.values: dict[str, int] = {}
        self.passing: tuple[str, int, str] | None = None
        self.file: str | None = None

    def add(self, frame: pl.DataFrame, block: Block, file: str) -> None:
        """Note the values that are new, and the line of the one that passes the limit."""
        if self.column not in frame.columns or len(self.values) >= _ENOUGH_CATEGORIES:
            return
        self.file = self.file or file
        cells = frame.select(pl.col(self.column).alias("value")).with_row_index("row").drop_nulls()
        cells = cells.unique("value", keep="first", maintain_order=True)
        split = (
            cells.with_columns(pl.col("value").str.to_lowercase())
            if self.is_event_type
            else cells.with_columns(pl.col("value").str.split("|")).explode("value")
        )
        for row, value in split.unique("value", keep="first", maintain_order=True).iter_rows():
            if value is None or value in self.values:
                continue
            self.values[value] = row
            if len(self.values) == self.limit + 1:
                self.passing = (file, block.line_of(row), value)

    def findings(self) -> list[Finding]:
        """An error for event types, a warning for other columns."""
        reserved = {word.lower() for word in RESERVED_WORDS}
        if self.is_event_type and self.values and all(value in reserved for value in self.values):
            return [
                Finding(
                    "error",
                    "only-reserved-words",
                    "All values in the event_type column are either reserved keywords or null.",
                    "Name the events by what users did, such as watch or click.",
                    file=self.file,
                    line=2,
                    column=self.column,
                    example=shown(next(iter(self.values))),
                )
            ]
        if self.passing is None:
            return []
        file, line, value = self.passing
        more = "at least " if len(self.values) >= _ENOUGH_CATEGORIES else ""
        level, code, fix = (
            ("error", "too-many-event-types", "Merge rare types: a training refuses more than 10.")
            if self.is_event_type
            else ("warning", "many-categories", "Merge rare categories, or make the column a plain or textual string.")
        )
        return [
            Finding(
                "error" if level == "error" else "warning",
                code,
                f"{self.column} has {more}{len(self.values)} different values; more than {self.limit}.",
                fix,
                file=file,
                line=line,
                column=self.column,
                example=shown(value),
                count=len(self.values),
            )
        ]


class NumberMeasure:
    """Whether a number varies at all, and whether its extremes stand out. Times only have to vary (3.6)."""

    def __init__(self, column: str, *, is_event_time: bool) -> None:
        self.column, self.is_event_time = column, is_event_time
        self.count, self.total, self.squares = 0, 0.0, 0.0
        self.lowest: tuple[float, str, int] | None = None
        self.highest: tuple[float, str, int] | None = None

    def add(self, frame: pl.DataFrame, block: Block, file: str) -> None:
        """Take in sums and extremes."""
        if self.column not in frame.columns:
            return
        values = frame[self.column]
        low, high = values.arg_min(), values.arg_max()
        if low is None or high is None:
            return
        numbers = values.drop_nulls().cast(pl.Float64)
        self.count += numbers.len()
        self.total += float(numbers.sum())
        self.squares += float((numbers * numbers).sum())
        if self.lowest is None or values[low] < self.lowest[0]:
            self.lowest = (values[low], file, block.line_of(low))
        if self.highest is None or values[high] > self.highest[0]:
            self.highest = (values[high], file, block.line_of(high))

    def findings(self) -> list[Finding]:
        """An error for event times that are all equal, warnings for constants and outliers."""
        if self.lowest is None or self.highest is None or self.count < 2:
            return []
        value, file, line = self.lowest
        if value == self.highest[0]:
            return [
                Finding(
                    "error" if self.is_event_time else "warning",
                    "constant-timestamp" if self.is_event_time else "constant-number",
                    f"All values of {self.column} are equal.",
                    "Write when each event happened, in Unix seconds."
                    if self.is_event_time
                    else "Leave the column out of the schema: it tells nothing apart.",
                    file=file,
                    line=line,
                    column=self.column,
                    example=f"{value:g}" if isinstance(value, float) else str(value),
                    count=self.count,
                )
            ]
        if self.column.endswith("TIMESTAMP"):
            return []
        mean = self.total / self.count
        deviation = max(self.squares / self.count - mean * mean, 0.0) ** 0.5
        return [
            Finding(
                "warning",
                "outlier",
                f"{self.column} is far from the other values: mean {mean:g}, standard deviation {deviation:g}.",
                "Check the value; correct it or leave it empty.",
                file=file,
                line=line,
                column=self.column,
                example=f"{value:g}",
            )
            for value, file, line in (self.lowest, self.highest)
            if deviation and abs(value - mean) > OUTLIER * deviation
        ]


class UserMeasure:
    """Whether enough users have two interactions or more: 25 of them and 1% of all (3.3)."""

    _MERGE_AT = 2_000_000

    def __init__(self) -> None:
        self.file: str | None = None
        self.counts: list[pl.DataFrame] = []
        self.waiting = 0

    def add(self, frame: pl.DataFrame, block: Block, file: str) -> None:
        """Count each user's rows."""
        if "USER_ID" not in frame.columns:
            return
        self.file = self.file or file
        self.counts.append(frame.group_by("USER_ID").len())
        self.waiting += self.counts[-1].height
        if self.waiting > self._MERGE_AT:
            self.counts, self.waiting = [self._merged()], 0

    def findings(self) -> list[Finding]:
        """An error when a training would be refused."""
        if not self.counts:
            return []
        counts = self._merged().filter(pl.col("USER_ID").is_not_null())
        active = int((counts["len"] >= 2).sum())
        if active >= max(FEWEST_USERS, counts.height * 0.01):
            return []
        return [
            Finding(
                "error",
                "too-few-users",
                f"Dataset has fewer than {FEWEST_USERS} users with at least 2 interactions each."
                if active < FEWEST_USERS
                else "Fewer than 1% of the users have at least 2 interactions.",
                f"There are {active} such users of {counts.height}: add events of returning users, and check that "
                "USER_ID names the user, not the session.",
                file=self.file,
                column="USER_ID",
                count=active,
            )
        ]

    def _merged(self) -> pl.DataFrame:
        return pl.concat(self.counts).group_by("USER_ID").agg(pl.col("len").sum())
