"""SIMS counts common users, honours its hyperparameters and falls back to popular items."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data.interactions import Histories, Interactions
from matinee.models.item_knn import ItemKNN, ItemKNNConfig

EVERYTHING = {
    "min_cointeraction_count": 1,
    "min_user_history_length_percentile": 0.0,
    "max_user_history_length_percentile": 1.0,
    "min_item_interaction_count_percentile": 0.0,
    "max_item_interaction_count_percentile": 1.0,
}
#: Users by the items they have: item 0 is with everyone, 1 and 2 go together twice, 3 and 4 once.
BASKETS = [(0, 1, 2), (0, 1, 2), (0, 3, 4), (0, 1), (0, 3)]


def log(baskets: list[tuple[int, ...]] = BASKETS, n_items: int = 5) -> Interactions:
    user = np.repeat(np.arange(len(baskets)), [len(b) for b in baskets]).astype(np.int32)
    item = np.array([i for basket in baskets for i in basket], np.int32)
    return Interactions.of(user, item, np.arange(len(user), dtype=np.int64), n_users=len(baskets), n_items=n_items)


def fitted(**changes: float) -> ItemKNN:
    return ItemKNN(ItemKNNConfig(**{**EVERYTHING, **changes})).fit(log())  # type: ignore[arg-type]


def related(model: ItemKNN, item: int) -> list[float]:
    return [float(score) for score in model.score_related(np.array([item], np.int32))[0]]


def test_score_is_the_discounted_count_of_common_users() -> None:
    scores = related(fitted(), 1)
    assert scores[2] == pytest.approx(2 / np.sqrt(3 * 2))
    assert scores[0] == pytest.approx(3 / np.sqrt(3 * 5))


def test_without_discount_popular_items_lead_and_with_it_correlated_ones() -> None:
    assert np.argmax(related(fitted(popularity_discount_factor=0.0), 2)) in (0, 1)
    assert related(fitted(popularity_discount_factor=0.0), 3)[0] > related(fitted(popularity_discount_factor=0.0), 3)[4]
    assert related(fitted(popularity_discount_factor=1.0), 3)[4] > related(fitted(popularity_discount_factor=1.0), 3)[0]


def test_pairs_below_the_minimum_are_unrelated() -> None:
    scores = related(fitted(min_cointeraction_count=2), 3)
    assert scores[0] > 0
    assert scores[4] < 0


def test_unrelated_items_follow_by_popularity() -> None:
    scores = related(fitted(min_cointeraction_count=10), 3)
    assert np.argsort(-np.array(scores), kind="stable")[:3].tolist() == [0, 1, 2]
    assert -1 <= scores[4] < scores[1] < scores[0] < 0


def test_items_too_popular_are_left_out_of_the_counting() -> None:
    assert related(fitted(max_item_interaction_count_percentile=0.8), 1)[0] < 0
    assert related(fitted(max_item_interaction_count_percentile=0.8), 1)[2] > 0


def test_users_with_long_histories_are_left_out_of_the_counting() -> None:
    assert related(fitted(max_user_history_length_percentile=0.3), 1)[2] < 0


def test_only_the_best_neighbours_are_kept() -> None:
    assert sum(score > 0 for score in related(fitted(neighbours=1), 0)) == 1


def test_blocks_do_not_change_the_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fitted().related.toarray()
    monkeypatch.setattr("matinee.models.item_knn._COUNTS_AT_ONCE", 10)
    np.testing.assert_array_equal(fitted().related.toarray(), whole)


def test_a_history_asks_with_its_newest_item_or_with_all() -> None:
    history = Histories.one(np.array([3, 1], np.int32), np.array([1, 2]))
    newest, both = fitted(), fitted(history_items=10)
    assert newest.score(history)[0, 4] < 0
    assert both.score(history)[0, 4] > 0
    expected = np.maximum(related(both, 3), 0)[4] + np.maximum(related(both, 1), 0)[4]
    assert both.score(history)[0, 4] == pytest.approx(expected)
