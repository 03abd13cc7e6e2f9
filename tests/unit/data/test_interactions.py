"""Histories: batches of them joined."""

from __future__ import annotations

import numpy as np

from matinee.data.interactions import Histories


def _history(*items: int) -> Histories:
    return Histories.one(np.array(items, dtype=np.int32), np.array(items, dtype=np.int64) * 10)


def test_joined_batches_are_one_batch_in_order() -> None:
    joined = Histories.joined([_history(1, 2), _history(), Histories.joined([_history(3), _history(4, 5)])])
    assert joined.indptr.tolist() == [0, 2, 2, 3, 5]
    assert joined.items.tolist() == [1, 2, 3, 4, 5]
    assert joined.timestamps.tolist() == [10, 20, 30, 40, 50]
