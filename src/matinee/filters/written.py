"""Checked conditions as JSON and back, for what keeps them: names and types as the check found them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matinee.filters.syntax import Among, Compared, Condition, Dataset, Field

Alternatives = tuple[tuple[Condition, ...], ...]


def written(alternatives: Alternatives) -> list[list[dict[str, Any]]]:
    """The JSON of an OR of ANDs of conditions that refer to no placeholder and no current item."""
    return [[_written(condition) for condition in conjunction] for conjunction in alternatives]


def read(conjunctions: Sequence[Sequence[Mapping[str, Any]]]) -> Alternatives:
    """The conditions that `written` wrote."""
    return tuple(tuple(_read(condition) for condition in conjunction) for conjunction in conjunctions)


def _written(condition: Condition) -> dict[str, Any]:
    named = condition.field
    shown = {"dataset": named.dataset.value, "name": named.name, "numeric": named.numeric}
    if isinstance(condition, Among) and condition.values is not None:
        return {**shown, "values": list(condition.values), "negated": condition.negated}
    if isinstance(condition, Compared) and not isinstance(condition.value, Field):
        return {**shown, "operator": condition.operator, "value": condition.value}
    raise TypeError(f"the condition on {named} is not one that can be kept")


def _read(kept: Mapping[str, Any]) -> Condition:
    named = Field(Dataset(kept["dataset"]), kept["name"], kept["numeric"])
    if "values" in kept:
        return Among(named, tuple(kept["values"]), kept["negated"])
    return Compared(named, kept["operator"], kept["value"])
