"""The accuracy of trends is the growth that was foreseen."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data.interactions import Interactions
from matinee.evaluation.trends import trend_accuracy


def data(events: list[tuple[int, int]], n_items: int = 60) -> Interactions:
    """Events (item, time), each of a user of its own."""
    item, time = (np.array(column) for column in zip(*events, strict=True))
    user = np.arange(len(item), dtype=np.int32)
    return Interactions.of(user, item.astype(np.int32), time.astype(np.int64), n_users=len(item), n_items=n_items)


def test_a_trend_that_goes_on_is_foreseen() -> None:
    rising = [(0, 15)] * 2 + [(0, 25)] * 6 + [(1, 5)]
    assert trend_accuracy(data(rising), 10) == 1.0


def test_a_trend_of_items_nobody_saw_coming_is_not() -> None:
    sudden = [(item, 15) for item in range(30)] + [(item, 25) for item in range(30, 60)]
    assert trend_accuracy(data(sudden), 10) == 0.0


@pytest.mark.parametrize("events", [[(0, 25)], [(0, 15), (0, 25)]])
def test_nothing_before_or_no_growth_is_0(events: list[tuple[int, int]]) -> None:
    assert trend_accuracy(data(events), 10) == 0.0
