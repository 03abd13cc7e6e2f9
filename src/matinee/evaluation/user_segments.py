"""Metrics of user segments by Amazon Personalize's definitions (spec 5.1, 5.2): how many of the top 1% of users came.

Every user's interactions are split: the oldest 80% are learned from, the users of the newest 20% are to be found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import FloatArray, Interactions, LongArray
from matinee.evaluation.intervals import GROUPS, jackknife, over_cases

LEARNED_SHARE = 0.8
TOP_SHARE = 0.01


@dataclass(frozen=True)
class SegmentResult:
    """`hits` and `recall` (queries,) of each query that somebody should be found for; `recommended` (groups, n_users)
    counts how often each user is among the top of a group of queries."""

    hits: NDArray[np.float64]
    recall: NDArray[np.float64]
    recommended: NDArray[np.int64]

    @property
    def coverage(self) -> float:
        """The share of users who are among the top of any query."""
        return _covered(self.recommended.sum(axis=0))["coverage"]

    def metrics(self) -> dict[str, float]:
        """The metrics under the names of GetSolutionMetrics, to 4 decimals; coverage alone without any query."""
        found = {"coverage": self.coverage}
        if len(self.hits):
            found |= {"hits_at_1_percent": self.hits.mean(), "recall_at_1_percent": self.recall.mean()}
        return {name: round(float(value), 4) for name, value in found.items()}

    def intervals(self) -> dict[str, dict[str, float]]:
        """`{mean, low, high}` of every metric: by bootstrap over queries, of coverage by a jackknife over groups of
        them."""
        found = {"coverage": jackknife([self.recommended], _covered)["coverage"].rounded()}
        if len(self.hits):
            values = {"hits_at_1_percent": self.hits, "recall_at_1_percent": self.recall}
            found |= over_cases(np.arange(len(self.hits)), values, len(self.hits))
        return found


def _covered(recommended: NDArray[np.int64]) -> dict[str, float]:
    return {"coverage": float((recommended > 0).mean())}


def split_users(data: Interactions) -> tuple[Interactions, Interactions]:
    """Each user's oldest 80% of events, rounded up, and the rest."""
    lengths = np.diff(data.indptr)
    place = np.arange(len(data)) - np.repeat(data.indptr[:-1], lengths)
    old = place < np.repeat(np.ceil(lengths * LEARNED_SHARE).astype(np.int64), lengths)
    return data.select(old), data.select(~old)


def top_users(n_users: int) -> int:
    """How many users are 1% of them, at least one."""
    return max(1, round(n_users * TOP_SHARE))


def measure_segments(
    queries: Sequence[LongArray],
    scores: Iterable[FloatArray],
    learned: Interactions,
    asked: Interactions,
    *,
    repeats: bool,
) -> SegmentResult:
    """How well users are found who turn to any of a query's items in `asked`; `scores` (n_users,) come query by query.

    Where users do not come back (`repeats`), an event with an item that its user had before is not asked for. Queries
    that nobody is to be found for are left out.
    """
    k = top_users(learned.n_users)
    wanted = asked if repeats else _new_events(learned, asked)
    by_item = np.argsort(wanted.item, kind="stable")
    bounds = np.searchsorted(wanted.item[by_item], np.arange(wanted.n_items + 1))
    recommended = np.zeros((GROUPS, learned.n_users), np.int64)
    hits, recall = [], []
    for number, (items, found) in enumerate(zip(queries, scores, strict=True)):
        top = np.argpartition(-found, k - 1)[:k]
        recommended[number % GROUPS, top] += 1
        rows = [by_item[bounds[item] : bounds[item + 1]] for item in items]
        users = np.unique(wanted.user[np.concatenate(rows)]) if rows else np.zeros(0, np.int32)
        if len(users):
            came = int(np.isin(top, users).sum())
            hits.append(float(came))
            recall.append(came / len(users))
    return SegmentResult(np.array(hits), np.array(recall), recommended)


def _new_events(learned: Interactions, asked: Interactions) -> Interactions:
    """The events of `asked` whose user had none with that item in `learned`."""
    had = np.unique(learned.user.astype(np.int64) * learned.n_items + learned.item)
    return asked.select(~np.isin(asked.user.astype(np.int64) * asked.n_items + asked.item, had))
