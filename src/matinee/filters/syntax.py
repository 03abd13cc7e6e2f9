"""The typed tree of a filter: frozen values, compared and hashed by what they say, not by where it stood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

_Value = TypeVar("_Value")


def _hashed_once(kind: type[_Value]) -> type[_Value]:
    """Trees are looked up at every request by what they say: each part keeps its hash."""
    own: Any = kind.__hash__

    def kept(self: Any) -> int:
        found: int | None = self.__dict__.get("_hash")
        if found is None:
            found = own(self)
            object.__setattr__(self, "_hash", found)
        return found

    kind.__hash__ = kept  # type: ignore[method-assign]
    return kind


class Verb(StrEnum):
    """What an expression does with the set that its condition describes."""

    INCLUDE = "INCLUDE"
    EXCLUDE = "EXCLUDE"


class Target(StrEnum):
    """What a filter lets through or holds back."""

    ITEM = "ItemID"
    USER = "UserID"
    ACTION = "ActionID"


class Dataset(StrEnum):
    """What a condition looks at."""

    ITEMS = "Items"
    INTERACTIONS = "Interactions"
    USERS = "Users"
    ACTIONS = "Actions"
    ACTION_INTERACTIONS = "Action_Interactions"
    CURRENT_ITEM = "CurrentItem"
    CURRENT_USER = "CurrentUser"

    @property
    def holds_events(self) -> bool:
        """Whether its rows are events, which are filtered by their type only."""
        return self in (Dataset.INTERACTIONS, Dataset.ACTION_INTERACTIONS)


@_hashed_once
@dataclass(frozen=True)
class Field:
    """`dataset.name`; `at` is the character of the expression, from 1, at which it stands.

    In a checked tree `name` is spelt as in the schema and `numeric` says whether its values are numbers.
    """

    dataset: Dataset
    name: str
    numeric: bool = False
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.dataset}.{self.name}"


@dataclass(frozen=True)
class Placeholder:
    """`$name`: its value comes with the request."""

    name: str
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"${self.name}"


Value = str | float | Placeholder


@_hashed_once
@dataclass(frozen=True)
class Among:
    """`field IN (values)`, or NOT IN; `values` is None for `IN ("*")`: any value at all."""

    field: Field
    values: tuple[Value, ...] | None
    negated: bool = False


@_hashed_once
@dataclass(frozen=True)
class Compared:
    """`field operator value`; the value may be a field of the current item."""

    field: Field
    operator: str
    value: Value | Field


@_hashed_once
@dataclass(frozen=True)
class AmongCurrent:
    """`field IN CurrentItem.name`: shares a category with the item of the request."""

    field: Field
    reference: Field


Condition = Among | Compared | AmongCurrent


@_hashed_once
@dataclass(frozen=True)
class Expression:
    """One INCLUDE or EXCLUDE: an OR of ANDs, which counts only if every guard is true."""

    verb: Verb
    target: Target
    alternatives: tuple[tuple[Condition, ...], ...]
    guards: tuple[Condition, ...] = ()

    @property
    def dataset(self) -> Dataset:
        """The one dataset that all its conditions look at."""
        return self.alternatives[0][0].field.dataset

    def conditions(self) -> Iterator[Condition]:
        """Every condition, guards last."""
        for conjunction in self.alternatives:
            yield from conjunction
        yield from self.guards

    def fields(self) -> Iterator[Field]:
        """Every field that it names, with repeats."""
        for condition in self.conditions():
            yield condition.field
            if isinstance(condition, AmongCurrent):
                yield condition.reference
            elif isinstance(condition, Compared) and isinstance(condition.value, Field):
                yield condition.value

    def placeholders(self) -> frozenset[str]:
        """Names of the values that a request brings."""
        found: set[str] = set()
        for condition in self.conditions():
            if isinstance(condition, Among):
                found.update(value.name for value in condition.values or () if isinstance(value, Placeholder))
            elif isinstance(condition, Compared) and isinstance(condition.value, Placeholder):
                found.add(condition.value.name)
        return frozenset(found)


@_hashed_once
@dataclass(frozen=True)
class Filter:
    """A whole filter: several expressions, each an INCLUDE or an EXCLUDE; their order means nothing."""

    expressions: tuple[Expression, ...]

    @property
    def target(self) -> Target:
        """What it lets through or holds back."""
        return self.expressions[0].target

    def fields(self) -> frozenset[Field]:
        """The distinct fields that it names."""
        return frozenset(named for expression in self.expressions for named in expression.fields())

    def placeholders(self) -> frozenset[str]:
        """Names of all the values that a request can bring."""
        return frozenset().union(*(expression.placeholders() for expression in self.expressions))

    def uses(self, dataset: Dataset) -> bool:
        """Whether any field is of `dataset`."""
        return dataset in _datasets(self)


@lru_cache(maxsize=4096)
def _datasets(tree: Filter) -> frozenset[Dataset]:
    return frozenset(named.dataset for named in tree.fields())
