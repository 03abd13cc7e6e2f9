"""The autoregressive ridge solves its normal equations and scores by decayed sums."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data.interactions import Histories, Interactions
from matinee.models.ridge import Ridge, RidgeConfig

N = 6


def log() -> Interactions:
    random = np.random.default_rng(4)
    user = np.repeat(np.arange(20), 8).astype(np.int32)
    item = random.integers(0, N, 160).astype(np.int32)
    return Interactions.of(user, item, np.tile(np.arange(8), 20).astype(np.int64), n_users=20, n_items=N)


def design(data: Interactions, decay: float, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y of every event, by the definition."""
    x, y = np.zeros((len(data), N)), np.zeros((len(data), N))
    for row in range(len(data)):
        y[row, data.item[row]] = 1
        for back in range(reach):
            at = row - 1 - back
            if at >= data.indptr[data.user[row]]:
                x[row, data.item[at]] += decay**back
    return x, y


def test_weights_solve_the_normal_equations() -> None:
    data = log()
    x, y = design(data, 0.7, 3)
    expected = np.linalg.solve(x.T @ x + 2 * np.eye(N), x.T @ y)
    model = Ridge(RidgeConfig(regularization=2.0, decays=(0.7,), reach=3)).fit(data)
    np.testing.assert_allclose(model.weights[0], expected, atol=1e-4)


def test_two_time_scales_are_solved_side_by_side() -> None:
    data = log()
    x = np.concatenate([design(data, 0.5, 4)[0], design(data, 0.9, 4)[0]], axis=1)
    expected = np.linalg.solve(x.T @ x + 2 * np.eye(2 * N), x.T @ design(data, 0.5, 4)[1])
    model = Ridge(RidgeConfig(regularization=2.0, decays=(0.5, 0.9), reach=4)).fit(data)
    np.testing.assert_allclose(model.weights.reshape(2 * N, N), expected, atol=1e-4)


def test_blocks_do_not_change_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Ridge().fit(log()).weights
    monkeypatch.setattr("matinee.models.ridge._ENTRIES_AT_ONCE", 400)
    np.testing.assert_allclose(Ridge().fit(log()).weights, whole, atol=1e-5)


def test_score_is_the_decayed_sum_of_rows() -> None:
    model = Ridge(RidgeConfig(decays=(0.5,), reach=3)).fit(log())
    scores = model.score(Histories.one(np.array([5, 1, 2, 3], np.int32), np.arange(4, dtype=np.int64)))[0]
    expected = model.weights[0][3] + 0.5 * model.weights[0][2] + 0.25 * model.weights[0][1]
    np.testing.assert_allclose(scores, expected, rtol=1e-5)


def test_it_learns_an_order() -> None:
    item = np.tile(np.arange(N), 20).astype(np.int32)
    user = np.repeat(np.arange(20), N).astype(np.int32)
    data = Interactions.of(user, item, np.tile(np.arange(N), 20).astype(np.int64), n_users=20, n_items=N)
    model = Ridge(RidgeConfig(regularization=1.0, decays=(0.5,))).fit(data)
    assert model.score(Histories.one(np.array([1, 2], np.int32), np.arange(2, dtype=np.int64)))[0].argmax() == 3


def test_beyond_the_bound_the_most_used_items_take_part() -> None:
    model = Ridge(RidgeConfig(max_items=3)).fit(log())
    assert model.weights.shape == (1, 3, 3)
    scores = model.score(Histories.one(model.items, np.arange(3, dtype=np.int64)))[0]
    assert np.flatnonzero(scores).tolist() == model.items.tolist()
