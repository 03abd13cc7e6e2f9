"""Weights follow the part that ranks best, and the scale fits the softmax."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data.interactions import Histories
from matinee.models.validation import Validation
from matinee.models.weighting import Candidates, believed, fit_scale, fit_weights, simplex

CASES, ITEMS = 200, 40


def task(noise: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray, Validation]:
    """Parts that see the truth through so much noise, nothing hidden, one wanted item a case."""
    random = np.random.default_rng(0)
    truth = random.integers(0, ITEMS, CASES).astype(np.int32)
    signal = np.zeros((CASES, ITEMS))
    signal[np.arange(CASES), truth] = 3
    parts = np.stack([signal + level * random.standard_normal(signal.shape) for level in noise]).astype(np.float32)
    parts = (parts - parts.mean(axis=2, keepdims=True)) / parts.std(axis=2, keepdims=True)
    each = np.arange(CASES + 1, dtype=np.int64)
    nothing = Histories(np.zeros(CASES + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64))
    wanted = Histories(each, truth, np.zeros(CASES, np.int64))
    return parts, np.zeros((CASES, ITEMS), np.bool_), Validation(nothing, wanted)


def test_a_simplex_holds_every_step_once() -> None:
    weights = simplex(3, 4)
    assert len(weights) == 15
    assert len(np.unique(weights, axis=0)) == 15
    np.testing.assert_allclose(weights.sum(axis=1), 1)


def test_a_simplex_of_one_part_is_one() -> None:
    assert simplex(1, 20).tolist() == [[1.0]]


def test_what_is_clearly_best_alone_stays_alone() -> None:
    random = np.random.default_rng(3)
    tried = simplex(4, 10)
    cases = tried[:, :1] + 0.1 * random.standard_normal((len(tried), 2_000))
    assert believed(tried, cases)[0] > 0.95
    assert believed(tried, cases[:, :4])[0] < believed(tried, cases)[0]


def test_weights_that_are_all_as_good_count_the_same() -> None:
    tried = simplex(3, 10)
    np.testing.assert_allclose(believed(tried, np.ones((len(tried), 5))), 1 / 3, rtol=1e-5)


@pytest.mark.parametrize("others", [3, 4])
def test_parts_that_say_nothing_weigh_little(others: int) -> None:
    parts, hidden, validation = task((1.0,) + (1e6,) * others)
    weights = fit_weights(parts, hidden, validation)
    assert (weights[1:] < 0.15 * weights[0]).all()


def test_the_better_part_weighs_more() -> None:
    parts, hidden, validation = task((1.0, 8.0))
    weights = fit_weights(parts, hidden, validation)
    assert weights[0] > 3 * weights[1] >= 0


def test_two_parts_of_like_worth_are_better_together() -> None:
    parts, hidden, validation = task((2.0, 2.0))
    weights = fit_weights(parts, hidden, validation)
    candidates = Candidates.of(parts, hidden, validation)
    alone = max(candidates.ndcg(np.array(w, np.float32)).mean() for w in ([1, 0], [0, 1]))
    assert candidates.ndcg(weights).mean() > alone


def test_hidden_items_are_not_ranked() -> None:
    parts, hidden, validation = task((1.0,))
    hidden[:] = True
    hidden[np.arange(CASES), validation.truth.items] = False
    assert Candidates.of(parts, hidden, validation).ndcg(np.ones(1, np.float32)).mean() == pytest.approx(1.0)


def test_the_scale_makes_a_softmax_of_likelihoods_stay_as_it_is() -> None:
    random = np.random.default_rng(1)
    logits = random.standard_normal((4000, 10)).astype(np.float32)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    drawn = (chances.cumsum(axis=1) > random.random((4000, 1))).argmax(axis=1).astype(np.int32)
    nothing = Histories(np.zeros(4001, np.int64), drawn[:0], np.zeros(0, np.int64))
    wanted = Histories(np.arange(4001, dtype=np.int64), drawn, np.zeros(4000, np.int64))
    scale = fit_scale(logits / np.float32(4), np.zeros(logits.shape, np.bool_), Validation(nothing, wanted))
    assert scale == pytest.approx(4, rel=0.1)
