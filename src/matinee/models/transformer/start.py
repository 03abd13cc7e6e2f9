"""Item embeddings to start from: the SVD of positive pointwise mutual information of co-occurrence.

Source: O. Levy and Y. Goldberg, "Neural Word Embedding as Implicit Matrix Factorization", NIPS 2014, section 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import eigsh

from matinee.data.interactions import FloatArray, Interactions
from matinee.models.histories import user_item_matrix

#: Pairs of items that are counted at most: about 1.5 GB while they are summed.
_PAIRS = 60_000_000


def ppmi_svd(data: Interactions, dimension: int, scale: float, seed: int) -> FloatArray:
    """Embeddings (n_items, dimension) of standard deviation `scale`; two items co-occur when a user has both.

    E = U |Λ|^½ of the largest eigenvalues of PPMI = max(0, log(C_ij ΣC / (ΣC_i ΣC_j))). What the catalogue is too
    small for is random, as is the row of an item without interactions.
    """
    random = np.random.default_rng(seed)
    embeddings = random.standard_normal((data.n_items, dimension)).astype(np.float32)
    ppmi = _ppmi(data)
    rank = min(dimension, data.n_items - 1)
    if rank >= 1 and ppmi.nnz:
        # ARPACK starts again from a random vector when it meets an invariant subspace: it, too, comes from the seed.
        values, vectors = eigsh(ppmi, k=rank, which="LM", v0=np.ones(data.n_items), tol=1e-4, rng=random)
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


def _ppmi(data: Interactions) -> sparse.csr_array:
    """The positive pointwise mutual information of every pair of items that share a user: (n_items, n_items)."""
    matrix = user_item_matrix(_bounded(data))
    counts = sparse.csr_array(matrix.T @ matrix).astype(np.float64)
    counts.setdiag(0)
    counts.eliminate_zeros()
    sums: NDArray[np.float64] = np.asarray(counts.sum(axis=0))
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    expected = sums[rows] * sums[counts.indices] / max(sums.sum(), 1.0)
    counts.data = np.maximum(0.0, np.log(counts.data / expected))
    counts.eliminate_zeros()
    return counts
