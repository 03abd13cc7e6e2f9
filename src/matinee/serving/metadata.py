"""Item metadata in answers: columns asked for by schema name, answered in camel case, every value as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matinee.data.schemas import Schema
from matinee.errors import InvalidInput
from matinee.serving.item_table import ItemTable
from matinee.serving.streamed_records import camel_case

MOST_COLUMNS = 10
MOST_RESULTS = 50


def wanted_columns(
    asked: Mapping[str, Sequence[str]], schema: Schema | None, *, enabled: bool, results: int
) -> tuple[str, ...]:
    """The ITEMS columns that a request asks for, spelt as in the schema; empty when it asks for none.

    Raises `InvalidInput` when metadata is not enabled, a column is unknown, or more than 50 results are asked for.
    """
    if not asked:
        return ()
    if not enabled:
        raise InvalidInput(
            "metadataColumns needs metadata to be enabled: set enableMetadataWithRecommendations in the configuration "
            "of the campaign or recommender."
        )
    others = sorted(name for name in asked if name.upper() != "ITEMS")
    if others:
        raise InvalidInput(f"metadataColumns has the key {others[0]!r}; the only key is ITEMS.")
    names = [name for columns in asked.values() for name in columns]
    if len(names) > MOST_COLUMNS:
        raise InvalidInput(f"metadataColumns names {len(names)} columns; at most {MOST_COLUMNS} are allowed.")
    if results > MOST_RESULTS:
        raise InvalidInput(f"With metadata at most {MOST_RESULTS} results can be asked for, not {results}.")
    known = {} if schema is None else {field.name.upper(): field.name for field in schema.fields}
    unknown = [name for name in names if name.upper() not in known]
    if unknown:
        raise InvalidInput(
            f"metadataColumns names {unknown[0]}, which is not a column of the Items dataset; it has "
            f"{', '.join(known.values()) or 'none'}."
        )
    return tuple(known[name.upper()] for name in names)


def metadata(items: ItemTable, item_id: str, columns: Sequence[str]) -> dict[str, str]:
    """The wanted columns of one item as text; nulls are left out, several categories stay joined by `|`."""
    record = items.record(item_id)
    return {camel_case(name): as_text(record[name]) for name in columns if record.get(name) is not None}


def as_text(value: Any) -> str:
    """A value as metadata carries it: `130.0`, `true`, `Comedy|Drama`."""
    return str(value).lower() if isinstance(value, bool) else str(value)
