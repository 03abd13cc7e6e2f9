"""A validation part taken out of the training data: users never seen, and what others did last. Never the test part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import FloatArray, Histories, IntArray, Interactions, LongArray
from matinee.models.histories import rows_of

#: A user with fewer events is not asked for any.
_FEWEST_EVENTS = 5
_CUTOFF = 10
#: Users who were there in so much of the newest events, by time, are asked for their tails first.
_NEWEST = 0.1
#: Where a user's history is cut into what is given and what is asked for.
CUTS = (0.9, 0.8, 0.7, 0.6, 0.5)


@dataclass(frozen=True)
class Validation:
    """`histories` to score and the `truth` each should find; both (cases,)."""

    histories: Histories
    truth: Histories

    def __len__(self) -> int:
        return len(self.histories)

    def first(self, count: int) -> Validation:
        """The first `count` cases."""
        rows = np.arange(min(count, len(self)))
        return Validation(self.histories.take(rows), self.truth.take(rows))

    def ndcg(self, scores: FloatArray, *, exclude_seen: bool) -> float:
        """Mean NDCG@10 of `scores` (cases, n_items); overwritten where `exclude_seen` leaves items out."""
        if exclude_seen:
            scores[rows_of(self.histories.indptr), self.histories.items] = -np.inf
        row = rows_of(self.truth.indptr)
        wanted = scores[row, self.truth.items]
        rank = (scores[row] > wanted[:, None]).sum(axis=1)
        gain = np.where((rank < _CUTOFF) & np.isfinite(wanted), 1 / np.log2(2.0 + rank), 0.0)
        ideal = np.concatenate([[0.0], np.cumsum(1 / np.log2(2.0 + np.arange(_CUTOFF)))])
        possible = ideal[np.minimum(np.diff(self.truth.indptr), _CUTOFF)]
        return float((np.bincount(row, gain, minlength=len(self)) / np.maximum(possible, 1e-9)).mean())


def hold_out(
    data: Interactions, *, users: float, tails: float, limit: int, seed: int
) -> tuple[Interactions, Validation]:
    """The data without some events, and the cases that ask for them.

    A share `users` of the users with at least 5 events is held out altogether and asked for at each of `CUTS`: people
    whom a model has never seen. Of another share `tails` only the newest tenth of events is held out: people whom it
    knows, as late in the data's time as there are enough of them. There are `limit` cases at most, drawn by `seed`. A
    case asks for the next tenth of the user's events; items in its history, or in no training event, are not asked for,
    and a case that then asks for nothing is left out. Every other case says when and on what occasion it is asked.
    """
    lengths = np.diff(data.indptr)
    candidates = np.random.default_rng([seed, 7]).permutation(np.flatnonzero(lengths >= _FEWEST_EVENTS))
    n_users = min(round(users * len(candidates)), limit // (2 * len(CUTS)), max(0, int((lengths > 0).sum()) - 1))
    n_tails = min(round(tails * len(candidates)), limit // 2)
    new, known = np.sort(candidates[:n_users]), np.sort(_late_first(data, candidates[n_users:])[:n_tails])
    keep = np.ones(len(data), np.bool_)
    keep[np.isin(data.user, new)] = False
    begin, end = data.indptr[known], data.indptr[known + 1]
    cut = end - -(-lengths[known] // 10)
    for first, last in zip(cut, end, strict=True):
        keep[first:last] = False
    train = data.select(keep)
    cases = [_at_cut(data, user, share) for user in new for share in CUTS]
    cases += [np.array(rows) for rows in zip(begin, cut, end, strict=True)]
    return train, _validation(data, cases, np.bincount(train.item, minlength=data.n_items) > 0)


def _late_first(data: Interactions, users: LongArray) -> LongArray:
    """`users` in their order, but those who were there in the newest tenth of events before all others."""
    late = data.timestamp[data.indptr[users + 1] - 1] >= np.quantile(data.timestamp, 1 - _NEWEST)
    return users[np.argsort(~late, kind="stable")]


def _at_cut(data: Interactions, user: int, share: float) -> LongArray:
    """(first row, first row asked for, one past the last) of a user's events cut at `share`."""
    begin, end = data.indptr[user], data.indptr[user + 1]
    cut = begin + max(1, int(share * (end - begin)))
    return np.array([begin, cut, min(end, cut + -(-(end - begin) // 10))])


def _validation(data: Interactions, cases: list[LongArray], known: NDArray[np.bool_]) -> Validation:
    """The cases whose rows of `data` are (first, first asked for, one past the last)."""
    given: list[LongArray] = []
    asked: list[IntArray] = []
    for begin, cut, end in cases:
        after = np.unique(data.item[cut:end])
        after = after[known[after] & ~np.isin(after, data.item[begin:cut])]
        if len(after):
            given.append(np.array([begin, cut]))
            asked.append(after)
    start, end = np.array(given, np.int64).reshape(-1, 2).T
    items = np.concatenate(asked).astype(np.int32) if asked else np.zeros(0, np.int32)
    histories = _half_told(data.stretches(start, end, asked=end))
    return Validation(histories, Histories(_indptr(asked), items, np.zeros(len(items), np.int64)))


def _half_told(histories: Histories) -> Histories:
    """The same, but only every other case says when and on what occasion it is asked."""
    told = np.arange(len(histories)) % 2 == 1
    context = None if histories.context is None else histories.context * told[:, None].astype(np.float32)
    return replace(histories, now=np.where(told, histories.asked(), -1), context=context)


def _indptr(parts: Sequence[NDArray[Any]]) -> LongArray:
    """Where each part begins when they are put one after another: (parts + 1,)."""
    return np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
