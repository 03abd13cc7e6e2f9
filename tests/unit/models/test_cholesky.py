"""The blocked Cholesky gives what LAPACK gives, tells how far it is, and stops when asked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import linalg

from matinee.data.interactions import FloatArray
from matinee.errors import JobStopped
from matinee.models.base import FitOptions, Progress
from matinee.models.cholesky import PANEL, factor, invert, solve

#: One row, less than a panel, a panel, and several panels that are no multiple of one.
SIZES = (1, 100, PANEL, 3 * PANEL + 77)


def gram(n: int) -> FloatArray:
    """A random Gram matrix (n, n) plus 5 I, of float32."""
    rows = np.random.default_rng(n).standard_normal((2 * n, n)).astype(np.float32)
    square: FloatArray = rows.T @ rows / np.float32(n) + 5 * np.eye(n, dtype=np.float32)
    return square


def lower_only(square: FloatArray) -> FloatArray:
    """The same with nonsense above the diagonal, which nobody should read."""
    told = square.copy()
    told[np.triu_indices(len(told), 1)] = np.nan
    return told


def factored(square: FloatArray) -> FloatArray:
    found = lower_only(square)
    factor(found, "A", FitOptions())
    return found


@pytest.mark.parametrize("n", SIZES)
def test_the_factor_is_lapacks(n: int) -> None:
    np.testing.assert_allclose(np.tril(factored(gram(n))), linalg.cholesky(gram(n), lower=True), atol=1e-4)


@pytest.mark.parametrize("n", SIZES)
def test_the_inverse_is_lapacks_in_both_triangles(n: int) -> None:
    found = lower_only(gram(n))
    invert(found, "A", FitOptions())
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_allclose(found, linalg.inv(gram(n).astype(np.float64)), atol=1e-5)


@pytest.mark.parametrize("n", SIZES)
def test_the_solution_is_lapacks(n: int) -> None:
    sides = np.random.default_rng(1).standard_normal((9, n)).astype(np.float32)
    found = sides.copy()
    solve(factored(gram(n)), found, "A", FitOptions())
    expected = linalg.solve(gram(n).astype(np.float64), sides.T, assume_a="pos").T
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("at", [0, PANEL + 3])
def test_a_matrix_that_is_not_positive_definite_is_named(at: int) -> None:
    square = gram(2 * PANEL)
    square[at, at] = -1
    with pytest.raises(linalg.LinAlgError, match="A is not positive definite; λ must be above 0"):
        factor(square, "A", FitOptions())


def _solved(square: FloatArray, options: FitOptions) -> None:
    solve(square, np.ones((2, len(square)), np.float32), "A", options)


@pytest.mark.parametrize(
    ("work", "panels"),
    [
        (lambda square, options: factor(square, "A", options), 4),
        (lambda square, options: invert(square, "A", options), 12),
        (_solved, 8),
    ],
)
def test_every_panel_asks_whether_to_stop_and_tells_how_far_it_is(
    work: Callable[[FloatArray, FitOptions], None], panels: int
) -> None:
    asked: list[bool] = []
    seen: list[Progress] = []

    def never() -> bool:
        asked.append(False)
        return False

    work(gram(SIZES[-1]), FitOptions(should_stop=never, on_progress=seen.append))
    fractions = [progress.fraction for progress in seen]
    assert len(asked) == len(fractions) == panels
    assert fractions == sorted(set(fractions))
    assert fractions[-1] == pytest.approx(1)


@pytest.mark.parametrize("calls", [1, 3, 6, 11])
def test_a_request_to_stop_in_the_middle_ends_the_work_before_the_next_panel(calls: int) -> None:
    asked = 0

    def after() -> bool:
        nonlocal asked
        asked += 1
        return asked > calls

    with pytest.raises(JobStopped):
        invert(gram(SIZES[-1]), "A", FitOptions(should_stop=after))
    assert asked == calls + 1
