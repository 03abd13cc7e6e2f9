"""How much items go together in users' histories: common users, counted more when the two events stand close."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from matinee.data.interactions import FloatArray, Interactions
from matinee.models.histories import Sparse, user_item_matrix

#: Ways in which each history is cut: averaging over them, nearness falls in steps of a quarter of the stretch.
_CUTS = 4


def together(data: Interactions, stretch: int, near: float) -> Sparse:
    """A matrix R (rows, n_items) whose RᵀR says how much two items go together.

    (RᵀR)_ij is the sum over common users of 1 - `near` + `near` · s_ij, where s_ij falls from 1 for neighbours in the
    history to 0 for events `stretch` or more apart. Two items that only the same user has in a short history, or any
    with `near` = 0, count 1 for each common user, as in plain co-occurrence. Costs `stretch` times the events.
    """
    whole = user_item_matrix(data)
    if near <= 0:
        return whole
    position = np.arange(len(data)) - data.indptr[data.user]
    parts = [whole * np.float32(np.sqrt(1 - near))]
    for cut in range(_CUTS):
        piece = (position + cut * stretch // _CUTS) // stretch
        _, row = np.unique(data.user * (piece.max(initial=0) + 1) + piece, return_inverse=True)
        part = sparse.csr_array(
            (np.ones(len(data), np.float32), (row, data.item)), shape=(int(row.max(initial=0)) + 1, data.n_items)
        )
        part.sum_duplicates()
        part.data[:] = np.sqrt(near / _CUTS)
        parts.append(part)
    return sparse.csr_array(sparse.vstack(parts, format="csr"))


def best_of_rows(scores: FloatArray, keep: int) -> Sparse:
    """The `keep` highest values above 0 of each row of `scores` (rows, n), as a sparse matrix; ties by number."""
    keep = min(keep, scores.shape[1])
    best = np.argpartition(-scores, keep - 1, axis=1)[:, :keep].astype(np.int32)
    values = np.take_along_axis(scores, best, axis=1)
    row = np.repeat(np.arange(len(scores)), keep)
    part = sparse.csr_array((values.ravel(), (row, best.ravel())), shape=scores.shape)
    part.data[part.data < 0] = 0
    part.eliminate_zeros()
    return part


def window(counts: FloatArray, low: float, high: float) -> FloatArray:
    """1 for each count above 0 within the percentiles `low` and `high` of those, else 0."""
    used = counts > 0
    if not used.any():
        return used.astype(np.float32)
    bottom, top = np.quantile(counts[used], [low, high])
    inside: FloatArray = (used & (counts >= bottom) & (counts <= top)).astype(np.float32)
    return inside
