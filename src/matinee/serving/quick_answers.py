"""Answers to requests that came before, byte by byte the same, while nothing at all has changed in the database.

What an answer depends on is in its key (`answer_key.py`); finding the key takes the request's parts and looks at what
is in memory. Where the database tells cheaply that nobody has committed since (`freshness.py`), the request's bytes say
as much. The first commit makes all that is kept here worthless, and it is dropped at once.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from matinee.control.context import Caller
from matinee.models.transformer.elapsed import bucket_of
from matinee.serving.deployments import Deployment

#: Longer requests are rare, and not kept.
LONGEST = 2048
#: What an entry takes beside its bytes.
_OVERHEAD = 1500

#: Account, region and the bytes of the body.
RequestKey = tuple[str, str, bytes]


class EncodedCall(NamedTuple):
    """A call of GetRecommendations: its caller, its parameters and the bytes that they were read from."""

    caller: Caller
    params: Mapping[str, Any]
    body: bytes


@dataclass(frozen=True, eq=False)
class QuickAnswer:
    """`start` is the answer up to its recommendationId; `params` are the parsed request.

    A model of sequences reads how long ago the `newest` event was, in buckets: the answer is good within `bucket`.
    `newest` is None where no time is read. `places` is how many of its places may show a new item at another time.
    Where the model reads what is popular lately, the answer is good until that is counted again, at `until`.
    """

    params: Mapping[str, Any]
    deployment: Deployment
    start: bytes
    newest: int | None
    bucket: int
    places: int = 0
    until: int | None = None

    def holds(self, now: int) -> bool:
        """Whether it is good at `now`, epoch seconds, as long as the database is the same."""
        if self.until is not None and now >= self.until:
            return False
        return self.newest is None or bucket_of(now - self.newest) == self.bucket


class QuickAnswers:
    """Answers as of one state of the database, `limit` bytes at most. Safe to share between threads."""

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._stamp: int | None = None
        self._kept: dict[RequestKey, QuickAnswer] = {}
        self._lock = threading.Lock()

    def find(self, stamp: int | None, key: RequestKey) -> QuickAnswer | None:
        """The answer to a request while the database has this `stamp`; None for one that has no stamp."""
        if stamp is None:
            return None
        with self._lock:
            if stamp != self._stamp:
                self._kept, self._size, self._stamp = {}, 0, stamp
            return self._kept.get(key)

    def keep(self, stamp: int | None, key: RequestKey, answer: QuickAnswer) -> None:
        """Keep an answer that was made while the database had this `stamp`; when there are too many, begin anew."""
        weight = 2 * len(key[2]) + len(answer.start) + _OVERHEAD
        if stamp is None or len(key[2]) > LONGEST or weight > self._limit:
            return
        with self._lock:
            if stamp != self._stamp:
                return
            if self._size + weight > self._limit:
                self._kept, self._size = {}, 0
            self._kept[key] = answer
            self._size += weight
