"""What is popular lately: streamed interactions by item and hour, each read once; their sum over the last days."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np
import sqlalchemy as sa

from matinee.data.interactions import FloatArray
from matinee.serving.event_loop import leave_event_loop
from matinee.serving.freshness import View
from matinee.serving.trends import Rules, rules_of
from matinee.storage.metadata import events
from matinee.training.artifact import Artifact

_MOST_GROUPS = 64
_HOUR = 3_600
_DAY = 86_400


@dataclass(eq=False)
class _Group:
    """The events of a dataset group that some rules select: how often each item occurred in each hour, and in all.

    Read are events up to the number `last`, in the counting of `period`; `vectors` has the sums by artifact.
    """

    period: int = -1
    last: int = 0
    hours: dict[int, Counter[str]] = field(default_factory=dict)
    total: Counter[str] = field(default_factory=Counter)
    vectors: WeakKeyDictionary[Artifact, FloatArray] = field(default_factory=WeakKeyDictionary)


class RecentEvents:
    """Counts for models that read what is popular lately, again every `refresh` seconds. Safe to share by threads."""

    def __init__(self, refresh: int, clock: Callable[[], float] = time.time) -> None:
        self._refresh, self._clock = refresh, clock
        self._groups: OrderedDict[tuple[str, Rules], _Group] = OrderedDict()
        self._counting = threading.Lock()

    def counts(self, view: View, group_arn: str, artifact: Artifact) -> FloatArray | None:
        """How often each of the artifact's items occurred in the last days: (n_items,), not to be written to.

        The same array until the next counting. None where the model does not ask, or nothing was streamed: what the
        training ended with holds. Raises `WouldBlock` in an event loop when it is time to count.
        """
        days = artifact.model.recent_days
        if days is None:
            return None
        key, period = (group_arn, rules_of(artifact.manifest)), self._period()
        group = self._groups.get(key)
        vector = None if group is None or group.period < period else group.vectors.get(artifact)
        if vector is None:
            leave_event_loop()
            with self._counting:  # one thread counts, others take what it found
                vector = self._vector(self._counted(view, key, period, days), artifact)
        return vector if len(vector) else None

    def forget(self) -> None:
        """Let go of everything: some of it may be of users who were deleted."""
        with self._counting:
            self._groups.clear()

    def good_until(self) -> int:
        """The time, epoch seconds, of the next counting."""
        return (self._period() + 1) * self._refresh

    def _period(self) -> int:
        return int(self._clock()) // self._refresh

    def _counted(self, view: View, key: tuple[str, Rules], period: int, days: float) -> _Group:
        """The group with what was streamed up to now."""
        group = self._groups.setdefault(key, _Group())
        self._groups.move_to_end(key)
        while len(self._groups) > _MOST_GROUPS:
            self._groups.popitem(last=False)
        if group.period >= period:
            return group
        first = int(self._clock() - days * _DAY) // _HOUR
        last, found = _read(view.connection, key, group.last, first * _HOUR, int(self._clock()))
        for item, hour, count in found:
            group.hours.setdefault(hour, Counter())[item] += count
            group.total[item] += count
        for hour in [hour for hour in group.hours if hour < first]:
            group.total -= group.hours.pop(hour)  # leaves out what falls to nothing
        # Requests that are under way go on with the sums that they were given.
        group.vectors, group.last, group.period = WeakKeyDictionary(), last, period
        return group

    def _vector(self, group: _Group, artifact: Artifact) -> FloatArray:
        """The sums by the artifact's items; empty where there is nothing to count."""
        vector = group.vectors.get(artifact)
        if vector is None:
            numbers = {item: number for item in group.total if (number := artifact.item_index(item)) is not None}
            vector = np.zeros(artifact.n_items if numbers else 0, np.float32)
            for item, number in numbers.items():
                vector[number] = group.total[item]
            vector.setflags(write=False)
            group.vectors[artifact] = vector
        return vector


def _read(
    connection: sa.Connection, key: tuple[str, Rules], after: int, since: int, until: int
) -> tuple[int, list[tuple[str, int, int]]]:
    """The number of the group's newest event, and (item, hour, events) of those numbered above `after`.

    What is said to have happened before `since` or after `until` does not count.
    """
    c, (group_arn, rules) = events.c, key
    newest = connection.scalar(sa.select(sa.func.max(c.seq)).where(c.group_arn == group_arn, c.seq > after))
    if newest is None:
        return after, []
    kinds = sa.or_(*(_selected(*rule) for rule in rules))
    hour = (c.sent_at // _HOUR).label("hour")
    query = (
        sa.select(c.item_id, hour, sa.func.count())
        .where(c.group_arn == group_arn, c.seq > after, c.seq <= newest, c.item_id.is_not(None))
        .where(c.sent_at.between(since, until), kinds)
        .group_by(c.item_id, hour)
    )
    return int(newest), [(str(item), int(at), int(count)) for item, at, count in connection.execute(query)]


def _selected(event_type: str | None, threshold: float | None) -> sa.ColumnElement[bool]:
    """Whether a rule of the training takes the event."""
    conditions: list[sa.ColumnElement[bool]] = [sa.true()]
    if event_type is not None:
        conditions.append(sa.func.lower(events.c.event_type) == event_type)
    if threshold is not None:
        conditions.append(events.c.event_value >= threshold)
    return sa.and_(*conditions)
