"""`filterValues`: reading them, and putting them in the place of a filter's placeholders. Spec 8.5."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from matinee.errors import InvalidInput
from matinee.filters.checking import as_kind
from matinee.filters.syntax import Among, Compared, Condition, Expression, Field, Filter, Placeholder, Value, Verb

_ELEMENT = re.compile(r'\s*(?:"((?:\\.|[^"\\])*)"|([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?))\s*(,|$)')

Values = Mapping[str, tuple[str, ...]]


def bind(tree: Filter, given: Mapping[str, str]) -> Filter:
    """The filter with `given`, a request's filterValues, in the place of its placeholders.

    An EXCLUDE expression that lacks a value is left out. Raises `InvalidInput` for a value that an INCLUDE lacks, one
    that no placeholder takes, and one that cannot be read.
    """
    return _bound(tree, tuple(sorted(given.items())))


@lru_cache(maxsize=4096)
def _bound(tree: Filter, given: tuple[tuple[str, str], ...]) -> Filter:
    values = {name: read_values(name, text) for name, text in given}
    unknown = sorted(values.keys() - tree.placeholders())
    if unknown:
        names = ", ".join(sorted(tree.placeholders())) or "none"
        raise InvalidInput(f"The filter has no parameter {unknown[0]}; its parameters are: {names}.")
    bound = []
    for expression in tree.expressions:
        missing = sorted(expression.placeholders() - values.keys())
        if not missing:
            bound.append(_expression(expression, values))
        elif expression.verb is Verb.INCLUDE:
            raise InvalidInput(f"The filter needs a value for the parameter {missing[0]}; give it in filterValues.")
    return Filter(tuple(bound))


def read_values(name: str, text: str) -> tuple[str, ...]:
    r"""The elements of one filter value: `"\"Comedy\",\"Drama\""` gives Comedy and Drama, `"20"` gives 20.

    Raises `InvalidInput` naming the parameter.
    """
    elements: list[str] = []
    at = 0
    while at < len(text) or not elements:
        match = _ELEMENT.match(text, at)
        if match is None:
            raise InvalidInput(
                f"The value of filter parameter {name} cannot be read at character {at + 1}: give strings in double "
                r'quotes, separated by commas ("\"Comedy\",\"Drama\""), or a number.'
            )
        quoted, number, separator = match.groups()
        elements.append(number if quoted is None else re.sub(r"\\([\"\\])", r"\1", quoted))
        at = match.end()
        if separator == "," and at >= len(text):
            raise InvalidInput(f"The value of filter parameter {name} ends with a comma; remove it.")
    return tuple(elements)


def _expression(expression: Expression, values: Values) -> Expression:
    return replace(
        expression,
        alternatives=tuple(
            tuple(_condition(condition, values) for condition in conjunction) for conjunction in expression.alternatives
        ),
        guards=tuple(_condition(condition, values) for condition in expression.guards),
    )


def _condition(condition: Condition, values: Values) -> Condition:
    if isinstance(condition, Among) and condition.values is not None:
        elements: list[Value] = []
        for value in condition.values:
            elements.extend(_values_of(value, values, condition.field) if isinstance(value, Placeholder) else [value])
        if condition.field.dataset.holds_events and "*" in elements:
            return replace(condition, values=None)
        return replace(condition, values=tuple(elements))
    if isinstance(condition, Compared) and isinstance(condition.value, Placeholder):
        found = _values_of(condition.value, values, condition.field)
        if len(found) != 1:
            raise InvalidInput(
                f"Filter parameter {condition.value.name} is compared with {condition.operator} and takes one value, "
                f"not {len(found)}."
            )
        return replace(condition, value=found[0])
    return condition


def _values_of(placeholder: Placeholder, values: Values, named: Field) -> list[str | float]:
    try:
        return [as_kind(element, numeric=named.numeric) for element in values[placeholder.name]]
    except ValueError:
        raise InvalidInput(
            f"Filter parameter {placeholder.name} is used with {named}, which holds numbers; give a number."
        ) from None
