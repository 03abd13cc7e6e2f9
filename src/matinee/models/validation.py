"""A validation part taken out of the training data: some users, asked at several points. Never the test part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import FloatArray, Histories, IntArray, Interactions, LongArray
from matinee.models.histories import rows_of

#: A user with fewer events is not asked for any.
_FEWEST_EVENTS = 5
_CUTOFF = 10
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


def hold_out_users(
    data: Interactions, *, share: float, limit: int, seed: int, cuts: tuple[float, ...] = CUTS
) -> tuple[Interactions, Validation]:
    """The data without some users, and cases of those users: at each of `cuts`, what comes before finds what follows.

    The users are a `share` of those with at least 5 events, `limit` at most, drawn by `seed`. A case asks for the
    next tenth of the user's events; items that are in its history, or in no training event, are not asked for, and a
    case that then asks for nothing is left out. Several cuts make as much of few users as can be made.
    """
    lengths = np.diff(data.indptr)
    candidates = np.flatnonzero(lengths >= _FEWEST_EVENTS)
    count = min(limit, int(np.ceil(share * len(candidates))), max(0, int((lengths > 0).sum()) - 1))
    user = np.sort(np.random.default_rng([seed, 7]).permutation(candidates)[:count])
    held_out = np.zeros(data.n_users, np.bool_)
    held_out[user] = True
    train = data.select(~held_out[data.user])
    known = np.bincount(train.item, minlength=data.n_items) > 0
    return train, _cases(data, user, cuts, known)


def _cases(data: Interactions, user: LongArray, cuts: tuple[float, ...], known: NDArray[np.bool_]) -> Validation:
    """A case for every user of `user` at every cut."""
    given: list[IntArray] = []
    asked: list[IntArray] = []
    for number in user:
        history = data.history(number)
        size = -(-len(history) // 10)
        for cut in cuts:
            at = max(1, int(cut * len(history)))
            before, after = history[:at], np.unique(history[at : at + size])
            after = after[known[after] & ~np.isin(after, before)]
            if len(after):
                given.append(before)
                asked.append(after)
    return Validation(_packed(given), _packed(asked))


def _packed(histories: list[IntArray]) -> Histories:
    """Histories of a list, one second between events: what is scored here reads their order only."""
    indptr = np.concatenate([[0], np.cumsum([len(history) for history in histories])]).astype(np.int64)
    items = np.concatenate(histories) if histories else np.zeros(0, np.int32)
    return Histories(indptr, items.astype(np.int32), np.arange(len(items), dtype=np.int64))
