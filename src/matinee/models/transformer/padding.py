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


def padded_times(histories: Histories, read: Padded) -> tuple[LongArray, LongArray]:
    """The time of the event at each position of `read`, which `padded` gave, and when it is asked about: each (b, t).

    Epoch seconds; -1 for START, padding and questions whose time is not known, and after an event before time 0.
    """
    histories = newest(histories, read.items.shape[1])
    counts, row = np.diff(histories.indptr), rows_of(histories.indptr)
    place = row, np.arange(len(row)) - histories.indptr[row] + (read.lengths - counts)[row]
    times, asked = np.full(read.items.shape, -1, np.int64), np.full(read.items.shape, -1, np.int64)
    times[place], asked[place] = histories.timestamps, _following(histories, counts)[0]
    asked[times < 0] = -1
    return times, asked


def _elapsed(histories: Histories, counts: LongArray) -> LongArray:
    """The bucket after each event: (total,)."""
    following, newest_row = _following(histories, counts)
    found = bucket(following - histories.timestamps)
    found[newest_row[following[newest_row] < 0]] = UNKNOWN
    return found


def _following(histories: Histories, counts: LongArray) -> tuple[LongArray, LongArray]:
    """When the next event or the question is after each event (total,), and the rows before a question."""
    following = np.append(histories.timestamps[1:], 0)
    some = counts > 0
    newest_row = histories.indptr[1:][some] - 1
    following[newest_row] = histories.asked()[some]
    return following, newest_row
