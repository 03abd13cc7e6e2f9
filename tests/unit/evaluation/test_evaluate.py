"""Evaluation measures what a scorer lists, with or without seen items."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data.interactions import FloatArray, Histories, Interactions
from matinee.errors import DataProblem
from matinee.evaluation.evaluate import asked_with_inputs, evaluate, measure, newest_item, personalize_metrics
from matinee.evaluation.splits import personalize, temporal
from matinee.models.ease import EASE, EASEConfig
from matinee.models.item_knn import ItemKNN, ItemKNNConfig
from matinee.models.popularity import Popularity

N_ITEMS = 40


def log(n_users: int = 60) -> Interactions:
    """Users who go round the catalogue in steps of one from a random place: the next item is certain."""
    random = np.random.default_rng(2)
    user = np.repeat(np.arange(n_users), 10).astype(np.int32)
    item = ((random.integers(0, N_ITEMS, n_users)[:, None] + np.arange(10)) % N_ITEMS).ravel().astype(np.int32)
    time = np.tile(np.arange(10), n_users).astype(np.int64)
    return Interactions.of(user, item, time, n_users=n_users, n_items=N_ITEMS)


def perfect(histories: Histories) -> FloatArray:
    """Scores the certain next item highest, and the last item higher still."""
    scores = np.zeros((len(histories), N_ITEMS), np.float32)
    last = histories.items[histories.indptr[1:] - 1]
    rows = np.arange(len(histories))
    scores[rows, (last + 1) % N_ITEMS] = 1
    scores[rows, last] = 2
    return scores


def test_a_perfect_scorer_reaches_one_when_seen_items_are_left_out() -> None:
    metrics = measure(personalize(log()), perfect, exclude_seen=True).metrics
    assert metrics["mrr_at_25"] == 1.0
    assert metrics["ndcg_at_10"] == pytest.approx(1.0)
    assert metrics["precision_at_5"] == pytest.approx(0.2)


def test_seen_items_take_places_when_they_are_kept() -> None:
    assert measure(personalize(log()), perfect, exclude_seen=False).metrics["mrr_at_25"] == 0.5


def test_a_seen_item_is_not_asked_for_when_excluded() -> None:
    items = np.array([0, 1, 0] * 3 + [0], np.int32)
    data = Interactions.of(np.zeros(10, np.int32), items, np.arange(10, dtype=np.int64), n_users=1, n_items=2)
    with pytest.raises(DataProblem, match="nothing to test on"):
        measure(personalize(data), lambda h: np.zeros((len(h), 2), np.float32), exclude_seen=True)


def test_a_log_too_small_is_refused_with_what_to_do() -> None:
    data = Interactions.of(np.zeros(1, np.int32), np.zeros(1, np.int32), np.zeros(1, np.int64), n_users=1, n_items=1)
    with pytest.raises(DataProblem, match="at least two interactions"):
        measure(personalize(data), perfect, exclude_seen=True)


def test_batches_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = measure(personalize(log()), perfect, exclude_seen=True)
    monkeypatch.setattr("matinee.evaluation.lists._SCORES_AT_ONCE", N_ITEMS * 2)
    assert measure(personalize(log()), perfect, exclude_seen=True).metrics == whole.metrics


def test_evaluate_fits_on_the_training_part_only() -> None:
    result = evaluate(lambda: EASE(EASEConfig(regularization=1.0)), log(), "leave-one-out", seed=4)
    assert (result.protocol, result.seed, result.cases) == ("leave-one-out", 4, 60)
    assert result.metrics["hit_rate_at_25"] > 0.9
    assert result.train_seconds > 0


def test_metrics_are_means_over_cases() -> None:
    result = evaluate(Popularity, log())
    assert result.metrics["ndcg_at_10"] == pytest.approx(result.per_case["ndcg_at_10"].mean())
    assert len(result.per_case["ndcg_at_10"]) == result.cases


def test_personalize_metrics_have_the_names_and_decimals_of_the_service() -> None:
    split = personalize(log())
    metrics = personalize_metrics(split, Popularity().fit(split.train).score)
    assert set(metrics) == {
        "coverage",
        "mean_reciprocal_rank_at_25",
        "normalized_discounted_cumulative_gain_at_5",
        "normalized_discounted_cumulative_gain_at_10",
        "normalized_discounted_cumulative_gain_at_25",
        "precision_at_5",
        "precision_at_10",
        "precision_at_25",
    }
    assert all(value == round(value, 4) for value in metrics.values())


def test_related_items_are_asked_with_the_newest_item() -> None:
    model = ItemKNN(ItemKNNConfig(min_cointeraction_count=1, max_item_interaction_count_percentile=1.0)).fit(log())
    asked = Histories(np.array([0, 2, 2]), np.array([3, 9], np.int32), np.array([1, 2]))
    scores = newest_item(model)(asked)
    np.testing.assert_array_equal(scores[0], model.score_related(np.array([9], np.int32))[0])
    np.testing.assert_array_equal(scores[1], model.score_related(np.array([-1], np.int32))[0])


def test_a_model_that_relates_nothing_cannot_be_asked_with_an_item() -> None:
    with pytest.raises(TypeError, match="popularity does not relate items"):
        newest_item(Popularity())


def test_a_timed_case_brings_what_happened_before_it_and_nothing_later() -> None:
    data = log()
    moved = Interactions.of(
        data.user, data.item, data.timestamp * 86_400, n_users=data.n_users, n_items=data.n_items
    )  # a day from one event to the next
    split, seen = temporal(moved), []

    def score(histories: Histories) -> FloatArray:
        assert histories.recent is not None
        seen.append(histories.recent)
        return np.zeros((len(histories), N_ITEMS), np.float32)

    asked_with_inputs(split, score, 2)(0, 3)
    asked = split.log.timestamp[split.truth_start[:3]]
    for counted, now in zip(seen[0], asked, strict=True):
        before = (moved.timestamp < now) & (moved.timestamp >= now - 2 * 86_400)
        np.testing.assert_array_equal(counted, np.bincount(moved.item[before], minlength=N_ITEMS))


def test_without_a_time_nothing_was_counted_since_the_training() -> None:
    def score(histories: Histories) -> FloatArray:
        assert histories.recent is None
        return np.zeros((len(histories), N_ITEMS), np.float32)

    asked_with_inputs(personalize(log()), score, 7)(0, 2)
