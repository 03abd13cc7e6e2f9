"""NDCG in which an event that should be found is worth its weight (spec 5.2)."""

from __future__ import annotations

import numpy as np

from matinee.data.interactions import FloatArray
from matinee.evaluation.lists import Lists
from matinee.evaluation.metrics import LIST_LENGTH, DoubleArray
from matinee.evaluation.splits import Split

#: The service's name; its k is literal.
NAME = "normalized_discounted_cumulative_gain_with_event_weights_at_k"


def weighted_ndcg(split: Split, lists: Lists, k: int = LIST_LENGTH) -> DoubleArray:
    """Σ over hits in the top `k` of gain/log2(1 + rank), over the best possible sum, of each case: (cases,).

    The gain of an item is the weight of its event; of several the highest. On which scale weights stand does not count.
    """
    gain = _gains(split, lists)
    wanted = lists.wanted_row * lists.n_items + lists.wanted_item
    places = np.arange(len(lists))[:, None] * lists.n_items + lists.ranked[:, :k]
    at = np.minimum(np.searchsorted(wanted, places), len(wanted) - 1)
    hit = (wanted[at] == places) & (lists.ranked[:, :k] >= 0)
    discount = 1.0 / np.log2(2.0 + np.arange(k))
    reached = np.where(hit, gain[at], 0.0) @ discount[: places.shape[1]]
    order = np.lexsort((-gain, lists.wanted_row))
    row = lists.wanted_row[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    worth = np.where(rank < k, gain[order] * discount[np.minimum(rank, k - 1)], 0.0)
    ideal = np.bincount(row, worth, minlength=len(lists))
    found: DoubleArray = reached / ideal
    return found


def _gains(split: Split, lists: Lists) -> FloatArray:
    """The weight of each wanted item (wanted,)."""
    start, lengths = split.truth_start[lists.case], (split.truth_end - split.truth_start)[lists.case]
    row = np.repeat(np.arange(len(lists)), lengths)
    event = np.arange(len(row)) + np.repeat(start - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
    weight = np.ones(len(split.log)) if split.log.weight is None else split.log.weight
    wanted = lists.wanted_row * lists.n_items + lists.wanted_item
    keys = row * lists.n_items + split.log.item[event]
    at = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
    found = wanted[at] == keys
    gain = np.zeros(len(wanted), np.float32)
    np.maximum.at(gain, at[found], weight[event][found])
    return gain
