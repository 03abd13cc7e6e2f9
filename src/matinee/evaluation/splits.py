"""How a log is cut into what is trained on, what is given as input, and what must be found: three protocols.

Every case reads one stretch of one user's sorted events as input and a later stretch as truth, so a split holds four
arrays of positions and copies nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from matinee.data.interactions import Histories, Interactions, LongArray

#: `personalize`: one user in so many is held out, and one in so many of their events, the newest, is truth.
ONE_USER_IN = 10
ONE_EVENT_IN = 10
#: `temporal`: the quantile of time at which training ends, and the most cases that one user gives.
TRAINING_TIME = 0.9
CASES_A_USER = 10


@dataclass(frozen=True)
class Split:
    """`train`, and the cases: each array is (cases,). Positions index the rows of `log`, ends are exclusive.

    Where the split is `timed`, a case says when and on what occasion it is asked: those of the first event that it
    should find.
    """

    protocol: str
    train: Interactions
    log: Interactions
    user: LongArray
    input_start: LongArray
    input_end: LongArray
    truth_start: LongArray
    truth_end: LongArray
    timed: bool = False

    def __len__(self) -> int:
        return len(self.user)

    def inputs(self, begin: int, end: int) -> Histories:
        """The input histories of the cases numbered `begin` to `end`."""
        cases = slice(begin, end)
        asked = self.truth_start[cases] if self.timed else None
        return self.log.stretches(self.input_start[cases], self.input_end[cases], asked)

    def truths(self, begin: int, end: int) -> Histories:
        """What the cases numbered `begin` to `end` should find."""
        return self.log.stretches(self.truth_start[begin:end], self.truth_end[begin:end])


def personalize(data: Interactions, seed: int = 0) -> Split:
    """Amazon Personalize's hold-out: of 10% of users, drawn by `seed`, the oldest 90% of events in, the newest truth.

    The users held out are rounded down, but one at least; the truth is rounded up, so it is one event at least. A user
    with fewer than two events is never held out. Training sees nothing of held-out users. The draw is
    `numpy.random.default_rng(seed).choice` of users in the order of their IDs, as the figures that we compare with
    were made: other users give other figures, by more than models differ.
    """
    lengths = np.diff(data.indptr)
    candidates = np.flatnonzero(lengths >= 2)
    count = min(len(candidates), max(1, len(candidates) // ONE_USER_IN))
    user = np.sort(np.random.default_rng(seed).choice(candidates, count, replace=False))
    truth = -(-lengths[user] // ONE_EVENT_IN)
    held_out = np.zeros(data.n_users, np.bool_)
    held_out[user] = True
    start, end = data.indptr[user], data.indptr[user + 1]
    return Split("personalize", data.select(~held_out[data.user]), data, user, start, end - truth, end - truth, end)


def leave_one_out(data: Interactions, seed: int = 0) -> Split:
    """Every user's last event is truth and the others are input and training; for comparison with papers.

    Users with fewer than two events give no case. `seed` changes nothing: the split is the same every time.
    """
    user = np.flatnonzero(np.diff(data.indptr) >= 2)
    start, end = data.indptr[user], data.indptr[user + 1]
    keep = np.ones(len(data), np.bool_)
    keep[end - 1] = False
    return Split("leave-one-out", data.select(keep), data, user, start, end - 1, end - 1, end)


def temporal(data: Interactions, seed: int = 0) -> Split:
    """Training ends at the 90% quantile of time; each later event is found from the user's strictly earlier ones.

    A user gives at most 10 cases, the earliest ones. A user without earlier events has an empty input. `seed` changes
    nothing. This is how serving works: nothing of the future leaks in, and a request knows what time it is.
    """
    cut = np.quantile(data.timestamp, TRAINING_TIME, method="lower")
    late = np.flatnonzero(data.timestamp >= cut)
    user = data.user[late].astype(np.int64)
    nth = np.arange(len(late)) - np.searchsorted(user, user, side="left")
    late, user = late[nth < CASES_A_USER], user[nth < CASES_A_USER]
    earlier = _first_at_same_time(data)[late]
    train, start = data.select(data.timestamp < cut), data.indptr[user]
    return Split("temporal", train, data, user, start, earlier, late, late + 1, timed=True)


def _first_at_same_time(data: Interactions) -> LongArray:
    """For every row, the first row of the same user and second: (n,)."""
    rows = np.arange(len(data))
    starts = np.ones(len(data), np.bool_)
    starts[1:] = (data.user[1:] != data.user[:-1]) | (data.timestamp[1:] != data.timestamp[:-1])
    return np.maximum.accumulate(np.where(starts, rows, 0))


#: The protocols by name.
PROTOCOLS: Mapping[str, Callable[[Interactions, int], Split]] = MappingProxyType(
    {"personalize": personalize, "leave-one-out": leave_one_out, "temporal": temporal}
)
