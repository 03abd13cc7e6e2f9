"""The interaction log in memory: who did what with which item, when. Plain arrays with IDs kept beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int32]
LongArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Interactions:
    """Events as parallel arrays, sorted by user, then time, then the order of arrival (stable).

    Shapes: every array is (n,). `user` in [0, n_users), `item` in [0, n_items); `timestamp` in epoch seconds.
    `event_type` indexes `InteractionLog.event_types`; `value` is EVENT_VALUE with NaN for none.
    """

    user: IntArray
    item: IntArray
    timestamp: LongArray
    n_users: int
    n_items: int
    event_type: NDArray[np.int16] | None = None
    value: FloatArray | None = None
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
        )

    def history(self, user: int) -> IntArray:
        """One user's items, oldest first; shape (events of that user,)."""
        return self.item[self.indptr[user] : self.indptr[user + 1]]

    def histories(self) -> Histories:
        """Every user's history, in user order."""
        return Histories(indptr=self.indptr, items=self.item, timestamps=self.timestamp)


@dataclass(frozen=True)
class Histories:
    """A batch of histories in CSR form: what a model scores for. Need not come from users seen in training.

    `indptr` (batch + 1,), `items` (total,) oldest first, `timestamps` (total,) epoch seconds.
    """

    indptr: LongArray
    items: IntArray
    timestamps: LongArray

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
        )

    def take(self, rows: LongArray) -> Histories:
        """The histories numbered `rows` (k,), in that order."""
        lengths = self.indptr[rows + 1] - self.indptr[rows]
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        offset = np.repeat(self.indptr[rows] - indptr[:-1], lengths)
        where = np.arange(indptr[-1], dtype=np.int64) + offset
        return Histories(indptr=indptr, items=self.items[where], timestamps=self.timestamps[where])


@dataclass(frozen=True)
class InteractionLog:
    """Interactions together with the IDs behind the numbers: `user_ids[i]` is the ID of user i."""

    interactions: Interactions
    user_ids: tuple[str, ...]
    item_ids: tuple[str, ...]
    event_types: tuple[str, ...]
