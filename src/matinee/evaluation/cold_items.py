"""Cold start: some items are taken out of training entirely, and must be told apart by what is known of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Interactions, LongArray
from matinee.errors import DataProblem
from matinee.evaluation.intervals import Interval, Sums, bootstrap
from matinee.evaluation.lists import Scorer
from matinee.evaluation.metrics import LIST_LENGTH

#: The share of items that are held out, and how many other events a user must have to be asked.
COLD_SHARE = 0.1
LEAST_EVENTS = 5
_USERS_AT_ONCE = 256


@dataclass(frozen=True)
class ColdSplit:
    """`train` has no event of the `cold` items (n_items,); `user` (cases,) are users with events of both kinds."""

    train: Interactions
    log: Interactions
    cold: NDArray[np.bool_]
    user: LongArray

    def wanted(self) -> NDArray[np.int64]:
        """Pairs (case, cold item) of what the users had of the cold items, distinct: (pairs, 2)."""
        rows = self.cold[self.log.item]
        case = np.searchsorted(self.user, self.log.user[rows])
        there = (case < len(self.user)) & (self.user[np.minimum(case, len(self.user) - 1)] == self.log.user[rows])
        pairs = np.stack([case[there], self.log.item[rows][there]], axis=1)
        found: NDArray[np.int64] = np.unique(pairs, axis=0).astype(np.int64)
        return found


def hold_out_items(log: Interactions, seed: int, share: float = COLD_SHARE) -> ColdSplit:
    """Take a `share` of the items that have events out of training, drawn by `seed`, with all their events.

    Asked are the users with at least 5 events left and at least one of a cold item. Raises `DataProblem` when there
    are none.
    """
    used = np.unique(log.item)
    chosen = np.random.default_rng([seed, 11]).permutation(used)[: max(1, round(share * len(used)))]
    cold = np.zeros(log.n_items, np.bool_)
    cold[chosen] = True
    train = log.select(~cold[log.item])
    left = np.diff(train.indptr)
    user = np.flatnonzero((left >= LEAST_EVENTS) & (np.diff(log.indptr) > left))
    if not len(user):
        raise DataProblem("No user has events of cold and of other items.", fix="Use a larger data set.")
    return ColdSplit(train, log, cold, user)


@dataclass(frozen=True)
class ColdResult:
    """`recall_at_25` among the cold items, beside that of a random order; `scored` says how many got a score."""

    recall_at_25: Interval
    random: float
    cases: int
    cold_items: int
    scored: int


def measure_cold(split: ColdSplit, score: Scorer) -> ColdResult:
    """Rank the cold items among themselves for each user, from the user's other events.

    Recall is the share of the user's cold items in the first 25; a random order reaches 25 / cold items. A cold item
    without a finite score is never listed.
    """
    numbers = np.flatnonzero(split.cold)
    place = np.full(split.log.n_items, -1)
    place[numbers] = np.arange(len(numbers))
    wanted = np.zeros((len(split.user), len(numbers)), np.bool_)
    pairs = split.wanted()
    wanted[pairs[:, 0], place[pairs[:, 1]]] = True
    count = min(LIST_LENGTH, len(numbers))
    histories, scored = split.train.histories(), np.zeros(len(numbers), np.bool_)
    hits = np.zeros(len(split.user))
    for begin in range(0, len(split.user), _USERS_AT_ONCE):
        rows = slice(begin, begin + _USERS_AT_ONCE)
        scores = score(histories.take(split.user[rows]))[:, numbers]
        finite = np.isfinite(scores)
        scored |= finite.any(axis=0)
        top = np.argsort(-np.where(finite, scores, -np.inf), axis=1, kind="stable")[:, :count]
        found = np.take_along_axis(wanted[rows] & finite, top, axis=1)
        hits[rows] = found.sum(axis=1)
    recall = hits / wanted.sum(axis=1)
    (interval,) = bootstrap([Sums.of(split.user, {"recall": recall}, split.log.n_users)])
    return ColdResult(interval, count / len(numbers), len(split.user), len(numbers), int(scored.sum()))
