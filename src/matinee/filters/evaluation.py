"""What a filter lets through for one request: a mask over all things. Spec 8.2, 8.3 and 8.6."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from matinee.filters.columns import Mask, compare, parts
from matinee.filters.syntax import Among, AmongCurrent, Compared, Condition, Dataset, Expression, Field, Filter, Verb
from matinee.filters.table import Table


class EventHistory(Protocol):
    """One user's newest events of each type."""

    def of_types(self, types: frozenset[str] | None) -> NDArray[np.int64]:
        """Numbers of the things that the user has such an event for; `types` in lower case, None for any."""


@dataclass(frozen=True)
class Request:
    """What a filter may look at beside the table: the user's events and record, the record of the current item.

    `strangers` things follow the table's in every mask: the user has events for them and nothing else is known. The
    table's last row has no record; they are judged like it.
    """

    events: EventHistory
    current_user: Mapping[str, Any] = field(default_factory=dict)
    current_item: Mapping[str, Any] | None = None
    strangers: int = 0


def allowed(bound: Filter, table: Table, request: Request) -> Mask:
    """The things that a bound filter lets through (table.n + strangers,).

    (I1 or I2 …) and not (E1 or E2 …); without an INCLUDE in force everything is included. An expression whose IF is
    false has no effect.
    """
    included: Mask | None = None
    n = table.n + request.strangers
    excluded = np.zeros(n, np.bool_)
    for expression in bound.expressions:
        if not all(_holds(guard, request.current_user) for guard in expression.guards):
            continue
        described = _described(expression, table, request, n)
        if expression.verb is Verb.EXCLUDE:
            excluded |= described
        else:
            included = described if included is None else included | described
    return ~excluded if included is None else included & ~excluded


#: What a delivery rule's condition is asked about: dataset to record. One that is not known yet is left out.
Facts = Mapping[Dataset, Mapping[str, Any]]


def may_hold(alternatives: Sequence[Sequence[Condition]], facts: Facts) -> bool:
    """Whether an event meets a condition (see `checking.check_occasion`), or may, as long as some datasets are not
    known. With all three known it is whether the event does."""
    return any(all(_fact_holds(one, facts) for one in conjunction) for conjunction in alternatives)


def event_facts(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The `Interactions` of `Facts`: an event in the members of the wire (eventType, itemId, sentAt, properties, …).

    Names are compared without case and underscores: clients write properties in camel case.
    """
    own = {
        "EVENTTYPE": str(event["eventType"]).lower(),
        "EVENTVALUE": event.get("eventValue"),
        "ITEMID": event.get("itemId"),
        "TIMESTAMP": event.get("sentAt"),
    }
    return {**{_bare(name): value for name, value in (event.get("properties") or {}).items()}, **own}


def _fact_holds(condition: Condition, facts: Facts) -> bool:
    dataset, name = condition.field.dataset, condition.field.name
    if dataset not in facts:
        return True
    if dataset is not Dataset.INTERACTIONS:
        return _holds(condition, facts[dataset])
    value = facts[dataset].get(_bare(name))
    if value is not None:
        try:
            value = float(value) if condition.field.numeric else str(value)
        except (TypeError, ValueError):
            value = None  # a client's property of another type than the schema's counts as none
    if name == "EVENT_TYPE":  # the case of an event's type means nothing, as in filters
        condition = _in_lower_case(condition)
    return _holds(condition, {name: value})


def _in_lower_case(condition: Condition) -> Condition:
    if isinstance(condition, Among):
        return replace(condition, values=tuple(str(value).lower() for value in condition.values or ()))
    return replace(condition, value=str(condition.value).lower()) if isinstance(condition, Compared) else condition


def _bare(name: str) -> str:
    return name.replace("_", "").upper()


def _described(expression: Expression, table: Table, request: Request, n: int) -> Mask:
    """The set that an expression's condition describes (n,)."""
    if not expression.dataset.holds_events:
        mask = table.where(
            tuple(
                tuple(_with_current_item(condition, request.current_item) for condition in conjunction)
                for conjunction in expression.alternatives
            )
        )
        return np.concatenate([mask, np.full(request.strangers, mask[-1])]) if request.strangers else mask
    result = np.zeros(n, np.bool_)
    for conjunction in expression.alternatives:
        every = np.ones(n, np.bool_)
        for condition in conjunction:
            every &= _with_event(condition, n, request.events)
        result |= every
    return result


def event_types(condition: Condition) -> tuple[frozenset[str] | None, bool]:
    """The types of events (lower case; None for any) that a condition asks for, and whether it asks for their lack."""
    if isinstance(condition, Among):
        types = None if condition.values is None else frozenset(str(value).lower() for value in condition.values)
        return types, condition.negated
    if isinstance(condition, Compared):
        return frozenset({str(condition.value).lower()}), condition.operator == "!="
    raise TypeError("an event cannot be compared with the current item")


def _with_event(condition: Condition, n: int, events: EventHistory) -> Mask:
    """The things that the user has (or, negated, has not) an event of these types for."""
    types, negated = event_types(condition)
    mask = np.zeros(n, np.bool_)
    mask[events.of_types(types)] = True
    return ~mask if negated else mask


def _with_current_item(condition: Condition, item: Mapping[str, Any] | None) -> Condition:
    """The condition with the current item's values in the place of the reference; nulls match nothing."""
    if isinstance(condition, AmongCurrent):
        return Among(condition.field, parts((item or {}).get(condition.reference.name)))
    if isinstance(condition, Compared) and isinstance(condition.value, Field):
        value = (item or {}).get(condition.value.name)
        return Among(condition.field, ()) if value is None else replace(condition, value=value)
    return condition


def _holds(guard: Condition, user: Mapping[str, Any]) -> bool:
    """Whether the current user meets a condition of IF; a null meets NOT IN only."""
    value = user.get(guard.field.name)
    if isinstance(guard, Among):
        own: Sequence[Any] = parts(value) if isinstance(value, str) else () if value is None else (float(value),)
        return any(one in (guard.values or ()) for one in own) is not guard.negated
    if value is None or not isinstance(guard, Compared):
        return False
    if isinstance(value, str):
        return (guard.value in parts(value)) is (guard.operator == "=")
    return bool(compare(value, guard.operator, guard.value))
