"""Time between events as the transformer reads it: buckets that double in width."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import LongArray

#: Bucket b holds 2^b - 1 to 2^(b+1) - 2 seconds; the last one everything from 34 years.
BUCKETS = 31
#: Read where the time is not known: at the start of a history, or when nobody said when the answer is wanted.
UNKNOWN = BUCKETS
#: A bucket with fewer training events than this is read as unknown: what is learned of it would be noise.
FEWEST_EVENTS = 50


def bucket(seconds: NDArray[np.int64]) -> LongArray:
    """The bucket of each number of seconds, negative ones as 0."""
    found: LongArray = np.minimum(np.log2(np.maximum(seconds, 0) + 1.0), BUCKETS - 1).astype(np.int64)
    return found


def bucket_of(seconds: int) -> int:
    """The bucket of one number of seconds, as `bucket` has it."""
    return min((max(seconds, 0) + 1).bit_length() - 1, BUCKETS - 1)


def since(times: LongArray, asked: LongArray) -> LongArray:
    """The bucket of the time from each event until each question: (…, questions, events).

    `times` (…, events) and `asked` (…, questions) are epoch seconds, negative for unknown; of an event after the
    question the bucket is 0.
    """
    found = bucket(asked[..., :, None] - times[..., None, :])
    found[asked < 0] = UNKNOWN
    found[np.broadcast_to((times < 0)[..., None, :], found.shape)] = UNKNOWN
    return found


def usual(timestamps: LongArray, indptr: LongArray, reach: int = 1) -> NDArray[np.bool_]:
    """Which buckets the times between events of a log occur in often enough to be read: (BUCKETS + 1,).

    Looked at are events that are 1, 2, 4, … events apart, at most `reach`.
    """
    counts, place = (
        np.zeros(BUCKETS + 1, np.int64),
        np.arange(len(timestamps)) - np.repeat(indptr[:-1], np.diff(indptr)),
    )
    apart = 1
    while apart <= reach:
        rows = np.flatnonzero(place >= apart)
        counts += np.bincount(bucket(timestamps[rows] - timestamps[rows - apart]), minlength=BUCKETS + 1)
        apart *= 2
    found: NDArray[np.bool_] = counts >= FEWEST_EVENTS
    return found
