"""Diversity: an order in which items unlike those above come earlier. Off unless a campaign's tag asks for it.

Maximal marginal relevance: J. Carbonell, J. Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering
Documents and Producing Summaries", SIGIR 1998.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matinee.data.interactions import FloatArray, LongArray
from matinee.serving.item_table import ItemTable

#: Items that are reordered: so many for each place of the answer, at least and at most in all.
_FOR_EACH, _LEAST, _MOST = 4, 50, 500


def pool(places: int) -> int:
    """How many of the best items are looked at for so many places."""
    return max(places, min(_MOST, max(_LEAST, _FOR_EACH * places)))


def diversified(order: LongArray, scores: FloatArray, alike: FloatArray, strength: float, places: int) -> LongArray:
    """The first `places` of `order` (n,) by (1 - strength) · relevance - strength · likeness to what stands above.

    `scores` (n,) are those of `order`, best first; relevance is 1 for the best, 0 for the last. `alike` (n, n) is how
    alike two items are, in [0, 1]. With `strength` 0 the order stays.
    """
    if len(order) == 0:
        return order
    finite = scores.astype(np.float64)
    spread = finite[0] - finite[-1]
    relevance = (finite - finite[-1]) / spread if spread > 0 else np.ones(len(order))
    nearest, left, chosen = np.zeros(len(order)), np.ones(len(order), np.bool_), list[int]()
    for _ in range(min(places, len(order))):
        worth = np.where(left, (1 - strength) * relevance - strength * nearest, -np.inf)
        best = int(worth.argmax())
        chosen.append(best)
        left[best] = False
        nearest = np.maximum(nearest, alike[best])
    return order[np.array(chosen, np.int64)]


def likeness(items: ItemTable, numbers: Sequence[int]) -> FloatArray:
    """Cosine of what the items' records say in categorical columns, rare categories counting more: (k, k).

    An item without categories is like no other.
    """
    schema = items.table.schema
    columns = [] if schema is None else [field.name for field in schema.fields if field.categorical]
    records = [items.record(items.item_id(number)) for number in numbers]
    code: dict[tuple[str, str], int] = {}
    places = [
        (row, code.setdefault((column, part), len(code)))
        for row, record in enumerate(records)
        for column in columns
        for part in str(record.get(column) or "").split("|")
        if part
    ]
    holds = np.zeros((len(records), max(1, len(code))), np.float32)
    if places:
        holds[tuple(np.array(places).T)] = 1
    vectors = holds * np.log1p(len(records) / np.maximum(holds.sum(axis=0), 1))
    length = np.sqrt((vectors * vectors).sum(axis=1, keepdims=True))
    unit = vectors / np.maximum(length, 1e-12)
    cosines: FloatArray = (unit @ unit.T).astype(np.float32)
    return cosines
