"""The events that one user streamed, those of the sessions that turned out to be theirs included."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from matinee.serving.freshness import FreshCache, View
from matinee.storage.metadata import events, session_links

#: Events read in one step, the newest; more than a model reads and than filters look at for most users.
NEWEST = 1000
#: How far back filters look for each event type (spec 8.6).
HORIZON = 100
MOST_USERS = 100_000


@dataclass(frozen=True)
class StreamedEvent:
    """One event; the type is in lower case, the time in epoch seconds."""

    item_id: str
    event_type: str
    sent_at: int


UserKey = tuple[str, str]

_COLUMNS = (events.c.seq, events.c.item_id, events.c.event_type, events.c.sent_at)
_GROUP: sa.BindParameter[str] = sa.bindparam("group_arn")
_USER: sa.BindParameter[str] = sa.bindparam("user_id")
_SESSIONS = sa.union_all(
    sa.select(session_links.c.session_id).where(session_links.c.group_arn == _GROUP, session_links.c.user_id == _USER),
    sa.select(sa.cast(_USER, sa.String)),
)
_OWN = sa.select(*_COLUMNS).where(
    events.c.group_arn == _GROUP, events.c.user_id == _USER, events.c.item_id.is_not(None)
)
# A session's ID stands for the user until they sign in, so the user's own ID is looked for among the sessions too.
_ANONYMOUS = sa.select(*_COLUMNS).where(
    events.c.group_arn == _GROUP,
    events.c.session_id.in_(_SESSIONS),
    events.c.user_id.is_(None),
    events.c.item_id.is_not(None),
)
_QUERIES = tuple(query.order_by(events.c.seq.desc()).limit(NEWEST) for query in (_OWN, _ANONYMOUS))


class StreamedEvents:
    """Users' streamed events by (group ARN, user ID), as of each request."""

    def __init__(self) -> None:
        self._cache: FreshCache[UserKey, tuple[StreamedEvent, ...]] = FreshCache(load, MOST_USERS)

    def get(self, view: View, group_arn: str, user_id: str) -> tuple[StreamedEvent, ...]:
        """The user's events, oldest first; the same object as long as nothing in the database changed."""
        return self._cache.get(view, (group_arn, user_id))


def streamed_to(connection: sa.Connection, group_arn: str, users: Collection[str]) -> set[str]:
    """Which of `users`, a few thousand at most, have streamed events, under their own name or a session's."""
    if connection.scalar(sa.select(events.c.seq).where(events.c.group_arn == group_arn).limit(1)) is None:
        return set()
    own = sa.select(events.c.user_id).where(events.c.group_arn == group_arn, events.c.user_id.in_(users))
    anonymous = sa.select(events.c.session_id).where(events.c.group_arn == group_arn, events.c.session_id.in_(users))
    linked = sa.select(session_links.c.user_id).where(
        session_links.c.group_arn == group_arn, session_links.c.user_id.in_(users)
    )
    return {user for user in connection.scalars(sa.union(own, anonymous, linked)) if user is not None}


def load(view: View, key: UserKey, previous: tuple[StreamedEvent, ...] | None = None) -> tuple[StreamedEvent, ...]:
    """The events of one user of a group, oldest first; `previous` itself when they are the same."""
    group_arn, user_id = key
    values = {"group_arn": group_arn, "user_id": user_id}
    rows: dict[int, StreamedEvent] = {}
    for query, condition in zip(_QUERIES, (_OWN, _ANONYMOUS), strict=True):
        found = view.connection.execute(query, values).all()
        if len(found) == NEWEST:  # rare: older events of types that the newest thousand do not hold
            found = [*found, *view.connection.execute(_newest_of_each_type(condition), values)]
        rows.update({seq: StreamedEvent(item, kind.lower(), sent_at) for seq, item, kind, sent_at in found})
    newly = tuple(event for _, event in sorted(rows.items(), key=lambda row: (row[1].sent_at, row[0])))
    return previous if previous == newly else newly


def _newest_of_each_type(
    condition: sa.Select[tuple[int, str | None, str, int]],
) -> sa.Select[tuple[int, str, str, int]]:
    """The newest `HORIZON` events of each type, whatever their number in all."""
    kind = sa.func.lower(events.c.event_type)
    rank = sa.func.row_number().over(partition_by=kind, order_by=events.c.seq.desc()).label("rank")
    ranked = condition.add_columns(rank).subquery()
    return sa.select(ranked.c.seq, ranked.c.item_id, ranked.c.event_type, ranked.c.sent_at).where(
        ranked.c.rank <= HORIZON
    )
