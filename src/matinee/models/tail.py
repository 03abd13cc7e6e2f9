"""Items beyond a dense solution: each is solved on few others, so that memory and time grow with their number alone.

Sources: X. Ning and G. Karypis, "SLIM: Sparse Linear Methods for Top-N Recommender Systems", ICDM 2011, section 4.3
(features selected before the regression); H. Steck, "Markov Random Fields for Collaborative Filtering", NeurIPS 2019.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from scipy import sparse

from matinee.data.interactions import FloatArray, IntArray, Interactions
from matinee.models.arrays import AnyArray
from matinee.models.base import FitOptions, Progress
from matinee.models.histories import Sparse, rows_of, weighted_rows

#: Values held at once, in each of a few arrays: 2²² of 4 bytes, 16 MB.
_AT_ONCE = 2**22
_NAMES = ("beyond_indptr", "beyond_indices", "beyond_values")


def nothing_beyond(n_items: int) -> Sparse:
    """The weights of a model that all its items fit into: (n_items, n_items), empty."""
    return weighted_rows(np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), (n_items, n_items))


def restricted(gram: FloatArray, cross: FloatArray, regularization: float, keep: int) -> Sparse:
    """Ridge regressions of some targets, each on the `keep` features that occur with it most: (targets, n).

    `gram` (n, n) is symmetric, `cross` (targets, n) holds the targets' sums with each feature.
    """
    keep, parts = min(keep, cross.shape[1]), []
    step = max(1, _AT_ONCE // keep**2)
    for begin in range(0, len(cross), step):
        block = cross[begin : begin + step]
        best = np.sort(np.argpartition(-block, keep - 1, axis=1)[:, :keep], axis=1)
        wanted = np.take_along_axis(block, best, axis=1)
        square = gram[best[:, :, None], best[:, None, :]]
        square[:, np.arange(keep), np.arange(keep)] += regularization
        weights = np.linalg.solve(square, wanted[:, :, None])[:, :, 0]
        weights[wanted <= 0] = 0
        row = np.repeat(np.arange(len(block)), keep)
        parts.append(sparse.csr_array((weights.ravel(), (row, best.ravel())), shape=block.shape))
    found: Sparse = sparse.csr_array(sparse.vstack(parts, format="csr"))
    found.eliminate_zeros()
    return found


def top_of_rows(matrix: Sparse, keep: int) -> Sparse:
    """The `keep` largest values of each row of `matrix`; ties by column."""
    row = rows_of(matrix.indptr.astype(np.int64))
    order = np.lexsort((matrix.indices, -matrix.data, row))
    place = np.arange(len(row)) - matrix.indptr[row]
    kept = np.sort(order[place < keep])
    return sparse.csr_array((matrix.data[kept], (row[kept], matrix.indices[kept])), shape=matrix.shape)


def ease_beyond(
    matrix: Sparse, items: IntArray, gram: FloatArray, regularization: float, keep: int, options: FitOptions
) -> Sparse:
    """Weights (n_items, n_items) of the pairs that the dense solution over `items` leaves out.

    An item outside it is predicted by a ridge regression on the `keep` of `items` that share most of its users, and
    predicts the `keep` items that it says most of by itself, C_ij / (C_ii + λ): to a rare item λ is all that matters.
    `matrix` (users, n_items) is X, `gram` (items, items) its XᵀX over `items`.
    """
    n_items = matrix.shape[1]
    outside = np.setdiff1d(np.flatnonzero(np.diff(sparse.csc_array(matrix).indptr)), items)
    by_item, parts = sparse.csr_array(matrix.T), []
    head, step = sparse.csr_array(matrix[:, items]), max(1, _AT_ONCE // max(len(items), keep**2))
    for begin in range(0, len(outside), step):
        options.raise_if_stopped()
        some = outside[begin : begin + step]
        rows = sparse.csr_array(by_item[some])
        predicted = restricted(gram, (rows @ head).toarray(), regularization, keep).tocoo()
        parts.append((items[predicted.col], some[predicted.row], predicted.data))
        shared = sparse.csr_array(rows @ matrix).tocoo()
        itself = some[shared.row] == shared.col
        own = np.bincount(shared.row[itself], shared.data[itself], minlength=len(some)) + regularization
        values = np.where(itself, 0, shared.data / own[shared.row]).astype(np.float32)
        predicts = sparse.csr_array((values, (shared.row, shared.col)), shape=shared.shape)
        best = top_of_rows(predicts, keep).tocoo()
        parts.append((some[best.row], best.col, best.data))
        done = begin + len(some)
        options.on_progress(Progress(done / len(outside), f"beyond the bound: {done:,} of {len(outside):,} items"))
    return _assembled(parts, n_items)


def ridge_beyond(
    data: Interactions, items: IntArray, decay: float, lags: int, regularization: float, keep: int, options: FitOptions
) -> Sparse:
    """Weights (n_items, n_items) of the pairs that a dense solution over `items` leaves out, one time scale.

    Each is the ridge regression on one item alone, M_ij / (M_i + λ): M_ij sums `decay`^(lag - 1) over the events of j
    up to `lags` after one of i, M_i is what the squares of i's own inputs sum to. The `keep` largest of a row stay.
    """
    n_items, inside, parts = data.n_items, np.zeros(data.n_items, np.bool_), []
    inside[items] = True
    for first, last, pairs in _successors(data, decay, lags):
        options.raise_if_stopped()
        rows, counts = np.arange(first, last), np.bincount(data.item, minlength=n_items)[first:last]
        own = counts / (1 - decay**2) + regularization
        one = sparse.csr_array(pairs).tocoo()
        left_out = ~(inside[rows[one.row]] & inside[one.col]) & (rows[one.row] != one.col)
        values = (one.data / own[one.row])[left_out].astype(np.float32)
        kept = sparse.csr_array((values, (one.row[left_out], one.col[left_out])), shape=one.shape)
        best = top_of_rows(kept, keep).tocoo()
        parts.append((rows[best.row], best.col, best.data))
        options.on_progress(Progress(last / n_items, f"beyond the bound: {last:,} of {n_items:,} items"))
    return _assembled(parts, n_items)


def _successors(data: Interactions, decay: float, lags: int) -> Iterator[tuple[int, int, Sparse]]:
    """Blocks (first, last) of items and the decayed counts (last - first, n_items) of what follows each."""
    order = np.argsort(data.item, kind="stable")
    bounds = np.searchsorted(data.item[order], np.arange(data.n_items + 1))
    power = (decay ** np.arange(lags)).astype(np.float32)
    first = 0
    while first < data.n_items:
        wide = np.searchsorted(bounds, bounds[first] + _AT_ONCE // lags, side="right") - 1
        last = max(first + 1, min(int(wide), data.n_items))
        rows = order[bounds[first] : bounds[last]]
        at = rows[:, None] + 1 + np.arange(lags)
        event, lag = np.nonzero(at < data.indptr[1:][data.user[rows]][:, None])
        later = at[event, lag]
        values = power[lag] if data.weight is None else power[lag] * data.weight[later]
        places = data.item[rows][event] - first, data.item[later]
        yield first, last, sparse.csr_array((values, places), shape=(last - first, data.n_items))
        first = last


def _assembled(parts: list[tuple[AnyArray, AnyArray, FloatArray]], n_items: int) -> Sparse:
    """(row, column, value) lists as one matrix (n_items, n_items)."""
    if not parts:
        return nothing_beyond(n_items)
    row, column, value = (np.concatenate(each) for each in zip(*parts, strict=True))
    return sparse.csr_array((value.astype(np.float32), (row, column)), shape=(n_items, n_items))


def beyond_arrays(beyond: Sparse) -> Mapping[str, AnyArray]:
    """The matrix as arrays of a model; none where it is empty."""
    if not beyond.nnz:
        return {}
    parts = beyond.indptr.astype(np.int64), beyond.indices.astype(np.int32), beyond.data
    return dict(zip(_NAMES, parts, strict=True))


def beyond_of(arrays: Mapping[str, AnyArray], n_items: int) -> Sparse:
    """The matrix that `beyond_arrays` gave."""
    if _NAMES[0] not in arrays:
        return nothing_beyond(n_items)
    indptr, indices, values = (arrays[name] for name in _NAMES)
    return sparse.csr_array((values, indices, indptr), shape=(n_items, n_items))
