"""The autoregressive ridge solves its normal equations and scores by decayed sums."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

from matinee.data.interactions import Histories, Interactions
from matinee.models.ridge import Ridge, RidgeConfig

N = 6


def log() -> Interactions:
    random = np.random.default_rng(4)
    user = np.repeat(np.arange(20), 8).astype(np.int32)
    item = random.integers(0, N, 160).astype(np.int32)
    return Interactions.of(user, item, np.tile(np.arange(8), 20).astype(np.int64), n_users=20, n_items=N)


def design(data: Interactions, decay: float, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y of every event, by the definition, in stretches of `reach` events."""
    x, y = np.zeros((len(data), N)), np.zeros((len(data), N))
    for row in range(len(data)):
        y[row, data.item[row]] = 1
        for back in range((row - data.indptr[data.user[row]]) % reach):
            x[row, data.item[row - 1 - back]] += decay**back
    return x, y


@pytest.mark.parametrize("reach", [3, 100])
def test_weights_solve_the_normal_equations(reach: int) -> None:
    data = log()
    x, y = design(data, 0.7, reach)
    expected = np.linalg.solve(x.T @ x + 2 * np.eye(N), x.T @ y)
    model = Ridge(RidgeConfig(regularization=2.0, decays=(0.7,), reach=reach)).fit(data)
    np.testing.assert_allclose(model.weights[0], expected, atol=1e-4)


def test_two_time_scales_are_solved_side_by_side() -> None:
    data = log()
    x = np.concatenate([design(data, 0.5, 4)[0], design(data, 0.9, 4)[0]], axis=1)
    expected = np.linalg.solve(x.T @ x + 2 * np.eye(2 * N), x.T @ design(data, 0.5, 4)[1])
    model = Ridge(RidgeConfig(regularization=2.0, decays=(0.5, 0.9), reach=4)).fit(data)
    np.testing.assert_allclose(model.weights.reshape(2 * N, N), expected, atol=1e-4)


def test_a_regularization_of_zero_on_a_singular_matrix_is_refused() -> None:
    one = Interactions.of(np.zeros(1, np.int32), np.zeros(1, np.int32), np.zeros(1, np.int64), n_users=1, n_items=1)
    with pytest.raises(linalg.LinAlgError, match="positive definite"):
        Ridge(RidgeConfig(regularization=0.0)).fit(one)


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


def test_beyond_the_bound_the_most_used_items_are_solved_exactly_and_the_others_sparsely() -> None:
    data = log()
    model = Ridge(RidgeConfig(max_items=3)).fit(data)
    assert model.weights.shape == (2, 3, 3)
    np.testing.assert_array_equal(model.beyond[model.items][:, model.items].toarray(), np.zeros((3, 3)))
    scores = model.score(Histories.one(model.items[:1], np.zeros(1, np.int64)))[0]
    assert (scores[np.setdiff1d(np.arange(N), model.items)] > 0).all()


def test_at_the_bound_nothing_is_left_out() -> None:
    within, at = Ridge(RidgeConfig(max_items=N)).fit(log()), Ridge().fit(log())
    assert within.beyond.nnz == 0
    np.testing.assert_array_equal(within.weights, at.weights)


def test_both_sides_of_the_bound_tell_the_same_story() -> None:
    item = np.tile(np.arange(N), 20).astype(np.int32)
    data = Interactions.of(
        np.repeat(np.arange(20), N).astype(np.int32), item, np.tile(np.arange(N), 20).astype(np.int64),
        n_users=20, n_items=N,
    )  # fmt: skip
    asked = Histories.one(np.array([1, 2], np.int32), np.arange(2, dtype=np.int64))
    for bound in (N, 3, 1):
        model = Ridge(RidgeConfig(regularization=1.0, decays=(0.5,), max_items=bound)).fit(data)
        assert model.score(asked)[0].argmax() == 3
