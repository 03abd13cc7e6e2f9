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


def test_beyond_the_bound_the_most_used_items_take_part() -> None:
    model = EASE(EASEConfig(max_items=5)).fit(log())
    assert model.weights.shape == (5, 5)
    scores = model.score(history(*model.items.tolist()))[0]
    assert scores.shape == (12,)
    assert np.flatnonzero(scores).tolist() == model.items.tolist()


def test_most_used_items_are_those_with_most_users() -> None:
    assert most_used(np.array([3, 0, 9, 3, 1], np.float32), 3).tolist() == [0, 2, 3]
    assert most_used(np.array([3, 0, 9, 3, 1], np.float32), 10).tolist() == [0, 2, 3, 4]
