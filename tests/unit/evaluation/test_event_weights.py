"""NDCG with event weights, against sums made by hand."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest

from matinee.data.interactions import Interactions
from matinee.evaluation.event_weights import weighted_ndcg
from matinee.evaluation.lists import Lists
from matinee.evaluation.splits import Split


def measured(weight: list[float] | None, *ranked: int) -> float:
    """One user who had item 0, then items 1 and 2 (twice) with these weights, and the list that they got."""
    log = Interactions.of(
        np.zeros(4, np.int32),
        np.array([0, 1, 2, 2], np.int32),
        np.arange(4, dtype=np.int64),
        n_users=1,
        n_items=30,
        weight=None if weight is None else np.array([1.0, *weight], np.float32),
    )
    one = np.array([1])
    split = Split("personalize", log, log, one * 0, one * 0, one, one, one * 4)
    places = np.full((1, 25), -1, np.int32)
    places[0, : len(ranked)] = ranked
    wanted = np.array([1, 2], np.int32)
    return float(weighted_ndcg(split, Lists(np.array([0]), places, np.zeros(2, np.int64), wanted, 30)).mean())


def test_the_heavier_event_is_worth_more() -> None:
    best = 1.5 + 0.5 / log2(3)
    assert measured([0.5, 1.5, 0.2], 2, 1) == pytest.approx(1.0)
    assert measured([0.5, 1.5, 0.2], 1, 2) == pytest.approx((0.5 + 1.5 / log2(3)) / best)
    assert measured([0.5, 1.5, 0.2], 9, 2) == pytest.approx(1.5 / log2(3) / best)
    assert measured([0.5, 1.5, 0.2], 9, 8) == 0


def test_only_ratios_count() -> None:
    assert measured([0.1, 0.3, 0.3], 7, 1, 2) == pytest.approx(measured([0.2, 0.6, 0.6], 7, 1, 2))


def test_without_weights_it_is_ndcg() -> None:
    assert measured(None, 9, 1) == pytest.approx(1 / log2(3) / (1 + 1 / log2(3)))
