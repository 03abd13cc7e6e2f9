"""The interaction log in memory: who did what with which item, when. Plain arrays with IDs kept beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

IntArray = NDArray[np.int32]
LongArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Interactions:
    """Events as parallel arrays, sorted by user, then time, then the order of arrival (stable).

    Shapes: every array is (n,). `user` in [0, n_users), `item` in [0, n_items); `timestamp` in epoch seconds.
    `event_type` indexes `InteractionLog.event_types`; `value` is EVENT_VALUE with NaN for none. `weight` is how much an
    event counts in training, 1 on average; None when all count the same. `context` (n, c) is what was known of the
    occasion of each event, `attributes` (n_users, a) what is known of each user; 0 stands for unknown.
    """

    user: IntArray
    item: IntArray
    timestamp: LongArray
    n_users: int
    n_items: int
    event_type: NDArray[np.int16] | None = None
    value: FloatArray | None = None
    weight: FloatArray | None = None
    context: sparse.csr_array | None = None
    attributes: FloatArray | None = None
    indptr: LongArray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        counts = np.bincount(self.user, minlength=self.n_users)
        object.__setattr__(self, "indptr", np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))

    def __len__(self) -> int:
        return len(self.user)

    @classmethod
    def of(
        cls,
        user: IntArray,
        item: IntArray,
        timestamp: LongArray,
        *,
        n_users: int,
        n_items: int,
        event_type: NDArray[np.int16] | None = None,
        value: FloatArray | None = None,
        weight: FloatArray | None = None,
        context: sparse.csr_array | None = None,
        attributes: FloatArray | None = None,
    ) -> Interactions:
        """Build from rows in the order of arrival: sorts them by (user, timestamp), stably."""
        order = np.lexsort((timestamp, user))
        return cls(
            user=user[order].astype(np.int32, copy=False),
            item=item[order].astype(np.int32, copy=False),
            timestamp=timestamp[order].astype(np.int64, copy=False),
            n_users=n_users,
            n_items=n_items,
            event_type=None if event_type is None else event_type[order],
            value=None if value is None else value[order],
            weight=None if weight is None else weight[order],
            context=None if context is None else context[order],
            attributes=attributes,
        )

    def select(self, keep: NDArray[np.bool_]) -> Interactions:
        """The rows where `keep` (n,) is true; users and items keep their numbers."""
        return Interactions(
            user=self.user[keep],
            item=self.item[keep],
            timestamp=self.timestamp[keep],
            n_users=self.n_users,
            n_items=self.n_items,
            event_type=None if self.event_type is None else self.event_type[keep],
            value=None if self.value is None else self.value[keep],
            weight=None if self.weight is None else self.weight[keep],
            context=None if self.context is None else self.context[keep],
            attributes=self.attributes,
        )

    def history(self, user: int) -> IntArray:
        """One user's items, oldest first; shape (events of that user,)."""
        return self.item[self.indptr[user] : self.indptr[user + 1]]

    def histories(self) -> Histories:
        """Every user's history, in user order."""
        return Histories(
            indptr=self.indptr,
            items=self.item,
            timestamps=self.timestamp,
            event_types=self.event_type,
            attributes=self.attributes,
        )

    def stretches(self, start: LongArray, end: LongArray, asked: LongArray | None = None) -> Histories:
        """Histories of the rows from `start` to before `end` (cases,), each of one user.

        `asked` (cases,) are the rows of the events that each asks for: when it is asked, and on what occasion.
        """
        lengths = end - start
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        where = np.arange(indptr[-1]) + np.repeat(start - indptr[:-1], lengths)
        context = None if asked is None or self.context is None else self.context[asked].toarray()
        return Histories(
            indptr=indptr,
            items=self.item[where],
            timestamps=self.timestamp[where],
            now=None if asked is None else self.timestamp[asked],
            event_types=None if self.event_type is None else self.event_type[where],
            context=context,
            attributes=None if self.attributes is None else self.attributes[self.user[start]],
        )


@dataclass(frozen=True)
class Histories:
    """A batch of histories in CSR form: what a model scores for. Need not come from users seen in training.

    `indptr` (batch + 1,), `items` (total,) oldest first, `timestamps` (total,) epoch seconds. `now` (batch,) is when
    each is asked for, in epoch seconds, -1 for unknown; None when no time is known. `event_types` (total,), `context`
    (batch, c) of the question and the users' `attributes` (batch, a) are as in `Interactions`; None for unknown.
    `recent` (batch, n_items) is how often each item occurred in the last days before each question, whoever's the
    events are; None where nobody has counted since the training.
    """

    indptr: LongArray
    items: IntArray
    timestamps: LongArray
    now: LongArray | None = None
    event_types: NDArray[np.int16] | None = None
    context: FloatArray | None = None
    attributes: FloatArray | None = None
    recent: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @classmethod
    def one(cls, items: IntArray, timestamps: LongArray) -> Histories:
        """A batch of one history."""
        return cls(indptr=np.array([0, len(items)], dtype=np.int64), items=items, timestamps=timestamps)

    @classmethod
    def joined(cls, batches: Sequence[Histories]) -> Histories:
        """One batch of all the histories of at least one batch, in order."""
        if len(batches) == 1:
            return batches[0]
        lengths = np.concatenate([np.diff(batch.indptr) for batch in batches])
        return cls(
            indptr=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            items=np.concatenate([batch.items for batch in batches]),
            timestamps=np.concatenate([batch.timestamps for batch in batches]),
            now=None if all(batch.now is None for batch in batches) else np.concatenate([b.asked() for b in batches]),
            event_types=_together([batch.event_types for batch in batches]),
            context=_together([batch.context for batch in batches]),
            attributes=_together([batch.attributes for batch in batches]),
            recent=_together([batch.recent for batch in batches]),
        )

    def asked(self) -> LongArray:
        """`now`, with -1 where no time is known: (batch,)."""
        return np.full(len(self), -1, np.int64) if self.now is None else self.now

    def take(self, rows: LongArray) -> Histories:
        """The histories numbered `rows` (k,), in that order."""
        lengths = self.indptr[rows + 1] - self.indptr[rows]
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        offset = np.repeat(self.indptr[rows] - indptr[:-1], lengths)
        where = np.arange(indptr[-1], dtype=np.int64) + offset
        return Histories(
            indptr=indptr,
            items=self.items[where],
            timestamps=self.timestamps[where],
            now=None if self.now is None else self.now[rows],
            event_types=None if self.event_types is None else self.event_types[where],
            context=None if self.context is None else self.context[rows],
            attributes=None if self.attributes is None else self.attributes[rows],
            recent=None if self.recent is None else self.recent[rows],
        )

    def of_events(self, chosen: LongArray) -> Histories:
        """The same batch with the events numbered `chosen` (k,) only, ascending."""
        return replace(
            self,
            indptr=np.searchsorted(chosen, self.indptr).astype(np.int64),
            items=self.items[chosen],
            timestamps=self.timestamps[chosen],
            event_types=None if self.event_types is None else self.event_types[chosen],
        )


def _together(arrays: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
    """The arrays one after another; None where any is missing."""
    there = [array for array in arrays if array is not None]
    return np.concatenate(there) if len(there) == len(arrays) else None


@dataclass(frozen=True)
class InteractionLog:
    """Interactions together with the IDs behind the numbers: `user_ids[i]` is the ID of user i.

    `occasions` has the other columns that were asked for, a row for each event.
    """

    interactions: Interactions
    user_ids: tuple[str, ...]
    item_ids: tuple[str, ...]
    event_types: tuple[str, ...]
    occasions: pl.DataFrame | None = None
