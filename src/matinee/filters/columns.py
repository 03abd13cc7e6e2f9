"""Columns that answer conditions with masks: postings of categories, floats for numbers. Built when first asked for."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data.schemas import Field as SchemaField
from matinee.data.schemas import Schema, polars_schema
from matinee.filters.syntax import Among, Compared, Condition

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]

_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compare(left: Any, symbol: str, right: Any) -> Any:
    """`left symbol right` for numbers, arrays or strings."""
    return _OPERATORS[symbol](left, right)


def parts(cell: Any) -> tuple[str, ...]:
    """The categories of a cell: `A|B` holds A and B; null holds none."""
    return () if cell is None else tuple(str(cell).split("|"))


class Postings:
    """A column of strings: for each category the rows that hold it, in CSR form. A cell may hold several."""

    def __init__(self, cells: pl.Series, *, split: bool) -> None:
        self.n = len(cells)
        frame = pl.DataFrame({"row": np.arange(self.n, dtype=np.int64), "part": cells}).drop_nulls()
        if split:
            frame = frame.with_columns(pl.col("part").str.split("|")).explode("part", empty_as_null=True).drop_nulls()
        grouped = frame.group_by("part").agg(pl.col("row")) if len(frame) else frame.clear()
        self._code = {part: code for code, part in enumerate(grouped["part"].to_list())}
        lengths = grouped["row"].list.len().to_numpy() if len(grouped) else np.zeros(0, np.int64)
        self._indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        self._rows: Rows = (
            grouped["row"].explode(empty_as_null=True).to_numpy() if len(grouped) else np.zeros(0, np.int64)
        )

    @cached_property
    def present(self) -> Mask:
        """Which rows hold anything (n,)."""
        mask = np.zeros(self.n, np.bool_)
        mask[self._rows] = True
        return mask

    def among(self, values: Sequence[object]) -> Mask:
        """Which rows hold any of `values` (n,)."""
        mask = np.zeros(self.n, np.bool_)
        for value in values:
            code = self._code.get(str(value))
            if code is not None:
                mask[self._rows[self._indptr[code] : self._indptr[code + 1]]] = True
        return mask


class Columns:
    """The rows of one dataset. `frame` has the schema's columns, typed as in Parquet parts; absent ones are null."""

    def __init__(self, frame: pl.DataFrame, schema: Schema) -> None:
        types = polars_schema(schema)
        self.n = len(frame)
        self.schema = schema
        self._frame = frame.select(
            pl.col(name).cast(dtype) if name in frame.columns else pl.lit(None, dtype=dtype).alias(name)
            for name, dtype in types.items()
        )
        self._postings: dict[str, Postings] = {}
        self._numbers: dict[str, NDArray[np.float64]] = {}
        self._lists: dict[str, list[Any]] = {}

    @classmethod
    def nulls(cls, schema: Schema, n: int = 1) -> Columns:
        """`n` rows that hold nothing: what is known of a thing without a record."""
        types = polars_schema(schema)
        return cls(pl.DataFrame({name: [None] * n for name in types}, schema=types), schema)

    def take(self, rows: Rows) -> Columns:
        """The rows numbered `rows` (k,), in that order."""
        return Columns(self._frame[rows], self.schema)

    def matches(self, condition: Condition) -> Mask:
        """Which rows meet a condition whose values are bound and which refers to no current item (n,).

        A null cell meets NOT IN and nothing else (spec 8.2).
        """
        name = condition.field.name
        if isinstance(condition, Among):
            values = condition.values or ()
            inside = (
                np.isin(self.numbers(name), np.array(values, np.float64))
                if condition.field.numeric
                else self.postings(name).among(values)
            )
            return ~inside if condition.negated else inside
        if not isinstance(condition, Compared):
            raise TypeError("a condition on the current item must be bound to it first")
        if condition.field.numeric:
            numbers = self.numbers(name)
            return np.asarray(compare(numbers, condition.operator, condition.value) & ~np.isnan(numbers))
        postings = self.postings(name)
        equal = postings.among(parts(condition.value) if self._field(name).categorical else [condition.value])
        return equal if condition.operator == "=" else postings.present & ~equal

    def values(self, name: str) -> list[Any]:
        """A column as Python values (n,), None for null."""
        if name not in self._lists:
            self._lists[name] = self._frame[name].to_list()
        return self._lists[name]

    def row(self, number: int) -> dict[str, Any]:
        """One row: column name to value."""
        return {name: self._frame[name][number] for name in self._frame.columns}

    def postings(self, name: str) -> Postings:
        """A string column by category."""
        if name not in self._postings:
            field = self._field(name)
            self._postings[name] = Postings(self._frame[name], split=field.categorical)
        return self._postings[name]

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A numeric column (n,), NaN for null."""
        if name not in self._numbers:
            self._numbers[name] = self._frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        return self._numbers[name]

    def _field(self, name: str) -> SchemaField:
        field = self.schema.get(name)
        if field is None:
            raise KeyError(name)
        return field
