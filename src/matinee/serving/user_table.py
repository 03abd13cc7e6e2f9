"""The users of an artifact with the columns of their records, and who had which events with which item: for filters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import sqlalchemy as sa
from numpy.typing import NDArray

from matinee.filters.table import Segment, Table
from matinee.serving.dataset_records import DatasetRecords, Layer
from matinee.serving.freshness import View
from matinee.storage.metadata import events, session_links
from matinee.training.artifact import Artifact

#: Users whose histories are looked at together.
_USERS_AT_ONCE = 65_536


def user_table(artifact: Artifact, records: DatasetRecords | None) -> Table:
    """A table with one thing for each user of the artifact; records of other users are left out."""
    if records is None:
        return Table(artifact.n_users, (), None)
    users = pl.DataFrame(
        {"id": list(artifact.user_ids), "number": np.arange(artifact.n_users, dtype=np.int64)},
        schema={"id": pl.String, "number": pl.Int64},
    )
    segments = [_segment(layer, users) for layer in (records.base, records.streamed)]
    return Table(artifact.n_users, segments, records.dataset.schema)


def _segment(layer: Layer, users: pl.DataFrame) -> Segment:
    """The rows of a layer that are of the artifact's users."""
    wanted = pl.DataFrame({"id": list(layer.ids)}, schema={"id": pl.String})
    numbers = wanted.join(users, on="id", how="left", maintain_order="left")["number"].fill_null(-1).to_numpy()
    kept = np.flatnonzero(numbers >= 0)
    return Segment(numbers[kept], layer.columns if len(kept) == len(numbers) else layer.columns.take(kept))


@dataclass(frozen=True, eq=False)
class UsersOfItem:
    """What a filter of users looks at under `Interactions`: who has events with the item that a line asks about."""

    view: View
    artifact: Artifact
    group_arn: str
    item_id: str

    def of_types(self, types: frozenset[str] | None) -> NDArray[np.int64]:
        """Numbers of the users who have an event of `types` (lower case; None for any) with the item."""
        found = [*self._at_training(types), self._streamed(types)]
        return np.unique(np.concatenate(found))

    def _at_training(self, types: frozenset[str] | None) -> Sequence[NDArray[np.int64]]:
        item = self.artifact.item_index(self.item_id)
        if item is None:
            return []
        names = [name.lower() for name in self.artifact.event_types]
        wanted = [number for number, name in enumerate(names) if types is None or name in types]
        found = []
        for begin in range(0, self.artifact.n_users, _USERS_AT_ONCE):
            end = min(begin + _USERS_AT_ONCE, self.artifact.n_users)
            histories = self.artifact.histories(begin, end)
            mine = histories.items == item
            if types is not None:
                mine &= np.isin(self.artifact.event_type_numbers(begin, end), wanted)
            found.append(begin + np.searchsorted(histories.indptr, np.flatnonzero(mine), side="right") - 1)
        return found

    def _streamed(self, types: frozenset[str] | None) -> NDArray[np.int64]:
        linked = sa.and_(
            session_links.c.group_arn == events.c.group_arn, session_links.c.session_id == events.c.session_id
        )
        user = sa.func.coalesce(events.c.user_id, session_links.c.user_id)
        query = (
            sa.select(user, sa.func.lower(events.c.event_type))
            .select_from(events.outerjoin(session_links, linked))
            .where(events.c.group_arn == self.group_arn, events.c.item_id == self.item_id, user.is_not(None))
            .distinct()
        )
        rows = self.view.connection.execute(query)
        numbers = [self.artifact.user_index(who) for who, kind in rows if types is None or kind in types]
        return np.array([number for number in numbers if number is not None], dtype=np.int64)
