"""The draws that exploration makes, and the places that they win."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from matinee.errors import InvalidInput
from matinee.recipes.catalogue import find
from matinee.serving.exploration import (
    MOST_CANDIDATES,
    Exploration,
    Explored,
    exploration_of,
    explored,
    fill,
    mean_multiplier,
)

V1, V2, PICKS = (find(f"aws-{name}") for name in ("user-personalization", "user-personalization-v2", "vod-top-picks"))
ORDER = np.arange(10, dtype=np.int64)
NEW = np.array([20, 21, 22, 23])


def _random(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def _draws(weight: float, clicks: list[float], expected: list[float], seed: int = 1) -> Explored:
    relevance = np.full(len(NEW), -np.inf, np.float32)
    return explored(NEW, relevance, np.array(clicks), np.array(expected), weight, _random(seed))


def test_defaults_are_those_of_the_recipes_table() -> None:
    assert exploration_of(V1, {}) == exploration_of(PICKS, {}) == Exploration(0.3, 30.0)


def test_a_campaigns_configuration_is_read() -> None:
    config = {"itemExplorationConfig": {"explorationWeight": "0.7", "explorationItemAgeCutOff": "5"}}
    assert exploration_of(V1, config) == Exploration(0.7, 5.0)


def test_weight_0_and_recipes_without_exploration_explore_nothing() -> None:
    assert exploration_of(V1, {"itemExplorationConfig": {"explorationWeight": "0"}}) is None
    assert exploration_of(V2, {}) is None


def test_a_value_out_of_range_is_refused() -> None:
    with pytest.raises(InvalidInput, match="explorationWeight"):
        exploration_of(V1, {"itemExplorationConfig": {"explorationWeight": "2"}})


def test_impressions_without_clicks_lower_an_item_and_clicks_raise_it() -> None:
    mean = mean_multiplier(np.array([0.0, 0.0, 5.0]), np.array([0.0, 4.0, 2.0]))
    assert mean[0] == 1
    assert mean[1] < 1 < mean[2]


def test_the_same_seed_gives_the_same_places() -> None:
    places = [fill(ORDER, _draws(0.5, [0] * 4, [0] * 4), 8, _random(3)) for _ in range(2)]
    assert places[0] == places[1]


def test_weight_1_gives_the_first_places_to_new_items_and_no_item_twice() -> None:
    shown = fill(ORDER, _draws(1.0, [0] * 4, [0] * 4), 10, _random())
    assert {one.item for one in shown[:3]} <= set(NEW.tolist())
    assert len({one.item for one in shown}) == 10


def test_items_shown_often_in_vain_win_no_place_any_more() -> None:
    shown = fill(ORDER, _draws(1.0, [0] * 4, [50] * 4), 10, _random())
    assert [one.item for one in shown] == ORDER.tolist()
    assert [one.propensity for one in shown] == [1.0] * 10


def test_the_item_that_is_clicked_wins_more_places_than_one_that_is_not() -> None:
    wins: Counter[int] = Counter()
    for seed in range(100):
        wins[fill(ORDER, _draws(1.0, [9, 0, 0, 0], [3, 3, 3, 3], seed), 1, _random(seed))[0].item] += 1
    assert wins[20] > 90


def test_candidates_alone_follow_where_the_order_has_ended() -> None:
    shown = fill(ORDER[:1], _draws(0.1, [0] * 4, [50] * 4), 10, _random())
    assert {one.item for one in shown} == {0, *NEW.tolist()}


def test_an_item_both_relevant_and_young_is_shown_once() -> None:
    candidates = explored(ORDER[:3], np.zeros(3, np.float32), np.zeros(3), np.zeros(3), 0.5, _random())
    shown = fill(ORDER, candidates, 10, _random())
    assert sorted(one.item for one in shown) == ORDER.tolist()


def test_propensities_are_the_frequencies_of_what_is_shown_first_given_the_draws() -> None:
    candidates, random, times = _draws(0.6, [2, 0, 0, 0], [1, 1, 1, 1]), _random(5), 4000
    first = [fill(ORDER, candidates, 1, random)[0] for _ in range(times)]
    told = {one.item: one.propensity for one in first}
    found = {item: count / times for item, count in Counter(one.item for one in first).items()}
    assert sum(told.values()) == pytest.approx(1)
    for item, probability in told.items():
        assert found[item] == pytest.approx(probability, abs=4 * np.sqrt(0.25 / times))


def test_relevance_known_to_the_model_counts_among_candidates() -> None:
    relevance = np.array([3.0, 0.0, 0.0, -np.inf], np.float32)
    drawn = explored(NEW, relevance, np.zeros(4), np.zeros(4), 1.0, _random())
    mean = drawn.promise.mean(axis=0)
    assert mean[0] > mean[3] > mean[1]


def test_of_many_candidates_those_that_may_do_best_are_drawn() -> None:
    n = MOST_CANDIDATES + 50
    expected = np.where(np.arange(n) < 50, 80.0, 0.0)
    drawn = explored(np.arange(n), np.zeros(n, np.float32), np.zeros(n), expected, 1.0, _random())
    assert len(drawn.items) == MOST_CANDIDATES
    assert drawn.items.min() >= 50


def test_without_candidates_the_order_stays() -> None:
    none = np.zeros(0, np.int64)
    candidates = explored(none, np.zeros(0, np.float32), np.zeros(0), np.zeros(0), 0.5, _random())
    assert [one.item for one in fill(ORDER, candidates, 4, _random())] == [0, 1, 2, 3]
