"""Histories as the encoder reads them: START, then items, padded on the right."""

from __future__ import annotations

import numpy as np

from matinee.data.interactions import Histories, LongArray
from matinee.models.histories import newest, rows_of


def padded(histories: Histories, start: int, length: int) -> tuple[LongArray, LongArray]:
    """Inputs (b, t) and their lengths (b,), t ≤ `length`: `start`, then the newest items that fit.

    A history of `length` items or more is read without START, as training reads windows further on in a history.
    """
    histories = newest(histories, length)
    counts = np.diff(histories.indptr)
    shift = (counts < length).astype(np.int64)
    lengths = counts + shift
    inputs = np.full((len(histories), int(lengths.max(initial=1))), start, np.int64)
    row = rows_of(histories.indptr)
    inputs[row, np.arange(len(row)) - histories.indptr[row] + shift[row]] = histories.items
    return inputs, lengths
