"""The leading directions are those of the whole decomposition, and every product asks whether to stop."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import svds

from matinee.errors import JobStopped
from matinee.models.base import FitOptions, Progress
from matinee.models.leading import AskingOperator, leading_directions


def matrix(rows: int, columns: int) -> sparse.csr_array:
    """A sparse matrix whose singular values fall quickly."""
    random = np.random.default_rng(3)
    left, right = (random.random((12, side)) < 0.3 for side in (rows, columns))
    falling = 2.0 ** -np.arange(12.0)
    return sparse.csr_array(((left * falling[:, None]).T @ right).astype(np.float32))


@pytest.mark.parametrize("shape", [(40, 25), (25, 40)])
def test_they_are_those_of_the_whole_decomposition(shape: tuple[int, int]) -> None:
    values, directions = leading_directions(matrix(*shape), 4, FitOptions())
    _, all_values, right = np.linalg.svd(matrix(*shape).toarray())
    np.testing.assert_allclose(values, all_values[:4], rtol=1e-3)
    np.testing.assert_allclose(np.abs(np.sum(directions * right[:4], axis=1)), 1, atol=1e-3)


def test_the_same_seed_gives_the_same_directions() -> None:
    first, again = (leading_directions(matrix(40, 25), 4, FitOptions(seed=2)) for _ in range(2))
    np.testing.assert_array_equal(first[1], again[1])


def test_rounds_are_told_and_ask() -> None:
    seen: list[Progress] = []
    leading_directions(matrix(40, 25), 4, FitOptions(on_progress=seen.append), rounds=3)
    assert [progress.fraction for progress in seen] == [0.25, 0.5, 0.75, 1.0]
    with pytest.raises(JobStopped):
        leading_directions(matrix(40, 25), 4, FitOptions(should_stop=iter([False] * 3 + [True]).__next__))


def test_arpack_asks_before_each_product_and_finds_the_same() -> None:
    asked: list[None] = []
    start = np.ones(25)
    wide = matrix(40, 25).astype(np.float64)
    found = svds(AskingOperator(wide, lambda: asked.append(None)), k=3, v0=start)[1]
    assert len(asked) > 3
    np.testing.assert_allclose(found, svds(wide, k=3, v0=start)[1])
