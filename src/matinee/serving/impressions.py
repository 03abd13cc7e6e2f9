"""What became of items that were shown: impressions and clicks by item, counted from streamed events.

One list that was shown is one exposure: an event names it by recommendationId, which stands for what was answered, or
by the `impression` list itself, which outranks that (spec 9.6). Several events about the same list count it once. An
item of the list that an event names was clicked. How many clicks to expect depends on the place in the list.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sqlalchemy as sa

from matinee.serving.exploration import DoubleArray
from matinee.serving.freshness import View
from matinee.serving.recommendation_log import shown_by
from matinee.storage.metadata import events

#: Places of a list that are told apart; all behind the last count alike.
PLACES = 26
#: Events read in one step, so that no request waits long; and how far back the first step begins.
_AT_ONCE, _HORIZON = 5_000, 200_000
#: Exposures of which later events are still recognised as speaking of the same list.
_MOST_EXPOSURES = 50_000
#: Events whose answer is not in the log yet are tried again for so many seconds: it is written just after the answer.
_WAIT, _MOST_WAITING = 5.0, 1_000
#: The rate that a place is clicked at before anything is known, and how many impressions that weighs.
_RATE, _RATE_WEIGHT = 0.05, 20.0
_MOST_GROUPS = 64


@dataclass(frozen=True, eq=False)
class Feedback:
    """For the items of `row` (ID to row): `clicks` and `expected` clicks, each (rows,).

    `newest_event` is the time of the newest streamed event, epoch seconds, 0 without one; never in the future.
    """

    row: Mapping[str, int] = field(default_factory=dict)
    clicks: DoubleArray = field(default_factory=lambda: np.zeros(0))
    expected: DoubleArray = field(default_factory=lambda: np.zeros(0))
    newest_event: int = 0


@dataclass
class Exposure:
    """Items of one list with their places, and those that were clicked."""

    places: dict[str, int] = field(default_factory=dict)
    clicked: set[str] = field(default_factory=set)


class Counter:
    """Counts exposures of one group."""

    def __init__(self) -> None:
        self.row: dict[str, int] = {}
        self._shown = np.zeros((64, PLACES))
        self._clicks = np.zeros(64)
        self._clicked_at = np.zeros(PLACES)
        self._exposures: OrderedDict[Hashable, Exposure] = OrderedDict()

    def add(self, key: Hashable, shown: Sequence[str], clicked: str | None) -> None:
        """An event about the list `key`, in which `shown` stood, best first; it names the item `clicked`, if any."""
        exposure = self._exposures.setdefault(key, Exposure())
        self._exposures.move_to_end(key)
        if len(self._exposures) > _MOST_EXPOSURES:
            self._exposures.popitem(last=False)
        for place, item in enumerate(shown):
            if item not in exposure.places:
                exposure.places[item] = min(place, PLACES - 1)
                row = self._row(item)
                self._shown[row, exposure.places[item]] += 1
        if clicked is not None and clicked in exposure.places and clicked not in exposure.clicked:
            exposure.clicked.add(clicked)
            self._clicks[self.row[clicked]] += 1
            self._clicked_at[exposure.places[clicked]] += 1

    def feedback(self, newest_event: int) -> Feedback:
        """The counts so far."""
        n = len(self.row)
        at = self._shown[:n].sum(axis=0)
        overall = (self._clicked_at.sum() + _RATE * _RATE_WEIGHT) / (at.sum() + _RATE_WEIGHT)
        rates = (self._clicked_at + overall * _RATE_WEIGHT) / (at + _RATE_WEIGHT)
        return Feedback(dict(self.row), self._clicks[:n].copy(), self._shown[:n] @ rates, newest_event)

    def _row(self, item: str) -> int:
        row = self.row.setdefault(item, len(self.row))
        if row >= len(self._clicks):
            self._shown = np.concatenate([self._shown, np.zeros_like(self._shown)])
            self._clicks = np.concatenate([self._clicks, np.zeros_like(self._clicks)])
        return row


@dataclass
class _Waiting:
    """An event about an answer that is not in the log yet; `until` is when to give up."""

    recommendation: str
    item: str | None
    until: float


class _Group:
    """How far one group's events have been counted."""

    def __init__(self) -> None:
        self.counter = Counter()
        self.feedback = Feedback()
        self.looked: float | None = None
        self.behind = True
        self.last: int | None = None
        self.newest_event = 0
        self.waiting: list[_Waiting] = []
        self.lock = threading.Lock()


