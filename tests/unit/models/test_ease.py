"""EASE solves its equation, and reads the history by recency."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

from matinee.data.interactions import Histories, Interactions
from matinee.models.ease import EASE, EASEConfig, item_weights, most_used


def log() -> Interactions:
    random = np.random.default_rng(1)
    user = np.repeat(np.arange(30), 6).astype(np.int32)
    item = np.concatenate([random.permutation(12)[:6] for _ in range(30)]).astype(np.int32)
    return Interactions.of(user, item, np.tile(np.arange(6), 30).astype(np.int64), n_users=30, n_items=12)


def history(*items: int) -> Histories:
    return Histories.one(np.array(items, np.int32), np.arange(len(items), dtype=np.int64))


def test_weights_satisfy_the_papers_equation() -> None:
    random = np.random.default_rng(0)
    matrix = (random.random((50, 8)) < 0.3).astype(np.float32)
    gram = matrix.T @ matrix
    inverse = np.linalg.inv(gram + 5 * np.eye(8))
    expected = np.eye(8) - inverse / np.diag(inverse)[None, :]
    np.testing.assert_allclose(item_weights(gram.copy(), 5.0), expected, atol=1e-5)


def test_no_item_predicts_itself() -> None:
    assert np.diag(EASE().fit(log()).weights).tolist() == [0.0] * 12


def test_a_regularization_of_zero_on_a_singular_matrix_is_refused() -> None:
    with pytest.raises(linalg.LinAlgError, match="positive definite"):
        item_weights(np.zeros((3, 3), np.float32), 0.0)


def test_score_weighs_the_history_by_recency() -> None:
    model = EASE(EASEConfig(recency_power=1.0)).fit(log())
    expected = model.weights[7] + model.weights[2] / 2 + model.weights[5] / 3
    np.testing.assert_allclose(model.score(history(5, 2, 7))[0], expected, rtol=1e-5)


def test_a_repeated_item_counts_once_at_its_newest_place() -> None:
    model = EASE().fit(log())
    np.testing.assert_array_equal(model.score(history(3, 5, 3)), model.score(history(5, 3)))


def test_only_the_newest_items_are_read() -> None:
    model = EASE(EASEConfig(history_items=2)).fit(log())
    np.testing.assert_array_equal(model.score(history(1, 2, 3)), model.score(history(2, 3)))


def test_beyond_the_bound_the_most_used_items_are_solved_exactly_and_the_others_sparsely() -> None:
    model = EASE(EASEConfig(max_items=5)).fit(log())
    assert model.weights.shape == (5, 5)
    np.testing.assert_array_equal(model.beyond[model.items][:, model.items].toarray(), np.zeros((5, 5)))
    others = np.setdiff1d(np.arange(12), model.items)
    assert model.beyond[:, others].nnz > 0
    assert model.beyond[others].nnz > 0


def test_at_the_bound_nothing_is_left_out() -> None:
    within = EASE(EASEConfig(max_items=12)).fit(log())
    assert within.beyond.nnz == 0
    np.testing.assert_array_equal(within.weights, EASE().fit(log()).weights)


def test_an_item_beyond_is_a_ridge_regression_on_those_within() -> None:
    data = log()
    model = EASE(EASEConfig(max_items=11, training_recency_power=0.0, regularization=5.0)).fit(data)
    matrix = np.zeros((30, 12))
    matrix[data.user, data.item] = 1
    (other,) = np.setdiff1d(np.arange(12), model.items)
    x, y = matrix[:, model.items], matrix[:, other]
    expected = np.linalg.solve(x.T @ x + 5 * np.eye(11), x.T @ y)
    np.testing.assert_allclose(model.beyond[model.items][:, [other]].toarray()[:, 0], expected, atol=1e-5)


def test_both_sides_of_the_bound_tell_the_same_story() -> None:
    """Two groups of items, each liked by its own users."""
    random = np.random.default_rng(3)
    item = np.concatenate([random.permutation(6)[:4] + 6 * (user % 2) for user in range(60)]).astype(np.int32)
    user = np.repeat(np.arange(60, dtype=np.int32), 4)
    data = Interactions.of(user, item, np.arange(240, dtype=np.int64), n_users=60, n_items=12)
    for bound in (12, 8, 1):
        scores = EASE(EASEConfig(max_items=bound, regularization=5.0)).fit(data).score(history(0, 1))[0]
        assert scores[2:6].min() > scores[6:].max()


def test_most_used_items_are_those_with_most_users() -> None:
    assert most_used(np.array([3, 0, 9, 3, 1], np.float32), 3).tolist() == [0, 2, 3]
    assert most_used(np.array([3, 0, 9, 3, 1], np.float32), 10).tolist() == [0, 2, 3, 4]
