"""Exposures: when a user was shown an action, whether they took it in time, what they had done about actions before.

An exposure begins with an event of a user about an action; all events of the two within the period after it belong to
it, and it is a success when one of them is TAKEN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.data.actions import ActionEvents, Answer
from matinee.data.interactions import FloatArray, Histories, IntArray, Interactions, LongArray

DAY = 86_400
#: What `behaviour` tells of each action, in its columns.
BEHAVIOUR = (
    "times taken",
    "times not taken",
    "share of all actions taken",
    "events about any action",
    "how lately taken",
    "times seen lately",
)
_PRIOR_RATE, _PRIOR_EVENTS = 0.3, 3.0


@dataclass(frozen=True)
class Exposures:
    """Parallel arrays (n,), by user, then time: who was shown what when (epoch seconds), and whether it was taken."""

    user: IntArray
    action: IntArray
    time: LongArray
    taken: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.user)

    def select(self, keep: NDArray[np.bool_] | LongArray) -> Exposures:
        """The rows that `keep` masks or numbers."""
        return Exposures(self.user[keep], self.action[keep], self.time[keep], self.taken[keep])


def exposures(events: ActionEvents, period_days: float) -> Exposures:
    """The exposures in a log of action events."""
    begun: dict[tuple[int, int], int] = {}
    rows: list[tuple[int, int, int]] = []
    taken: list[bool] = []
    period = period_days * DAY
    columns = (events.user.tolist(), events.action.tolist(), events.timestamp.tolist(), events.answer.tolist())
    for user, action, time, answer in zip(*columns, strict=True):
        at = begun.get((user, action))
        if at is None or time - rows[at][2] > period:
            at = begun[user, action] = len(rows)
            rows.append((user, action, time))
            taken.append(False)
        taken[at] |= answer == Answer.TAKEN
    table = np.array(rows, np.int64).reshape(-1, 3)
    return Exposures(table[:, 0].astype(np.int32), table[:, 1].astype(np.int32), table[:, 2], np.array(taken, np.bool_))


def behaviour(
    actions: IntArray, timestamps: LongArray, answers: NDArray[np.int8], n_actions: int, now: int
) -> FloatArray:
    """What a user's events about actions, all before `now` (epoch seconds), tell: (n_actions, len(BEHAVIOUR)).

    The events are parallel arrays (events,), oldest first.
    """
    taken = answers == Answer.TAKEN
    times_taken = np.bincount(actions[taken], minlength=n_actions)
    times_not = np.bincount(actions[~taken], minlength=n_actions)
    rate = (taken.sum() + _PRIOR_RATE * _PRIOR_EVENTS) / (len(actions) + _PRIOR_EVENTS)
    lately, seen = np.zeros(n_actions), np.zeros(n_actions)
    days = np.maximum(now - timestamps, 0) / DAY
    lately[actions[taken]] = 1 / (1 + days[taken])  # the newest is written last
    np.add.at(seen, actions, np.exp(-days / 7))
    return np.stack(
        [
            np.log1p(times_taken),
            np.log1p(times_not),
            np.full(n_actions, np.log(rate / (1 - rate))),
            np.full(n_actions, np.log1p(len(actions))),
            lately,
            np.log1p(seen),
        ],
        axis=1,
    ).astype(np.float32)


def behaviour_before(events: ActionEvents, shown: Exposures) -> FloatArray:
    """What `behaviour` tells of each exposure's own action just before it: (len(shown), len(BEHAVIOUR))."""
    found = np.zeros((len(shown), len(BEHAVIOUR)), np.float32)
    for row, (user, action, time) in enumerate(zip(shown.user, shown.action, shown.time, strict=True)):
        found[row] = behaviour_at(events, int(user), int(time))[action]
    return found


def behaviour_at(events: ActionEvents, user: int, time: int) -> FloatArray:
    """What `behaviour` tells of a user's events before `time`: (n_actions, len(BEHAVIOUR))."""
    begin, end = events.indptr[user], events.indptr[user + 1]
    own = slice(begin, begin + np.searchsorted(events.timestamp[begin:end], time))
    return behaviour(events.action[own], events.timestamp[own], events.answer[own], events.n_actions, time)


def histories_before(data: Interactions, shown: Exposures, limit: int) -> Histories:
    """Each exposure's user as they were: their newest `limit` item interactions before it."""
    begins, ends = np.zeros(len(shown), np.int64), np.zeros(len(shown), np.int64)
    for row, (user, time) in enumerate(zip(shown.user, shown.time, strict=True)):
        begin, end = data.indptr[user], data.indptr[user + 1]
        ends[row] = begin + np.searchsorted(data.timestamp[begin:end], time)
        begins[row] = max(begin, ends[row] - limit)
    return data.stretches(begins, ends)
