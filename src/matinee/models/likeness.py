"""Which items a new item is like: by what is known of it, and by who has had it already."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from matinee.data.interactions import FloatArray, Interactions
from matinee.models.base import QUIET, FitOptions, Progress
from matinee.models.histories import Sparse, user_item_matrix, weighted_rows

#: Neighbours of a new item, and the power that makes the nearest count most.
_NEIGHBOURS = 10
_SHARPNESS = 3.0
#: Users of a new item after which who had it says as much as its metadata.
_ENOUGH_USERS = 5.0
_ROWS_AT_ONCE = 256


def new_item_neighbours(
    features: Sparse, data: Interactions, known: NDArray[np.bool_], options: FitOptions = QUIET
) -> Sparse:
    """Weights (n_items - n_base, n_base) of the base items that each new item is most like; rows sum to 1 or are empty.

    `features` (n_items, k) has rows of length 1 or 0, new items last; `data` holds events of all items; `known`
    (n_base,) says which base items may be neighbours. The likeness is the cosine of the metadata, and that of the sets
    of users, the more the more users the new item has. Raises `JobStopped` between blocks of items.
    """
    base, total = len(known), features.shape[0]
    users = sparse.csr_array(user_item_matrix(data).T)
    counts: FloatArray = np.asarray(users.sum(axis=1))
    length = np.sqrt(np.asarray(users.multiply(users).sum(axis=1)))
    users.data /= np.maximum(np.repeat(length, np.diff(users.indptr)), 1e-9).astype(np.float32)
    parts = []
    for begin in range(base, total, _ROWS_AT_ONCE):
        options.raise_if_stopped()
        rows = slice(begin, min(begin + _ROWS_AT_ONCE, total))
        parts.append(_nearest(features[rows] @ features[:base].T, users[rows] @ users[:base].T, counts[rows], known))
        done = rows.stop - base
        options.on_progress(Progress(done / (total - base), f"likeness: {done:,} of {total - base:,} new items"))
    if not parts:
        return no_neighbours(base)
    found: Sparse = sparse.csr_array(sparse.vstack(parts, format="csr"))
    return found


def no_neighbours(base: int) -> Sparse:
    """The neighbours of no new items: (0, base)."""
    return weighted_rows(np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), (0, base))


def _nearest(metadata: Sparse, together: Sparse, users: FloatArray, known: NDArray[np.bool_]) -> Sparse:
    """The neighbours of some new items (rows, n_base), by both likenesses (rows, n_base); `users` (rows,)."""
    trust = (users / (users + _ENOUGH_USERS))[:, None]
    alike = np.maximum((1 - trust) * metadata.toarray() + trust * together.toarray(), 0) * known
    keep = min(_NEIGHBOURS, alike.shape[1])
    best = np.argsort(-alike, axis=1, kind="stable")[:, :keep]
    weights = np.take_along_axis(alike, best, axis=1) ** _SHARPNESS
    sums = weights.sum(axis=1, keepdims=True)
    weights = np.divide(weights, sums, out=np.zeros_like(weights), where=sums > 0)
    row = np.repeat(np.arange(len(alike)), keep)
    found = weighted_rows(row, best.ravel().astype(np.int32), weights.ravel(), (len(alike), alike.shape[1]))
    found.eliminate_zeros()
    return found
