"""Figures for some of the cases: users who are hardly known, users who are known best, and items that are new."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import LongArray
from matinee.evaluation.lists import Lists
from matinee.evaluation.metrics import DoubleArray
from matinee.evaluation.splits import Split

#: A cold user's input has at most so many events; a heavy user's is among the longest, a tenth of the cases at most.
COLD_EVENTS = 5
HEAVY_SHARE = 0.1
#: An item is new when its first event lies in the newest tenth of the training's time, or after it.
NEW_SHARE = 0.1
#: The metrics that a segment shows.
METRICS = ("ndcg_at_10", "hit_rate_at_10", "recall_at_10", "mrr_at_25")

#: What each segment is, in words.
MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "cold_users": f"at most {COLD_EVENTS} events are known of the user",
        "heavy_users": "the cases with the longest inputs, a tenth of them at most",
        "new_items": "only items count as asked for whose first event is in the newest tenth of the training's time, "
        "or after it",
    }
)


def segments(split: Split, lists: Lists) -> dict[str, tuple[LongArray, Mapping[str, DoubleArray]]]:
    """For each segment that has cases: the rows of `lists` in it, and the metrics of these rows."""
    length = (split.input_end - split.input_start)[lists.case]
    rows, metrics = lists.metrics()
    shown = {name: metrics[name] for name in METRICS}
    heavy = _heavy(length)
    found = {
        "cold_users": _among(rows, shown, length[rows] <= COLD_EVENTS),
        "heavy_users": _among(rows, shown, heavy[rows]),
    }
    new_rows, new_metrics = lists.metrics(only=new_items(split))
    found["new_items"] = new_rows, {name: new_metrics[name] for name in METRICS}
    return {name: part for name, part in found.items() if len(part[0])}


def _heavy(length: LongArray) -> NDArray[np.bool_]:
    """Which cases have the longest inputs (cases,). Where many are as long as the last of the tenth, only longer ones
    do: nobody, where all are alike."""
    least = max(COLD_EVENTS + 1, np.quantile(length, 1 - HEAVY_SHARE, method="higher"))
    heavy: NDArray[np.bool_] = length >= least
    return length > least if heavy.sum() > np.ceil(HEAVY_SHARE * len(length)) else heavy


def new_items(split: Split) -> NDArray[np.bool_]:
    """Which items (n_items,) are new to the training of `split`."""
    first = np.full(split.log.n_items, np.iinfo(np.int64).max)
    np.minimum.at(first, split.log.item, split.log.timestamp)
    times = split.train.timestamp
    if not len(times):
        return np.ones(split.log.n_items, np.bool_)
    new: NDArray[np.bool_] = first >= times.max() - NEW_SHARE * (times.max() - times.min())
    return new


def _among(
    rows: LongArray, metrics: Mapping[str, DoubleArray], keep: NDArray[np.bool_]
) -> tuple[LongArray, Mapping[str, DoubleArray]]:
    return rows[keep], {name: values[keep] for name, values in metrics.items()}
