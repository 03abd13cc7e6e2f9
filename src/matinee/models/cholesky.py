"""Cholesky factor, inverse and solution of a Gram matrix plus λI, in place and panel by panel.

LAPACK keeps Python's lock for the whole of a routine: meanwhile no other thread moves, and nobody can stop it. Here it
sees diagonal blocks alone; the rest is matrix products, which NumPy computes without the lock.

Source: G. Golub and C. Van Loan, "Matrix Computations", 4th edition, section 4.2, with the triangles of the diagonal
blocks inverted so that they, too, are multiplied by.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import linalg

from matinee.data.interactions import FloatArray
from matinee.models.base import FitOptions, Progress

#: Rows of a panel: a product of a few tenths of a second at 20,000 rows, about as fast as the whole by LAPACK.
PANEL = 256


def factor(square: FloatArray, named: str, options: FitOptions) -> None:
    """Put L with A = L Lᵀ into the lower triangle of `square` (n, n), the only one that is read; float32.

    Raises `LinAlgError` where A, `named` for people, is not positive definite, and `JobStopped` before a panel.
    """
    for here in _panels(len(square), f"factor of {named}", options):
        first, last = here.start, here.stop
        if first:
            square[first:, here] -= square[first:, :first] @ square[here, :first].T
        own, info = linalg.lapack.spotrf(square[here, here], lower=1)
        if info != 0:
            raise linalg.LinAlgError(f"{named} is not positive definite; λ must be above 0.")
        square[here, here] = own
        square[last:, here] = square[last:, here] @ _inverted(own).T


def invert(square: FloatArray, named: str, options: FitOptions) -> None:
    """Put the inverse of A into `square` (n, n), both triangles of it; the lower one is read. Raises as `factor`."""
    factor(square, named, options.portion(0, 1 / 3))
    _invert_factor(square, named, options.portion(1 / 3, 2 / 3))
    # A⁻¹ = MᵀM with M = L⁻¹. Rows of the product take the place of those rows of M that none of the later ones needs.
    for here in _panels(len(square), f"inverse of {named}", options.portion(2 / 3, 1)):
        first, last = here.start, here.stop
        rows = square[first:, here].T @ square[first:, :last]
        square[here, :first], square[:first, here] = rows[:, :first], rows[:, :first].T
        own = np.tril(rows[:, first:])
        square[here, here] = own + np.tril(own, -1).T


def solve(factored: FloatArray, sides: FloatArray, named: str, options: FitOptions) -> None:
    """Turn `sides` (k, n), which hold Bᵀ, into Xᵀ of A X = B; `factored` (n, n) is A as `factor` left it.

    Raises `JobStopped` before a panel.
    """
    n = len(factored)
    for here in _panels(n, f"forward through {named}", options.portion(0, 0.5)):
        left = sides[:, here] - sides[:, : here.start] @ factored[here, : here.start].T
        sides[:, here] = left @ _inverted(factored[here, here]).T
    for mirrored in _panels(n, f"back through {named}", options.portion(0.5, 1)):
        here = slice(n - mirrored.stop, n - mirrored.start)
        left = sides[:, here] - sides[:, here.stop :] @ factored[here.stop :, here]
        sides[:, here] = left @ _inverted(factored[here, here])


def _invert_factor(square: FloatArray, named: str, options: FitOptions) -> None:
    """L⁻¹ in the place of L: row by row, M_i = -L_ii⁻¹ Σ_l L_il M_l, of which M_lj = 0 for j > l."""
    for here in _panels(len(square), f"inverse factor of {named}", options):
        own = _inverted(square[here, here])
        for begin in range(0, here.start, PANEL):
            column = slice(begin, begin + PANEL)
            square[here, column] = -own @ (square[here, begin : here.start] @ square[begin : here.start, column])
        square[here, here] = own


def _inverted(triangle: FloatArray) -> FloatArray:
    """The inverse of a lower triangle (b, b); what stands above it is not read, and 0 in the inverse."""
    inverse: FloatArray = np.tril(linalg.lapack.strtri(triangle, lower=1)[0])
    return inverse


def _panels(n: int, told: str, options: FitOptions) -> Iterator[slice]:
    """The panels of `n` rows, as long as nobody wants to stop; `told` is what is being computed."""
    for begin in range(0, n, PANEL):
        options.raise_if_stopped()
        end = min(n, begin + PANEL)
        yield slice(begin, end)
        options.on_progress(Progress(end / n, f"{told}: {end:,} of {n:,} rows"))
