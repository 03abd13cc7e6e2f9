"""A validation part taken out of the training data: the newest events of some users. Never the test part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matinee.data.interactions import FloatArray, Histories, Interactions
from matinee.models.histories import rows_of

#: A user with fewer events is not asked for any.
_FEWEST_EVENTS = 5
_CUTOFF = 10


@dataclass(frozen=True)
class Validation:
    """`histories` to score and the `truth` each should find; both (cases,)."""

    histories: Histories
    truth: Histories

    def __len__(self) -> int:
        return len(self.histories)

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


def hold_out_newest(
    data: Interactions, *, share: float, limit: int, seed: int, truth_share: float = 0.1
) -> tuple[Interactions, Validation]:
    """The data without the newest `truth_share` of the events of some users, and those users as cases.

    The users are a `share` of those with at least 5 events, `limit` at most, drawn by `seed`. Items of the truth that
    are in the history, or in no training event, are not asked for.
    """
    lengths = np.diff(data.indptr)
    candidates = np.flatnonzero(lengths >= _FEWEST_EVENTS)
    count = min(limit, int(np.ceil(share * len(candidates))))
    user = np.sort(np.random.default_rng([seed, 7]).permutation(candidates)[:count])
    end = data.indptr[user + 1]
    cut = end - np.ceil(truth_share * lengths[user]).astype(np.int64)
    keep = np.ones(len(data), np.bool_)
    for begin, stop in zip(cut, end, strict=True):
        keep[begin:stop] = False
    train = data.select(keep)
    return train, Validation(train.histories().take(user), _new_items(data, train, keep, user))


def _new_items(data: Interactions, train: Interactions, keep: np.ndarray, user: np.ndarray) -> Histories:
    """The held-out events of `user` (cases,) whose item the user has not in training but somebody has."""
    case = np.full(data.n_users, -1, np.int64)
    case[user] = np.arange(len(user))
    out = np.flatnonzero(~keep)
    pair = data.user.astype(np.int64) * data.n_items + data.item
    known = np.bincount(train.item, minlength=data.n_items) > 0
    out = out[known[data.item[out]] & ~np.isin(pair[out], pair[keep])]
    _, first = np.unique(pair[out], return_index=True)
    out = out[np.sort(first)]
    counts = np.bincount(case[data.user[out]], minlength=len(user))
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Histories(indptr, data.item[out], data.timestamp[out])
