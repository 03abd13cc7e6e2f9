"""Item embeddings to start from: the SVD of positive pointwise mutual information of co-occurrence.

Source: O. Levy and Y. Goldberg, "Neural Word Embedding as Implicit Matrix Factorization", NIPS 2014, section 3.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import eigsh

from matinee.data.interactions import FloatArray, Interactions
from matinee.models.histories import Sparse, user_item_matrix
from matinee.models.leading import AskingOperator

#: Pairs of items that are counted at most: about 1.5 GB while they are summed.
_PAIRS = 60_000_000
#: Pairs that are counted between two questions whether to stop.
_PAIRS_AT_ONCE = 4_000_000


def _go_on() -> None:
    """Nobody asks to stop."""


def ppmi_svd(
    data: Interactions, dimension: int, scale: float, seed: int, *, should_stop: Callable[[], None] | None = None
) -> FloatArray:
    """Embeddings (n_items, dimension) of standard deviation `scale`; two items co-occur when a user has both.

    E = U |Λ|^½ of the largest eigenvalues of PPMI = max(0, log(C_ij ΣC / (ΣC_i ΣC_j))). What the catalogue is too
    small for is random, as is the row of an item without interactions. `should_stop` is asked between blocks and
    products, and raises to stop, as `FitOptions.raise_if_stopped` does.
    """
    random = np.random.default_rng(seed)
    embeddings = random.standard_normal((data.n_items, dimension)).astype(np.float32)
    ask = should_stop or _go_on
    ppmi = _ppmi(data, ask)
    rank = min(dimension, data.n_items - 1)
    if rank >= 1 and ppmi.nnz:
        # ARPACK starts again from a random vector when it meets an invariant subspace: it, too, comes from the seed.
        values, vectors = eigsh(
            AskingOperator(ppmi, ask), k=rank, which="LM", v0=np.ones(data.n_items), tol=1e-4, rng=random
        )
        found = (vectors * np.sqrt(np.abs(values))[None, :]).astype(np.float32)
        used = np.flatnonzero(np.diff(ppmi.indptr))
        found /= max(float(found[used].std()), 1e-6)
        embeddings[np.ix_(used, np.arange(rank))] = found[used]
    return embeddings * np.float32(scale)


def _bounded(data: Interactions) -> Interactions:
    """The newest events of each user, as many as keep the pairs to count below `_PAIRS`; all if no more can differ."""
    lengths = np.diff(data.indptr)
    most = int(lengths.max(initial=1))
    if data.n_items**2 <= _PAIRS:
        return data
    while most > 2 and int((np.minimum(lengths, most).astype(np.int64) ** 2).sum()) > _PAIRS:
        most = int(most * 0.9)
    back = data.indptr[1:][data.user] - np.arange(len(data))
    return data if most >= lengths.max(initial=0) else data.select(back <= most)


def _ppmi(data: Interactions, ask: Callable[[], None]) -> sparse.csr_array:
    """The positive pointwise mutual information of every pair of items that share a user: (n_items, n_items)."""
    counts = sparse.csr_array(_common_users(user_item_matrix(_bounded(data)), ask).astype(np.float64))
    ask()
    counts.setdiag(0)
    counts.eliminate_zeros()
    sums: NDArray[np.float64] = np.asarray(counts.sum(axis=0))
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    expected = sums[rows] * sums[counts.indices] / max(sums.sum(), 1.0)
    counts.data = np.maximum(0.0, np.log(counts.data / expected))
    counts.eliminate_zeros()
    return counts


def _common_users(matrix: Sparse, ask: Callable[[], None]) -> Sparse:
    """XᵀX of `matrix` X (n_users, n_items), in blocks of rows of so many pairs."""
    by_item = sparse.csr_array(matrix.T)
    pairs = np.cumsum(by_item @ np.diff(matrix.indptr).astype(np.float64))
    parts, first = [], 0
    while first < len(pairs):
        ask()
        before = pairs[first - 1] if first else 0.0
        last = max(first + 1, int(np.searchsorted(pairs, before + _PAIRS_AT_ONCE, side="right")))
        parts.append(sparse.csr_array(by_item[first:last] @ matrix))
        first = last
    return sparse.csr_array(sparse.vstack(parts, format="csr"))
