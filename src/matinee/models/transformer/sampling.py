"""A batch whose softmax runs over a sample of the catalogue: for catalogues too large for the full one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matinee.data.interactions import FloatArray, LongArray
from matinee.models.transformer.windows import Batch


@dataclass(frozen=True)
class Sampled:
    """`items` (n,) are the catalogue's numbers of the sample; `targets` and `seen` speak of places in it.

    `offset` (n,) is the log of how many items each stands for; -inf for a target that was not drawn, which is thereby
    no rival of other targets.
    """

    items: LongArray
    targets: LongArray
    seen: tuple[LongArray, ...] | None
    offset: FloatArray


def sampled(batch: Batch, n_items: int, count: int, random: np.random.Generator) -> Sampled:
    """The targets of `batch` and about `count` items drawn evenly; the sum over rivals is right on average.

    Source: uniform negatives with the correction of Y. Bengio and J.-S. Senécal, "Adaptive Importance Sampling to
    Accelerate Training of a Neural Probabilistic Language Model", IEEE Trans. Neural Networks 19(4), 2008.
    """
    drawn = np.unique(random.integers(0, n_items, count))
    items = np.union1d(drawn, batch.targets[batch.targets >= 0])
    place = np.full(n_items, -1, np.int64)
    place[items] = np.arange(len(items))
    offset = np.full(len(items), -np.inf, np.float32)
    offset[place[drawn]] = np.log(n_items / len(drawn))
    targets = np.where(batch.targets >= 0, place[np.maximum(batch.targets, 0)], -1)
    seen = None if batch.seen is None else tuple(_moved(places, n_items, place, len(items)) for places in batch.seen)
    return Sampled(items, targets, seen, offset)


def _moved(places: LongArray, n_items: int, place: LongArray, count: int) -> LongArray:
    """(position · n_items + item) as (position · count + place of the item); items that are not there left out."""
    at, moved = places // n_items, place[places % n_items]
    inside = moved >= 0
    found: LongArray = at[inside] * count + moved[inside]
    return found
