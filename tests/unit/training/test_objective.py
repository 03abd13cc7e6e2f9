"""The objective: the more it counts, the more of it is recommended; its metric; refusals of data without it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from matinee.data.interactions import Interactions
from matinee.errors import JobFailed
from matinee.evaluation.evaluate import asked_with_inputs
from matinee.evaluation.lists import Lists, make_lists
from matinee.evaluation.splits import personalize
from matinee.models.ease import EASE
from matinee.training.objective import STRENGTHS, Objective, bonus, rewards

USERS, ITEMS = 120, 60


def _data() -> Interactions:
    random = np.random.default_rng(5)
    taste = random.integers(0, 4, USERS)
    user = np.repeat(np.arange(USERS), 12)
    item = (random.integers(0, ITEMS // 4, len(user)) * 4 + taste[user]) % ITEMS
    return Interactions.of(
        user.astype(np.int32),
        item.astype(np.int32),
        np.arange(len(user), dtype=np.int64),
        n_users=USERS,
        n_items=ITEMS,
    )


def test_the_objective_of_the_lists_rises_with_the_sensitivity_and_relevance_does_not_collapse() -> None:
    split = personalize(_data(), 0)
    values = np.random.default_rng(6).uniform(1, 9, ITEMS).astype(np.float32)
    means, ndcg = [], []
    for sensitivity in ("OFF", "LOW", "MEDIUM", "HIGH"):
        model = Objective("PRICE", sensitivity).adjust(EASE().fit(split.train), values)
        lists = make_lists(split, asked_with_inputs(split, model.score), exclude_seen=False)
        means.append(float(values[lists.ranked].mean()))
        ndcg.append(float(lists.metrics()[1]["ndcg_at_25"].mean()))
    assert means == sorted(means)
    assert means[0] < means[1]
    assert means[2] < means[3]
    assert ndcg[3] > 0.5 * ndcg[0]


def test_off_changes_nothing() -> None:
    model = EASE().fit(_data())
    assert Objective("PRICE", "OFF").adjust(model, np.ones(ITEMS, np.float32)) is model
    assert STRENGTHS["OFF"] < STRENGTHS["LOW"] < STRENGTHS["MEDIUM"] < STRENGTHS["HIGH"]


def test_items_without_a_value_gain_and_lose_nothing() -> None:
    found = bonus(np.array([1, 3, np.nan], np.float32))
    np.testing.assert_allclose(found, [-1, 1, 0])


def test_a_column_without_values_cannot_be_trained_on() -> None:
    items = pl.DataFrame({"ITEM_ID": ["a"], "PRICE": [None]}, schema={"ITEM_ID": pl.String, "PRICE": pl.Float64})
    with pytest.raises(JobFailed, match="PRICE has no value for any item"):
        Objective("PRICE", "LOW").values(["a", "b"], items)


def test_average_rewards_is_the_share_of_the_reward_in_the_lists() -> None:
    lists = Lists(
        case=np.array([0, 1]),
        ranked=np.array([[0, 1], [2, -1]], np.int32),
        wanted_row=np.array([0, 0, 1]),
        wanted_item=np.array([1, 2, 2], np.int32),
        n_items=3,
    )
    # Rewards 0, 0.5 and 1: the first user finds 0.5 of 1.5, the second 1 of 1.
    found = rewards(lists, np.array([10, 15, 20], np.float32))
    assert found == pytest.approx([1 / 3, 1], abs=1e-4)
