"""Items go together for every common user, and more so the nearer their events stand."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data.interactions import FloatArray, Interactions
from matinee.models.nearness import best_of_rows, together, window


def counted(history: list[int], stretch: int, near: float) -> FloatArray:
    item = np.array(history, np.int32)
    data = Interactions.of(
        np.zeros_like(item), item, np.arange(len(item), dtype=np.int64), n_users=1, n_items=max(history) + 1
    )
    rows = together(data, stretch, near)
    found: FloatArray = (rows.T @ rows).toarray()
    return found


def test_items_of_a_short_history_count_one_for_a_common_user() -> None:
    assert counted([0, 1], 16, 0.9)[0, 1] == pytest.approx(1.0)
    assert counted(list(range(40)), 16, 0.0)[0, 39] == 1.0


def test_the_farther_apart_the_less() -> None:
    pairs = counted(list(range(40)), 16, 0.9)[0]
    assert pairs[1] >= pairs[6] >= pairs[12] >= pairs[20]
    assert pairs[1] > pairs[20]
    assert pairs[20] == pytest.approx(0.1)


def test_only_the_best_positive_values_of_a_row_are_kept() -> None:
    kept = best_of_rows(np.array([[0.0, 3.0, 1.0, -1.0], [2.0, 0.0, 0.0, 0.0]], np.float32), 2)
    np.testing.assert_array_equal(kept.toarray(), [[0, 3, 1, 0], [2, 0, 0, 0]])
    assert kept.nnz == 3


def test_counts_outside_the_percentiles_fall_outside_the_window() -> None:
    counts = np.array([0, 1, 2, 3, 100], np.float32)
    np.testing.assert_array_equal(window(counts, 0.1, 0.9), [0, 0, 1, 1, 0])
    np.testing.assert_array_equal(window(np.zeros(3, np.float32), 0.1, 0.9), [0, 0, 0])
