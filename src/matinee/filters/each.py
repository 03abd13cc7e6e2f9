"""What a filter lets through for many users at once, of whom nothing but their events matters. Spec 8.2 and 8.6."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from matinee.filters.columns import Mask
from matinee.filters.evaluation import event_types
from matinee.filters.syntax import Condition, Expression, Filter, Verb
from matinee.filters.table import Table

#: Rows and things: pairs, each (k,).
Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]


class EventsOfMany(Protocol):
    """The newest events of each type of many users, a row each."""

    def __len__(self) -> int:
        """The number of users."""

    def of_types(self, types: frozenset[str] | None) -> Pairs:
        """Rows and things that the users have such an event for; `types` in lower case, None for any."""


def held_back_each(bound: Filter, table: Table, events: EventsOfMany) -> Mask:
    """What `evaluation.allowed` denies each user: (users, table.n), or (1, table.n) where it is one for all.

    For filters without IF and without the current item; users have no events for things that are not in the table.
    """
    included: Mask | None = None
    held_back: Mask | None = None
    for expression in bound.expressions:
        described = _described(expression, table, events)
        if expression.verb is Verb.EXCLUDE:
            held_back = described if held_back is None else held_back | described
        else:
            included = described if included is None else included | described
    if included is None:
        return np.zeros((1, table.n), np.bool_) if held_back is None else held_back
    return ~included if held_back is None else held_back | ~included


def _described(expression: Expression, table: Table, events: EventsOfMany) -> Mask:
    """The set that an expression's condition describes (users or 1, table.n)."""
    if not expression.dataset.holds_events:
        return table.where(expression.alternatives)[None, :]
    result: Mask | None = None
    for first, *others in expression.alternatives:
        every = _with_event(first, table.n, events)
        for condition in others:
            every &= _with_event(condition, table.n, events)
        result = every if result is None else result | every
    assert result is not None  # noqa: S101  # an expression has at least one conjunction
    return result


def _with_event(condition: Condition, n: int, events: EventsOfMany) -> Mask:
    types, negated = event_types(condition)
    mask = np.zeros((len(events), n), np.bool_)
    mask[events.of_types(types)] = True
    return ~mask if negated else mask
