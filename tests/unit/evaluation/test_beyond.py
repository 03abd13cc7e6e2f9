"""Novelty, popularity bias and Gini agree with their definitions on a catalogue of four items."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data.interactions import Interactions
from matinee.evaluation.beyond import exposure, gini, per_case, whole
from matinee.evaluation.lists import Lists

#: Item 0 has 4 users of 4, item 1 has 2, item 2 has 1, item 3 none.
TRAIN = Interactions.of(
    np.array([0, 1, 2, 3, 0, 1, 0], np.int32),
    np.array([0, 0, 0, 0, 1, 1, 2], np.int32),
    np.arange(7, dtype=np.int64),
    n_users=5,
    n_items=4,
)


def listing(*lists: list[int]) -> Lists:
    ranked = np.full((len(lists), 25), -1, np.int32)
    for row, items in enumerate(lists):
        ranked[row, : len(items)] = items
    nothing = np.zeros(0, np.int64)
    return Lists(np.arange(len(lists)), ranked, nothing, nothing.astype(np.int32), 4)


def test_novelty_is_the_mean_self_information() -> None:
    assert per_case(listing([0, 1], [2], [3], []), TRAIN)["novelty_at_10"].tolist() == [0.5, 2.0, 2.0, 0.0]


def test_popularity_is_the_share_of_training_users() -> None:
    assert per_case(listing([0, 1], [3]), TRAIN)["popularity_at_10"].tolist() == [0.75, 0.0]


def test_the_percentile_says_how_much_of_the_catalogue_is_less_popular() -> None:
    assert per_case(listing([0], [3]), TRAIN)["popularity_percentile_at_10"].tolist() == [0.875, 0.125]


@pytest.mark.parametrize(("counts", "expected"), [([5, 5, 5, 5], 0.0), ([0, 0, 0, 8], 0.75), ([0, 0], 0.0)])
def test_gini_is_zero_for_equal_shares_and_near_one_for_a_single_winner(counts: list[int], expected: float) -> None:
    assert gini(np.array(counts)) == pytest.approx(expected)


def test_coverage_counts_items_listed_to_anybody() -> None:
    assert whole(exposure(listing([0, 1], [1]).ranked, 4))["coverage"] == 0.5
