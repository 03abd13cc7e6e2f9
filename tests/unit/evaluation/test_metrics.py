"""Metrics agree with the definitions and the worked example of the service's guide."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.evaluation.metrics import PERSONALIZE_NAMES, coverage, ranking_metrics, top_items


def hits_at(*ranks: int) -> np.ndarray:
    """One case with hits at these ranks, counted from 1."""
    hits = np.zeros((1, 25), np.bool_)
    hits[0, [rank - 1 for rank in ranks]] = True
    return hits


def one(metric: str, hits: np.ndarray, relevant: int) -> float:
    return float(ranking_metrics(hits, np.array([relevant]))[metric][0])


def test_worked_example_of_the_guide() -> None:
    assert round(one("ndcg_at_5", hits_at(2, 5), 2), 4) == 0.6241
    assert one("precision_at_5", hits_at(2, 5), 2) == 0.4


def test_ideal_is_capped_at_the_cutoff() -> None:
    assert one("ndcg_at_5", hits_at(1, 2, 3, 4, 5), 40) == pytest.approx(1.0)


def test_reciprocal_rank_counts_the_first_hit() -> None:
    assert one("mrr_at_25", hits_at(4, 9), 2) == 0.25
    assert one("mrr_at_25", hits_at(25), 1) == pytest.approx(0.04)


def test_no_hit_scores_nothing() -> None:
    metrics = ranking_metrics(np.zeros((1, 25), np.bool_), np.array([3]))
    assert {float(values[0]) for values in metrics.values()} == {0.0}


def test_recall_and_hit_rate() -> None:
    assert one("recall_at_10", hits_at(3, 12), 4) == 0.25
    assert one("recall_at_25", hits_at(3, 12), 4) == 0.5
    assert one("hit_rate_at_10", hits_at(3, 12), 4) == 1.0
    assert one("hit_rate_at_5", hits_at(6), 1) == 0.0


def test_every_name_of_the_service_has_a_metric() -> None:
    ours = set(ranking_metrics(hits_at(1), np.array([1]))) | {"coverage"}
    assert set(PERSONALIZE_NAMES.values()) <= ours
    assert len(PERSONALIZE_NAMES) == 8


def test_top_items_are_ordered_and_ties_go_to_the_lower_number() -> None:
    scores = np.array([[0.5, 2.0, 0.5, 1.0]], np.float32)
    assert top_items(scores, 4).tolist() == [[1, 3, 0, 2]]


def test_top_items_leave_out_minus_infinity_and_pad() -> None:
    scores = np.array([[-np.inf, 1.0, -np.inf]], np.float32)
    assert top_items(scores, 5).tolist() == [[1, -1, -1, -1, -1]]


def test_top_items_agree_with_a_full_sort() -> None:
    scores = np.random.default_rng(0).standard_normal((7, 200)).astype(np.float32)
    np.testing.assert_array_equal(top_items(scores, 25), np.argsort(-scores, axis=1)[:, :25])


def test_coverage_is_a_share_of_the_catalogue() -> None:
    assert coverage(np.array([True, False, False, True])) == 0.5
    assert coverage(np.zeros(0, np.bool_)) == 0.0