class Impressions:
    """The feedback of each group, looked for again after `refresh` seconds. Every process counts the same log."""

    def __init__(self, refresh: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._refresh, self._clock = refresh, clock
        self._groups: OrderedDict[str, _Group] = OrderedDict()
        self._lock = threading.Lock()

    def afresh(self) -> Impressions:
        """The same, with everything to be counted again."""
        return Impressions(self._refresh, self._clock)

    def feedback(self, view: View, group_arn: str) -> Feedback:
        """What is known of a group's items; the same object as long as nothing new was counted.

        One thread at a time counts; meanwhile the others are given what was known before.
        """
        with self._lock:
            group = self._groups.setdefault(group_arn, _Group())
            self._groups.move_to_end(group_arn)
            if len(self._groups) > _MOST_GROUPS:
                self._groups.popitem(last=False)
        now = self._clock()
        due = group.behind or group.looked is None or now - group.looked >= self._refresh
        if due and group.lock.acquire(blocking=False):
            try:
                self._count(view, group_arn, group, now)
            finally:
                group.lock.release()
        return group.feedback

    def _count(self, view: View, group_arn: str, group: _Group, now: float) -> None:
        connection = view.connection
        if group.last is None:
            group.last = max(0, (connection.scalar(sa.select(sa.func.max(events.c.seq))) or 0) - _HORIZON)
        columns = (events.c.seq, events.c.session_id, events.c.item_id, events.c.sent_at, events.c.details)
        query = sa.select(*columns).where(events.c.seq > group.last, events.c.group_arn == group_arn)
        # A group's numbers are committed in their order (`intake`), so nothing comes up behind the last one.
        rows = connection.execute(query.order_by(events.c.seq).limit(_AT_ONCE)).all()
        waiting, group.waiting = group.waiting, []
        named = {one.recommendation for one in waiting}
        named |= {row.details["recommendationId"] for row in rows if _names_an_answer(row.details or {})}
        answered = shown_by(connection, named, group_arn)
        for one in waiting:
            self._count_implicit(group, answered, one, now)
        for row in rows:
            details = row.details or {}
            recommendation = details.get("recommendationId")
            if details.get("impression"):
                shown = tuple(details["impression"])
                group.counter.add(recommendation or (row.session_id, shown), shown, row.item_id)
            elif recommendation:
                self._count_implicit(group, answered, _Waiting(recommendation, row.item_id, now + _WAIT), now)
        if rows:
            group.last = rows[-1].seq
            sent = [row.sent_at for row in rows if row.sent_at <= time.time()]
            group.newest_event = max([group.newest_event, *sent])
        group.behind, group.looked = len(rows) >= _AT_ONCE, now
        if rows or len(group.waiting) < len(waiting):
            group.feedback = group.counter.feedback(group.newest_event)

    def _count_implicit(
        self, group: _Group, answered: Mapping[str, Sequence[str]], event: _Waiting, now: float
    ) -> None:
        shown = answered.get(event.recommendation)
        if shown is not None:
            group.counter.add(event.recommendation, shown, event.item)
        elif now <= event.until and len(group.waiting) < _MOST_WAITING:
            group.waiting.append(event)


def _names_an_answer(details: Mapping[str, Any]) -> bool:
    """Whether the answer says what was shown, not the event."""
    return bool(details.get("recommendationId")) and not details.get("impression")
