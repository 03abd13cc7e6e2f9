"""Histories as models read them: the newest items, and recency-weighted rows of a sparse matrix."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from scipy import sparse

from matinee.data.interactions import FloatArray, Histories, IntArray, Interactions, LongArray

#: A sparse float32 matrix by rows.
Sparse: TypeAlias = "sparse.csr_array[np.float32, tuple[int, int]]"


#: Up to so many possible pairs of history and item, repeats are found by a table, 4 bytes a pair; else by sorting.
_MOST_PLACES = 2**24


def newest(histories: Histories, limit: int) -> Histories:
    """The newest `limit` events of each history."""
    lengths = np.diff(histories.indptr)
    if lengths.max(initial=0) <= limit:
        return histories
    kept = np.minimum(lengths, limit)
    indptr = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    where = np.arange(indptr[-1]) + np.repeat(histories.indptr[1:] - indptr[1:], kept)
    return histories.of_events(where)


def rows_of(indptr: LongArray) -> LongArray:
    """The row number of every entry of a CSR structure: (indptr[-1],)."""
    return np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))


def newest_first(histories: Histories, n_items: int, limit: int) -> tuple[LongArray, IntArray, LongArray]:
    """Each history's distinct items, newest first: (row, item, recency rank), each (entries,).

    An item that occurs more than once counts at its newest occurrence. Rank 0 is the newest; ranks stay below `limit`.
    """
    row, items = rows_of(histories.indptr), histories.items
    last = _last_occurrences(row * n_items + items, len(histories) * n_items)[::-1]
    row, items = row[last], items[last]
    starts = np.concatenate([[True], row[1:] != row[:-1]]) if len(row) else np.zeros(0, np.bool_)
    begin = np.maximum.accumulate(np.where(starts, np.arange(len(row)), 0))
    rank = np.arange(len(row)) - begin
    keep = rank < limit
    return row[keep], items[keep], rank[keep]


def recency(rank: LongArray, power: float) -> FloatArray:
    """(1 + rank)^-power (entries,): each rank's power is taken once."""
    weights: FloatArray = np.power(1.0 + np.arange(rank.max(initial=-1) + 1), -power).astype(np.float32)
    return weights[rank]


def _last_occurrences(keys: LongArray, bound: int) -> LongArray:
    """Where each distinct key, in [0, bound), occurs last; ascending."""
    if bound > _MOST_PLACES:
        _, last = np.unique(keys[::-1], return_index=True)
        return np.sort(len(keys) - 1 - last)
    # Of equal keys the last assignment stays. Only what was assigned is read, so the rest need not be filled.
    places, at = np.empty(bound, np.int32), np.arange(len(keys), dtype=np.int32)
    places[keys] = at
    return np.flatnonzero(places[keys] == at)


def weighted_rows(row: LongArray, items: IntArray, weights: FloatArray, shape: tuple[int, int]) -> Sparse:
    """The sparse matrix of `shape` with `weights` at (row, items)."""
    weights = weights.astype(np.float32)
    if (row[1:] > row[:-1]).any():
        return sparse.csr_array((weights, (row, items)), shape=shape)
    # Rows that descend, as those of `newest_first`, need no sorting.
    indptr = np.searchsorted(row[::-1], np.arange(shape[0] + 1))
    return sparse.csr_array((weights[::-1], items[::-1], indptr), shape=shape)


def user_item_matrix(data: Interactions) -> Sparse:
    """The 0/1 matrix (n_users, n_items) of who interacted with what, as float32.

    Where events have weights, the largest weight among a user's events with an item takes the place of 1.
    """
    if data.weight is not None:
        order = np.lexsort((-data.weight, data.item, data.user))
        pairs = data.user[order].astype(np.int64) * data.n_items + data.item[order]
        heaviest = order[np.unique(pairs, return_index=True)[1]]
        parts = (data.weight[heaviest], (data.user[heaviest], data.item[heaviest]))
        return sparse.csr_array(parts, shape=(data.n_users, data.n_items))
    matrix = sparse.csr_array(
        (np.ones(len(data), np.float32), (data.user, data.item)), shape=(data.n_users, data.n_items)
    )
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix
