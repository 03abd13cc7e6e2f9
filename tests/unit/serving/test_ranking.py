"""The best k, scores that read as probabilities, promotions at random places."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from matinee.recipes.catalogue import Scores
from matinee.serving.ranking import (
    Entry,
    best,
    best_of_each,
    interleave,
    probabilities,
    probabilities_of_each,
    promoted_count,
    with_popular_tail,
)

_scores = hnp.arrays(
    np.float32,
    st.integers(1, 30),
    elements=st.sampled_from([-np.inf, -2.0, -1.0, 0.0, 0.5, 1.0, 3.0]).map(np.float32),
)


@given(scores=_scores, k=st.integers(0, 35), seed=st.integers(0, 9))
def test_best_is_a_stable_sort_of_what_is_allowed(scores: np.ndarray, k: int, seed: int) -> None:
    allowed = np.random.default_rng(seed).random(len(scores)) < 0.7
    expected = sorted(
        (item for item in range(len(scores)) if allowed[item] and scores[item] > -np.inf),
        key=lambda item: (-scores[item], item),
    )
    assert best(scores, allowed, k).tolist() == expected[:k]


def _all(scores: np.ndarray) -> np.ndarray:
    return np.ones(len(scores), np.bool_)


def test_scores_over_the_catalogue_ignore_the_filter() -> None:
    scores = np.log(np.array([1, 2, 5, 2], np.float32))
    allowed = np.array([True, False, True, True])
    shown = np.array([2, 0])
    assert probabilities(scores, Scores.SOFTMAX_CATALOGUE, allowed, shown) == [0.5, 0.1]
    assert probabilities(scores, Scores.SOFTMAX_CANDIDATES, allowed, shown) == [0.625, 0.125]


def test_an_item_that_the_model_does_not_know_has_no_score() -> None:
    scores = np.array([0.0, -np.inf], np.float32)
    assert probabilities(scores, Scores.SOFTMAX_INPUTS, _all(scores), np.array([0, 1])) == [1.0, None]


def test_nothing_known_has_no_scores() -> None:
    scores = np.array([-np.inf], np.float32)
    assert probabilities(scores, Scores.SOFTMAX_INPUTS, _all(scores), np.array([0])) == [None]


def test_recipes_without_scores_show_none() -> None:
    scores = np.array([1.0], np.float32)
    assert probabilities(scores, Scores.NONE, _all(scores), np.array([0])) == [None]


def test_neighbours_come_first_then_popular_items() -> None:
    scores = np.array([0.0, 0.3, -0.2, -np.inf, 0.9], np.float32)
    tail = with_popular_tail(scores, np.array([1, 9, 7, 5, 2], np.int32))
    assert best(tail, _all(tail), 5).tolist() == [4, 1, 2, 0]


@pytest.mark.parametrize(
    ("results", "percent", "count"), [(25, 20, 5), (3, 50, 2), (10, 1, 1), (4, 100, 4), (0, 50, 0)]
)
def test_the_share_of_a_promotion_is_the_nearest_whole_number_and_at_least_one(
    results: int, percent: int, count: int
) -> None:
    assert promoted_count(results, percent) == count


@given(promoted=st.integers(0, 6), others=st.integers(0, 6), seed=st.integers(0, 99))
def test_both_kinds_keep_their_order(promoted: int, others: int, seed: int) -> None:
    first = [Entry(at, promotion="p") for at in range(promoted)]
    second = [Entry(at) for at in range(others)]
    mixed = interleave(first, second, np.random.default_rng(seed))
    assert [entry for entry in mixed if entry.promotion] == first
    assert [entry for entry in mixed if not entry.promotion] == second


_MANY = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(1, 60)),
    elements=st.sampled_from([-np.inf, -2.0, -1.0, 0.0, 0.5, 1.0, 3.0]).map(np.float32),
)


@given(scores=_MANY, k=st.integers(0, 8))
def test_the_best_of_many_rows_are_the_best_of_each(scores: np.ndarray, k: int) -> None:
    lists = best_of_each(scores, k)
    assert len(lists.indptr) == len(scores) + 1
    for row, own in enumerate(scores):
        found = lists.items[lists.indptr[row] : lists.indptr[row + 1]]
        assert found.tolist() == best(own, _all(own), k).tolist()


@given(
    scores=_MANY, seed=st.integers(0, 9), kind=st.sampled_from([Scores.SOFTMAX_CATALOGUE, Scores.SOFTMAX_CANDIDATES])
)
def test_the_probabilities_of_many_rows_are_those_of_each(scores: np.ndarray, seed: int, kind: Scores) -> None:
    allowed = np.random.default_rng(seed).random(scores.shape) < 0.7
    masked = np.where(allowed, scores, np.float32(-np.inf))
    lists = best_of_each(masked, 5)
    found = probabilities_of_each(scores.copy(), masked, kind, lists)
    expected = [
        share
        for row, own in enumerate(scores)
        for share in probabilities(own, kind, allowed[row], lists.items[lists.indptr[row] : lists.indptr[row + 1]])
    ]
    assert found.tolist() == pytest.approx(expected, abs=2e-7)
