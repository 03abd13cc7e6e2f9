"""Histories as the encoder reads them: START, then items, padded on the right, with the time until the next event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matinee.data.interactions import Histories, LongArray
from matinee.models.histories import newest, rows_of
from matinee.models.transformer.elapsed import UNKNOWN, bucket


@dataclass(frozen=True)
class Padded:
    """`items` (b, t), `elapsed` (b, t) the bucket of the time to the next event or question, `lengths` (b,)."""

    items: LongArray
    elapsed: LongArray
    lengths: LongArray


def padded(histories: Histories, start: int, length: int) -> Padded:
    """Item `start`, then the newest items that fit into t ≤ `length`.

    A history of `length` items or more is read without START, as training reads windows further on in a history.
    """
    histories = newest(histories, length)
    counts = np.diff(histories.indptr)
    shift = (counts < length).astype(np.int64)
    lengths = counts + shift
    inputs = np.full((len(histories), int(lengths.max(initial=1))), start, np.int64)
    elapsed = np.full(inputs.shape, UNKNOWN, np.int64)
    row = rows_of(histories.indptr)
    place = row, np.arange(len(row)) - histories.indptr[row] + shift[row]
    inputs[place] = histories.items
    elapsed[place] = _elapsed(histories, counts)
    return Padded(inputs, elapsed, lengths)


def _elapsed(histories: Histories, counts: LongArray) -> LongArray:
    """The bucket after each event: (total,)."""
    following = np.append(histories.timestamps[1:], 0)
    some = counts > 0
    newest_row = histories.indptr[1:][some] - 1
    now = histories.asked()[some]
    following[newest_row] = now
    found = bucket(following - histories.timestamps)
    found[newest_row[now < 0]] = UNKNOWN
    return found
