"""The type check of a filter: every field is one of a schema, used as its type and the filter's target allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from matinee.data.schemas import Field as SchemaField
from matinee.data.schemas import Schema
from matinee.errors import InvalidInput
from matinee.filters.parsing import parse, parse_occasion
from matinee.filters.syntax import (
    Among,
    AmongCurrent,
    Compared,
    Condition,
    Dataset,
    Expression,
    Field,
    Filter,
    Placeholder,
    Target,
    Value,
)

MOST_FIELDS = 10
NUMERIC = frozenset({"int", "long", "float", "double"})

_SCHEMA_OF = {
    Dataset.ITEMS: "ITEMS",
    Dataset.CURRENT_ITEM: "ITEMS",
    Dataset.USERS: "USERS",
    Dataset.CURRENT_USER: "USERS",
    Dataset.ACTIONS: "ACTIONS",
}
_ALLOWED = {
    Target.ITEM: (Dataset.ITEMS, Dataset.INTERACTIONS),
    Target.USER: (Dataset.USERS, Dataset.INTERACTIONS),
    Target.ACTION: (Dataset.ACTIONS, Dataset.ACTION_INTERACTIONS),
}


def check(expression: str, schemas: Mapping[str, Schema]) -> Filter:
    """The checked tree of a filter expression: names spelt as in the schemas, literals of their field's type.

    `schemas` maps dataset type (`ITEMS`, `USERS`, …) to schema, for the datasets that the group has. Raises
    `InvalidInput` with the character, what is wrong there and what would be right (spec 8.2, 8.7).
    """
    tree = parse(expression)
    if len({one.target for one in tree.expressions}) > 1:
        raise InvalidInput("Invalid Expression: expressions joined by '|' must have the same target; split the filter.")
    checked = Filter(tuple(_expression(one, schemas) for one in tree.expressions))
    if len(checked.fields()) > MOST_FIELDS:
        raise InvalidInput(
            f"Invalid Expression: the filter names {len(checked.fields())} distinct fields; at most {MOST_FIELDS} are "
            "allowed."
        )
    return checked


def check_occasion(text: str, schemas: Mapping[str, Schema]) -> tuple[tuple[Condition, ...], ...]:
    """The checked OR of ANDs of a delivery rule's condition; `schemas` as for `check`, errors too.

    `Interactions` is the event: EVENT_TYPE, EVENT_VALUE, ITEM_ID, TIMESTAMP and the columns of the Interactions
    schema, which events carry as properties. `Items` is its item's record, `CurrentUser` its user's.
    """
    return tuple(tuple(_fact(one, schemas) for one in conjunction) for conjunction in parse_occasion(text))


def _fact(condition: Condition, schemas: Mapping[str, Schema]) -> Condition:
    named = condition.field
    if named.dataset not in (Dataset.INTERACTIONS, Dataset.ITEMS, Dataset.CURRENT_USER):
        raise _invalid(named, f"{named} cannot be asked of an event; use Interactions, Items or CurrentUser.")
    if left_open := [value for value in _values(condition) if isinstance(value, Placeholder)]:
        raise _invalid(named, f"{left_open[0]} has no value: nobody gives one with an event. Write it out.")
    if named.dataset is not Dataset.INTERACTIONS:
        return _condition(condition, schemas)
    named = _of_event(named, schemas.get("INTERACTIONS"))
    if isinstance(condition, Among):
        if condition.values is None:
            raise _invalid(named, 'IN ("*") holds for every event; leave it out.')
        return replace(condition, field=named, values=tuple(_literal(value, named) for value in condition.values))
    if not isinstance(condition, Compared) or isinstance(condition.value, Field):
        raise _invalid(named, "a delivery rule knows no current item.")
    if not named.numeric and condition.operator not in ("=", "!="):
        raise _invalid(named, f"{named} holds strings; {condition.operator} compares numbers. Use IN, = or !=.")
    return replace(condition, field=named, value=_literal(condition.value, named))


def _values(condition: Condition) -> tuple[Value | Field, ...]:
    if isinstance(condition, Among):
        return condition.values or ()
    return (condition.value,) if isinstance(condition, Compared) else ()


def _of_event(named: Field, schema: Schema | None) -> Field:
    """A field of the event itself, spelt and typed as what events always have or as the schema says."""
    own = {"EVENT_TYPE": False, "EVENT_VALUE": True, "ITEM_ID": False, "TIMESTAMP": True}
    known = {field.name: field.type in NUMERIC for field in (schema.fields if schema else ()) if _filterable(field)}
    for name, numeric in {**known, **own}.items():
        if name.upper() == named.name.upper():
            return replace(named, name=name, numeric=numeric)
    names = ", ".join({**own, **known})
    raise _invalid(named, f"an event has no field {named.name}; it has {names}.")


def _expression(expression: Expression, schemas: Mapping[str, Schema]) -> Expression:
    allowed = _ALLOWED[expression.target]
    for conjunction in expression.alternatives:
        for condition in conjunction:
            named = condition.field
            if named.dataset not in allowed:
                raise _invalid(
                    named, f"{named} cannot filter {expression.target}; use {' or '.join(allowed)} in the condition."
                )
            if named.dataset is not expression.dataset:
                raise _invalid(
                    named,
                    f"conditions on {expression.dataset} and {named.dataset} cannot be mixed in one expression; "
                    "write two expressions joined by '|'.",
                )
            if expression.target is not Target.ITEM and _reference(condition) is not None:
                raise _invalid(named, "CurrentItem can be used in filters of ItemID only.")
    return replace(
        expression,
        alternatives=tuple(
            tuple(_condition(condition, schemas) for condition in conjunction)
            for conjunction in expression.alternatives
        ),
        guards=tuple(_condition(condition, schemas) for condition in expression.guards),
    )


def _reference(condition: Condition) -> Field | None:
    """The field of the current item that a condition refers to."""
    if isinstance(condition, AmongCurrent):
        return condition.reference
    if isinstance(condition, Compared) and isinstance(condition.value, Field):
        return condition.value
    return None


def _condition(condition: Condition, schemas: Mapping[str, Schema]) -> Condition:
    """The condition with its names and literals resolved."""
    named = _resolve(condition.field, schemas)
    if isinstance(condition, AmongCurrent):
        reference = _resolve(condition.reference, schemas)
        if named.numeric or reference.numeric:
            raise _invalid(named, f"IN compares strings; compare {named} with =, <, <=, > or >= instead.")
        return AmongCurrent(named, reference)
    if isinstance(condition, Among):
        if condition.values is None:
            if not named.dataset.holds_events:
                raise _invalid(named, '"*" stands for any value with EVENT_TYPE only; list the values.')
            return replace(condition, field=named)
        return replace(condition, field=named, values=tuple(_literal(value, named) for value in condition.values))
    if not named.numeric and condition.operator not in ("=", "!="):
        raise _invalid(named, f"{named} holds strings; {condition.operator} compares numbers. Use IN, = or !=.")
    if isinstance(condition.value, Field):
        other = _resolve(condition.value, schemas)
        if other.numeric is not named.numeric:
            raise _invalid(other, f"{named} and {other} cannot be compared: one is a number, the other a string.")
        return replace(condition, field=named, value=other)
    return replace(condition, field=named, value=_literal(condition.value, named))


def _resolve(named: Field, schemas: Mapping[str, Schema]) -> Field:
    """The field spelt as in its schema, with its kind."""
    if named.dataset.holds_events:
        if named.name.upper() != "EVENT_TYPE":
            raise _invalid(named, f"{named.dataset} can be filtered by EVENT_TYPE only, not by {named.name}.")
        return replace(named, name="EVENT_TYPE")
    schema = schemas.get(_SCHEMA_OF[named.dataset])
    if schema is None:
        raise _invalid(named, f"the dataset group has no {_SCHEMA_OF[named.dataset]} dataset; create it first.")
    found = next((field for field in schema.fields if field.name.upper() == named.name.upper()), None)
    if found is None:
        names = ", ".join(field.name for field in schema.fields if _filterable(field))
        raise _invalid(named, f"the schema of {_SCHEMA_OF[named.dataset]} has no field {named.name}; it has {names}.")
    if not _filterable(found):
        kind = "textual" if found.textual else "boolean"
        fix = "" if found.textual else ' Store "True" and "False" as strings, or 0 and 1.'
        raise _invalid(named, f"{named} is {kind} and cannot be used in filters.{fix}")
    return replace(named, name=found.name, numeric=found.type in NUMERIC)


def _filterable(field: SchemaField) -> bool:
    return not field.textual and field.type != "boolean"


def _literal(value: Value, named: Field) -> Value:
    """A literal as its field's type: clients quote numbers and leave numeric strings bare."""
    if isinstance(value, Placeholder):
        return value
    try:
        return as_kind(value, numeric=named.numeric)
    except ValueError:
        raise _invalid(named, f"{named} holds numbers, {value!r} is not one.") from None


def as_kind(value: str | float, *, numeric: bool) -> str | float:
    """`value` as a number or as a string; raises ValueError for a string that is no number."""
    if numeric:
        return float(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return value


def _invalid(named: Field, what: str) -> InvalidInput:
    return InvalidInput(f"Invalid Expression at character {named.at}: {what}")
