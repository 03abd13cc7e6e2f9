"""What users did about actions: taken, not taken, only viewed; as arrays, and the records of actions beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data.interactions import IntArray, LongArray


class Answer(IntEnum):
    """What became of an action that a user was shown."""

    VIEWED = 0
    TAKEN = 1
    NOT_TAKEN = 2


@dataclass(frozen=True)
class ActionEvents:
    """Events of users about actions as parallel arrays (n,), sorted by user, then time.

    `user` in [0, n_users), `action` in [0, n_actions); `timestamp` in epoch seconds; `answer` holds `Answer`s.
    """

    user: IntArray
    action: IntArray
    timestamp: LongArray
    answer: NDArray[np.int8]
    n_users: int
    n_actions: int
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
        action: IntArray,
        timestamp: LongArray,
        answer: NDArray[np.int8],
        *,
        n_users: int,
        n_actions: int,
    ) -> ActionEvents:
        """Build from rows in the order of arrival."""
        order = np.lexsort((timestamp, user))
        return cls(
            user=user[order].astype(np.int32, copy=False),
            action=action[order].astype(np.int32, copy=False),
            timestamp=timestamp[order].astype(np.int64, copy=False),
            answer=answer[order].astype(np.int8, copy=False),
            n_users=n_users,
            n_actions=n_actions,
        )

    def select(self, keep: NDArray[np.bool_]) -> ActionEvents:
        """The rows where `keep` (n,) is true; users and actions keep their numbers."""
        return ActionEvents(
            self.user[keep], self.action[keep], self.timestamp[keep], self.answer[keep], self.n_users, self.n_actions
        )


def answer_of(event_type: str) -> Answer | None:
    """The answer that an event type names: `Not taken` and `NOT_TAKEN` are the same (spec 2.2); None for others."""
    return Answer.__members__.get(event_type.strip().upper().replace(" ", "_"))


def action_events(rows: pl.DataFrame, user_ids: Sequence[str], action_ids: Sequence[str]) -> ActionEvents:
    """Events from rows with USER_ID, ACTION_ID, EVENT_TYPE and TIMESTAMP, numbered as `user_ids` and `action_ids`.

    Rows of other users, actions or event types are left out.
    """
    numbered = (
        rows.select(
            user=_numbers(rows["USER_ID"], user_ids),
            action=_numbers(rows["ACTION_ID"], action_ids),
            timestamp=rows["TIMESTAMP"].cast(pl.Int64),
            answer=_numbers(
                rows["EVENT_TYPE"].str.strip_chars().str.to_uppercase().str.replace_all(" ", "_", literal=True),
                [one.name for one in Answer],
            ),
        )
        .drop_nulls()
        .unique(maintain_order=True)
    )
    return ActionEvents.of(
        numbered["user"].to_numpy(),
        numbered["action"].to_numpy(),
        numbered["timestamp"].to_numpy(),
        numbered["answer"].cast(pl.Int8).to_numpy(),
        n_users=len(user_ids),
        n_actions=len(action_ids),
    )


def _numbers(values: pl.Series, names: Sequence[str]) -> pl.Series:
    """The position of each value among `names`, null for others."""
    known = pl.Series(names, dtype=pl.String)
    return values.replace_strict(
        known, pl.Series(range(len(names)), dtype=pl.Int32), default=None, return_dtype=pl.Int32
    )
