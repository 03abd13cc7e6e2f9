"""What films, or records of items, say of the items of a log, as the arrays that models take."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import polars as pl
from scipy import sparse

from matinee.data.interactions import FloatArray, InteractionLog
from matinee.data.log import creation_timestamps
from matinee.data.movielens_files import Film
from matinee.data.schemas import Schema
from matinee.models.base import ItemFeatures
from matinee.models.semantic import joined_text

_NUMBERS = frozenset({"int", "long", "float", "double"})
_SEPARATOR = "|"


def film_features(log: InteractionLog, films: Sequence[Film]) -> ItemFeatures:
    """Genres and year of each item of `log`, and its title and genres as text; an item that no film is of has none.

    CREATION_TIMESTAMP is 1 January of the film's year, and the oldest event of a film without one.
    """
    by_id = {film.item_id: film for film in films}
    known = [by_id.get(item_id) for item_id in log.item_ids]
    years = [None if film is None else film.year for film in known]
    created = creation_timestamps(log, None)
    for item, year in enumerate(years):
        if year is not None:
            created[item] = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    genres = [() if film is None else film.genres for film in known]
    texts = ["" if film is None else joined_text([film.title, *film.genres]) for film in known]
    return ItemFeatures(_categories(genres), _standardised([years], len(years)), created, _some(texts))


def record_features(log: InteractionLog, records: pl.DataFrame, schema: Schema) -> ItemFeatures:
    """Categorical, numeric and text columns of the Items records of `schema`; values in a cell are separated by `|`.

    A text is the item's name followed by its textual columns.
    """
    newest = records.unique(subset="ITEM_ID", keep="last", maintain_order=True)
    rows = pl.DataFrame({"ITEM_ID": log.item_ids}, schema={"ITEM_ID": pl.String()}).join(
        newest, on="ITEM_ID", how="left", maintain_order="left"
    )
    values: list[list[str]] = [[] for _ in log.item_ids]
    numbers = []
    for field in schema.fields:
        if field.categorical:
            for item, cell in enumerate(rows[field.name].cast(pl.String)):
                values[item] += [f"{field.name}={value}" for value in (cell or "").split(_SEPARATOR) if value]
        elif field.type in _NUMBERS and field.name != "CREATION_TIMESTAMP":
            numbers.append(rows[field.name].to_list())
    named = sorted(schema.fields, key=lambda field: not field.item_name)
    columns = [field.name for field in named if field.item_name or field.textual]
    texts = [joined_text(parts) for parts in rows.select(columns).rows()]
    created = creation_timestamps(log, newest)
    return ItemFeatures(_categories(values), _standardised(numbers, len(log.item_ids)), created, _some(texts))


def _some(texts: Sequence[str]) -> tuple[str, ...]:
    """The texts; none at all where no item has one."""
    return tuple(texts) if any(texts) else ()


def _categories(values: Sequence[Sequence[str]]) -> sparse.csr_array:
    """The 0/1 matrix (items, distinct values)."""
    names = sorted({value for row in values for value in row})
    place = {name: at for at, name in enumerate(names)}
    item = [number for number, row in enumerate(values) for _ in row]
    column = [place[value] for row in values for value in row]
    matrix = sparse.csr_array((np.ones(len(item), np.float32), (item, column)), shape=(len(values), len(names)))
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix


def _standardised(columns: Sequence[Sequence[float | None]], items: int) -> FloatArray:
    """Columns with mean 0 and deviation 1 over the items that have a value, 0 for the others: (items, columns)."""
    found = np.zeros((items, len(columns)), np.float32)
    for at, column in enumerate(columns):
        values = np.array([np.nan if value is None else value for value in column], np.float64)
        there = np.isfinite(values)
        if there.any():
            deviation = values[there].std() or 1.0
            found[there, at] = (values[there] - values[there].mean()) / deviation
    return found
