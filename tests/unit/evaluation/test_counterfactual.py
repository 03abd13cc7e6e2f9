"""Counterfactual estimates on generated worlds whose truth is known; arrays that do not fit are refused."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from matinee.evaluation.counterfactual import (
    Decisions,
    doubly_robust,
    fold_of,
    inverse_propensity,
    item_rewards,
    self_normalised,
)


def _benchmark() -> ModuleType:
    """The benchmark's own worlds: what is published is what is tested."""
    path = Path(__file__).parents[3] / "benchmarks/experiments.py"
    spec = importlib.util.spec_from_file_location("benchmarks_experiments", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_intervals_cover_the_truth_in_nine_of_ten_worlds() -> None:
    found = _benchmark().counterfactual(200)
    assert found["DR"]["coverage"] >= 0.9
    assert found["SNIPS"]["coverage"] >= 0.9
    assert abs(found["DR"]["bias"]) < 0.2 * found["DR"]["rmse"]


def test_the_policy_in_force_is_worth_its_mean_reward() -> None:
    random = np.random.default_rng(0)
    rewards, share = random.random(50), np.full(50, 0.25)
    same = Decisions(rewards, share, share, np.arange(50))
    assert inverse_propensity(same).mean == pytest.approx(rewards.mean())
    assert self_normalised(same).mean == pytest.approx(rewards.mean())
    assert same.effective == pytest.approx(50)


def test_a_perfect_model_needs_no_propensities() -> None:
    rewards = np.array([1.0, 0.0, 1.0])
    wrong = Decisions(rewards, np.array([0.9, 0.1, 0.5]), np.array([0.2, 0.7, 0.5]), np.arange(3))
    assert doubly_robust(wrong, rewards, np.full(3, 0.6)).mean == pytest.approx(0.6)


def test_decisions_of_one_user_count_as_one() -> None:
    random = np.random.default_rng(1)
    rewards, share = np.repeat(random.random(40), 10), np.full(400, 0.5)
    by_user = inverse_propensity(Decisions(rewards, share, share, np.repeat(np.arange(40), 10)))
    alone = inverse_propensity(Decisions(rewards, share, share, np.arange(400)))
    assert (by_user.high - by_user.low) > 2.5 * (alone.high - alone.low)


def test_the_reward_model_has_not_seen_the_fold_it_is_used_on() -> None:
    groups = np.arange(10)
    rewards = (fold_of(groups, 5) == 2).astype(np.float64)
    model = item_rewards(np.zeros(10, np.int64), rewards, groups, 1)
    assert model[2, 0] == 0.0
    assert model[0, 0] > 0.0


@pytest.mark.parametrize(
    ("propensity", "target", "sentence"),
    [(0.0, 0.5, "propensities must lie"), (0.5, 1.5, "targets must lie")],
)
def test_what_is_no_probability_is_refused(propensity: float, target: float, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Decisions(np.ones(1), np.array([propensity]), np.array([target]), np.zeros(1, np.int64))


def test_a_policy_that_would_have_shown_nothing_of_it_cannot_be_judged() -> None:
    with pytest.raises(ValueError, match="nothing can be said"):
        self_normalised(Decisions(np.ones(2), np.full(2, 0.5), np.zeros(2), np.arange(2)))
