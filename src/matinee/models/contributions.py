"""What each event of a history adds to the scores of items, by the model's own arithmetic.

Linear models say it exactly: what they add up, event by event. A blend standardises and weights what its parts say,
with mean and deviation held as they are. Of any other model an event is left out and the rest scored again, in one
batch: J. Li, W. Monroe, D. Jurafsky, "Understanding Neural Networks through Representation Erasure", 2016.
"""

from __future__ import annotations

from functools import singledispatch

import numpy as np

from matinee.data.interactions import FloatArray, Histories, LongArray
from matinee.models.adjusted import Adjusted
from matinee.models.base import Model
from matinee.models.blend import Blend
from matinee.models.ease import EASE
from matinee.models.item_knn import ItemKNN
from matinee.models.ridge import Ridge

#: Scores held at once: 2²³ float32 values, 32 MB, in each of a few arrays.
_AT_ONCE = 2**23


def contributions(model: Model, history: Histories, items: LongArray) -> FloatArray:
    """What each event of one history adds to the score of each of `items` (k,): (events, k).

    `score - contributions.sum(axis=0)` is what an item would have anyway: nothing for EASE and the ridge, popularity
    for what falls back on it, and for a network what single events do not account for.
    """
    events = len(history.items)
    found = np.zeros((events, len(items)), np.float32)
    block = max(1, _AT_ONCE // max(1, model.n_items))
    for begin in range(0, events, block):
        some = np.arange(begin, min(begin + block, events))
        found[some] = event_rows(model, history, some)[:, items]
    return found


def is_exact(model: Model) -> bool:
    """Whether contributions are the terms of a sum, and not differences from leaving events out."""
    if isinstance(model, Blend):
        return all(is_exact(part) for part in model.parts.values())
    if isinstance(model, Adjusted):
        return is_exact(model.base)
    return isinstance(model, EASE | Ridge | ItemKNN) or not model.personal


def event_rows(model: Model, history: Histories, events: LongArray) -> FloatArray:
    """What the events numbered `events` (e,) of one history add to the scores of all items: (e, n_items).

    Events on items that the model does not know add nothing, and nothing is added to such items.
    """
    rows = np.zeros((len(events), model.n_items), np.float32)
    known = (history.items >= 0) & (history.items < model.n_items)
    known[known] = model.known[history.items[known]]
    inside = known[events]
    if inside.any() and model.personal:
        place = np.cumsum(known) - 1
        rows[inside] = _rows(model, model._known_only(history), place[events[inside]])
    rows[:, model.unknown] = 0
    return rows


def without_each(history: Histories, events: LongArray) -> Histories:
    """One history less each of `events` (e,), as a batch of e."""
    n = len(history.items)
    where = np.concatenate([np.delete(np.arange(n), event) for event in events])
    times = len(events)
    return Histories(
        indptr=np.arange(times + 1, dtype=np.int64) * (n - 1),
        items=history.items[where],
        timestamps=history.timestamps[where],
        now=None if history.now is None else np.repeat(history.now, times),
        event_types=None if history.event_types is None else history.event_types[where],
        context=None if history.context is None else np.repeat(history.context, times, axis=0),
        attributes=None if history.attributes is None else np.repeat(history.attributes, times, axis=0),
        recent=None if history.recent is None else np.repeat(history.recent, times, axis=0),
    )


@singledispatch
def _rows(model: Model, history: Histories, events: LongArray) -> FloatArray:
    """As `event_rows`, for a history of known items."""
    whole = np.nan_to_num(model.score(history), neginf=0.0)
    rows: FloatArray = whole - np.nan_to_num(model.score(without_each(history, events)), neginf=0.0)
    return rows


def _ranks(history: Histories) -> LongArray:
    """Each event's recency among the distinct items (events,), 0 the newest; -1 where the item occurs again later."""
    n = len(history.items)
    _, first = np.unique(history.items[::-1], return_index=True)
    newest = np.sort(n - 1 - first)[::-1]
    ranks = np.full(n, -1, np.int64)
    ranks[newest] = np.arange(len(newest))
    return ranks


@_rows.register
def _of_ease(model: EASE, history: Histories, events: LongArray) -> FloatArray:
    """(1 + j)^-p B[i_j] at an item's newest event, nothing at its older ones."""
    rank, column = _ranks(history)[events], model._column[history.items[events]]
    read = (rank >= 0) & (rank < model.config.history_items)
    weight = np.where(read, np.power(1.0 + np.maximum(rank, 0), -model.config.recency_power), 0).astype(np.float32)
    inside = weight * (column >= 0)
    rows = model._spread(inside[:, None] * model.weights[np.maximum(column, 0)])
    if model.beyond.nnz:
        rows += weight[:, None] * model.beyond[history.items[events]].toarray()
    return rows


@_rows.register
def _of_ridge(model: Ridge, history: Histories, events: LongArray) -> FloatArray:
    """Σ_g g^k W_g[i_{-1-k}] for the event k places back."""
    back, column = len(history.items) - 1 - events, model._column[history.items[events]]
    rows = np.zeros((len(events), model.n_items), np.float32)
    scales = list(zip(model.config.decays, model.depths, strict=True))
    powers = [np.where(back < depth, decay ** back.astype(np.float32), 0).astype(np.float32) for decay, depth in scales]
    for power, weights in zip(powers, model.weights, strict=True):
        rows[:, model.items] += (power * (column >= 0))[:, None] * weights[np.maximum(column, 0)]
    if model.beyond.nnz:
        rows += powers[0][:, None] * model.beyond[history.items[events]].toarray()
    return rows


@_rows.register
def _of_item_knn(model: ItemKNN, history: Histories, events: LongArray) -> FloatArray:
    """The neighbours of the items that are read; what is no neighbour of any is there for its popularity."""
    rank = _ranks(history)[events]
    read = (rank >= 0) & (rank < model.config.history_items)
    rows: FloatArray = np.where(read[:, None], model.related[history.items[events]].toarray(), np.float32(0))
    return rows


@_rows.register
def _of_blend(model: Blend, history: Histories, events: LongArray) -> FloatArray:
    """Σ_part w_part (c_part - mean of c_part) / deviation of s_part, over the items with events; say as it is."""
    aside = ~model.known | model.cold
    rows = np.zeros((len(events), model.n_items), np.float32)
    for weight, (name, part) in zip(model.weights, model.parts.items(), strict=True):
        scores = part.score(history)[0]
        scores[part.unknown] = scores[part.known].min(initial=0)
        deviation = max(float(scores[~aside].std()), 1e-12)
        added = event_rows(part, history, events)
        centred = added - added[:, ~aside].mean(axis=1, keepdims=True)
        # A cold item that the part does not know counts as the mean, whatever the events.
        centred[:, aside & ~part.known] = 0
        rows += weight * model.say(name, len(history.items)) / deviation * centred
    return rows


@_rows.register
def _of_adjusted(model: Adjusted, history: Histories, events: LongArray) -> FloatArray:
    """What events add to the base's items; to a new item as to the items that it is like."""
    base = event_rows(model.base, history, events)
    mean = base.sum(axis=1, keepdims=True) / max(1, int(model.base.known.sum()))
    centred = np.where(model.base.known, base - mean, np.float32(0))
    rows: FloatArray = np.concatenate([base, mean + (model.neighbours @ centred.T).T], axis=1)
    return rows
