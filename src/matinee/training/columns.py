"""Metadata columns as numbers: categories as 0 or 1, numbers standardised; learned once, then applied to any record."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from matinee.data.interactions import FloatArray
from matinee.data.schemas import Schema

#: Categories of a column that are told apart, the most frequent; the others count as none.
MOST_CATEGORIES = 20
_NUMBERS = frozenset({"int", "long", "float", "double"})
_ENTRIES = {"row": pl.Int64(), "place": pl.Int64(), "value": pl.Float64()}
_TIMES = ("CREATION_TIMESTAMP", "EXPIRATION_TIMESTAMP", "ACTION_EXPIRATION_TIMESTAMP")


@dataclass(frozen=True)
class ColumnEncoder:
    """`categories` are (column, category) pairs, `numbers` (column, mean, standard deviation); a null reads 0."""

    categories: tuple[tuple[str, str], ...] = ()
    numbers: tuple[tuple[str, float, float], ...] = ()

    @classmethod
    def of(
        cls, frame: pl.DataFrame, schema: Schema | None, *, keep: Collection[str] | None = None, least: int = 1
    ) -> Self:
        """What the columns of `frame` that training may use hold; of them only `keep`, unless None.

        A category of fewer than `least` rows is left out.
        """
        if schema is None or frame.is_empty():
            return cls()
        categories: list[tuple[str, str]] = []
        numbers: list[tuple[str, float, float]] = []
        for field in schema.fields:
            usable = field.name in frame.columns and field.name not in _TIMES and (keep is None or field.name in keep)
            if usable and field.categorical:
                categories += [(field.name, value) for value in _frequent(frame[field.name], least)]
            elif usable and field.type in _NUMBERS:
                column = frame[field.name].cast(pl.Float64).drop_nulls().to_numpy()
                if len(column) and float(column.std()) > 0:
                    numbers.append((field.name, float(column.mean()), float(column.std())))
        return cls(tuple(categories), tuple(numbers))

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """The encoder that `as_dict` told."""
        return cls(
            tuple((str(column), str(value)) for column, value in told["categories"]),
            tuple((str(column), float(mean), float(spread)) for column, mean, spread in told["numbers"]),
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self)

    @property
    def width(self) -> int:
        """Numbers that a record becomes."""
        return len(self.categories) + len(self.numbers)

    def encode(self, records: Sequence[Mapping[str, Any]]) -> FloatArray:
        """Records, column to value, as rows (len(records), width)."""
        place = {pair: at for at, pair in enumerate(self.categories)}
        columns = {column for column, _ in self.categories}
        rows = np.zeros((len(records), self.width), np.float32)
        for row, record in enumerate(records):
            for column in columns:
                for category in str(record.get(column) or "").split("|"):
                    if (column, category) in place:
                        rows[row, place[column, category]] = 1
            for at, (column, mean, spread) in enumerate(self.numbers, len(self.categories)):
                value = record.get(column)
                if value is not None:
                    rows[row, at] = np.clip((float(value) - mean) / spread, -5, 5)
        return rows

    def encode_frame(self, frame: pl.DataFrame) -> sparse.csr_array:
        """The rows of a frame (height, width), as `encode`; a column that is not there reads as null."""
        parts = [pl.DataFrame(schema=_ENTRIES)]
        for column in dict.fromkeys(name for name, _ in self.categories if name in frame.columns):
            here = [(at, value) for at, (name, value) in enumerate(self.categories) if name == column]
            known = pl.DataFrame(here, schema={"place": pl.Int64(), "cell": pl.String()}, orient="row")
            split = frame[column].cast(pl.String).str.split("|").rename("cell")
            cells = pl.DataFrame({"row": pl.int_range(frame.height, eager=True), "cell": split})
            found = cells.drop_nulls().explode("cell", empty_as_null=True).join(known, on="cell")
            parts.append(found.select("row", "place", pl.lit(1.0).alias("value")))
        for place, (column, mean, spread) in enumerate(self.numbers, len(self.categories)):
            if column in frame.columns:
                value = ((frame[column].cast(pl.Float64) - mean) / spread).clip(-5, 5).rename("value")
                rows = pl.DataFrame({"row": pl.int_range(frame.height, eager=True), "value": value}).drop_nulls()
                parts.append(rows.select("row", pl.lit(place, dtype=pl.Int64()).alias("place"), "value"))
        entries = pl.concat(parts).unique(["row", "place"], maintain_order=True)
        places = entries["row"].to_numpy(), entries["place"].to_numpy()
        return sparse.csr_array((entries["value"].to_numpy().astype(np.float32), places), (frame.height, self.width))

    def places(self, keep: Collection[str]) -> tuple[Self, NDArray[np.int64]]:
        """The encoder of the columns in `keep` alone, and which of the numbers of this one are its."""
        columns = [column for column, _ in self.categories] + [column for column, _, _ in self.numbers]
        kept = np.flatnonzero([column in keep for column in columns])
        categories = tuple(pair for pair in self.categories if pair[0] in keep)
        return type(self)(categories, tuple(entry for entry in self.numbers if entry[0] in keep)), kept


def _frequent(cells: pl.Series, least: int) -> list[str]:
    """The most frequent categories of a column; those that all, or fewer than `least`, have are left out."""
    values = cells.drop_nulls().cast(pl.String).str.split("|").explode(empty_as_null=True).drop_nulls()
    counts = values.value_counts(sort=False).sort(["count", values.name], descending=[True, False])
    told = counts.filter((pl.col("count") < len(cells)) & (pl.col("count") >= least) & (pl.col(values.name) != ""))
    return [str(value) for value in told[values.name].head(MOST_CATEGORIES)]
