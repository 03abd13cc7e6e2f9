"""The leading directions of sparse matrices by methods that multiply again and again, and hear a request to stop.

Source: N. Halko, P. Martinsson and J. Tropp, "Finding Structure with Randomness", SIAM Review 53, 2011, algorithm 4.4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import LinearOperator

from matinee.data.interactions import FloatArray
from matinee.models.base import FitOptions, Progress
from matinee.models.histories import Sparse

#: Directions beyond those wanted that are followed too.
_OVERSAMPLES = 10
#: Rounds of multiplication: more where few of the directions are wanted.
_ROUNDS, _MORE_ROUNDS, _FEW = 4, 7, 0.1


class AskingOperator(LinearOperator):
    """A sparse matrix for ARPACK that calls `ask`, which raises to stop, before each product."""

    def __init__(self, matrix: sparse.csr_array[Any, tuple[int, int]], ask: Callable[[], None]) -> None:
        super().__init__(matrix.dtype, matrix.shape)  # type: ignore[call-arg] # the stubs know `__new__` alone
        self._matrix, self._ask, self._transposed = matrix, ask, matrix.T

    def _matmat(self, other: NDArray[Any]) -> NDArray[Any]:
        self._ask()
        product: NDArray[Any] = self._matrix @ other
        return product

    def _rmatmat(self, other: NDArray[Any]) -> NDArray[Any]:
        self._ask()
        product: NDArray[Any] = self._transposed @ other
        return product


def leading_directions(
    matrix: Sparse, dimension: int, options: FitOptions, rounds: int | None = None
) -> tuple[FloatArray, FloatArray]:
    """The largest singular values (dimension,) and their right singular vectors (dimension, columns), approximately.

    `rounds` of multiplication: by default 7, or 4 where at least a tenth of all directions is wanted. By
    `options.seed`; raises `JobStopped` between products.
    """
    if rounds is None:
        rounds = _MORE_ROUNDS if dimension < _FEW * min(matrix.shape) else _ROUNDS
    wide = matrix.shape[0] < matrix.shape[1]
    tall, across = (matrix.T, matrix) if wide else (matrix, matrix.T)
    start = np.random.RandomState(options.seed).normal(size=(tall.shape[1], dimension + _OVERSAMPLES))
    basis = start.astype(tall.dtype)
    for at in range(rounds):
        for side in (tall, across):
            options.raise_if_stopped()
            basis = np.linalg.qr(side @ basis)[0]
        options.on_progress(Progress((at + 1) / (rounds + 1), f"leading directions: round {at + 1} of {rounds}"))
    options.raise_if_stopped()
    basis = np.linalg.qr(tall @ basis)[0]
    left, values, right = np.linalg.svd((across @ basis).T, full_matrices=False)
    directions = (basis @ left).T if wide else right
    options.on_progress(Progress(1.0, "leading directions: found"))
    return values[:dimension].astype(np.float32), np.ascontiguousarray(directions[:dimension], np.float32)
