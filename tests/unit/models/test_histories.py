"""Histories are cut, ranked and deduplicated as models read them."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data.interactions import Histories, Interactions
from matinee.models import histories as module
from matinee.models.histories import newest, newest_first, recency, user_item_matrix, weighted_rows

TWO = Histories(np.array([0, 4, 4, 6]), np.array([5, 6, 5, 7, 1, 2], np.int32), np.arange(6))


def test_newest_keeps_the_end_of_each_history() -> None:
    cut = newest(TWO, 2)
    assert cut.indptr.tolist() == [0, 2, 2, 4]
    assert cut.items.tolist() == [5, 7, 1, 2]
    assert cut.timestamps.tolist() == [2, 3, 4, 5]


def test_newest_gives_short_histories_back_as_they_are() -> None:
    assert newest(TWO, 4) is TWO


def test_newest_first_ranks_distinct_items() -> None:
    row, items, rank = newest_first(TWO, n_items=10, limit=9)
    found = {(int(r), int(i)): int(k) for r, i, k in zip(row, items, rank, strict=True)}
    assert found == {(0, 7): 0, (0, 5): 1, (0, 6): 2, (2, 2): 0, (2, 1): 1}


def test_newest_first_stops_at_the_limit() -> None:
    row, items, _ = newest_first(TWO, n_items=10, limit=1)
    assert sorted(zip(row.tolist(), items.tolist(), strict=True)) == [(0, 7), (2, 2)]


def test_newest_first_of_nothing_is_nothing() -> None:
    row, items, rank = newest_first(Histories.one(np.zeros(0, np.int32), np.zeros(0, np.int64)), 3, 5)
    assert len(row) == len(items) == len(rank) == 0


def test_user_item_matrix_holds_ones() -> None:
    data = Interactions.of(
        np.array([0, 0, 1], np.int32), np.array([1, 1, 0], np.int32), np.arange(3, dtype=np.int64), n_users=2, n_items=3
    )
    assert user_item_matrix(data).toarray().tolist() == [[0, 1, 0], [1, 0, 0]]


def test_repeats_are_found_the_same_by_a_table_and_by_sorting(monkeypatch: pytest.MonkeyPatch) -> None:
    by_table = [array.tolist() for array in newest_first(TWO, n_items=10, limit=9)]
    monkeypatch.setattr(module, "_MOST_PLACES", 0)
    assert [array.tolist() for array in newest_first(TWO, n_items=10, limit=9)] == by_table


@pytest.mark.parametrize("rows", [[2, 2, 0], [0, 2, 2], []])
def test_weighted_rows_hold_each_weight_at_its_place(rows: list[int]) -> None:
    row, items = np.array(rows, np.int64), np.arange(len(rows), dtype=np.int32)
    dense = weighted_rows(row, items, items + np.float32(1), (3, 4)).toarray()
    assert {(int(r), int(i)): float(dense[r, i]) for r, i in zip(*np.nonzero(dense), strict=True)} == {
        (r, at): at + 1.0 for at, r in enumerate(rows)
    }


def test_recency_is_a_power_of_the_rank() -> None:
    assert recency(np.array([3, 0]), 0.5).tolist() == [0.5, 1.0]
    assert recency(np.zeros(0, np.int64), 0.5).tolist() == []
