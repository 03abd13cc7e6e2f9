"""What one user did about actions as it was streamed, events of sessions that turned out to be theirs included."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from matinee.data.actions import Answer, answer_of
from matinee.serving.freshness import FreshCache, View
from matinee.storage.metadata import events, session_links

#: How far back filters and models look (spec 8.6).
HORIZON = 300
MOST_USERS = 100_000
_ANSWERS = tuple(answer.name for answer in Answer)
UserKey = tuple[str, str]


@dataclass(frozen=True)
class StreamedAnswer:
    """One event about an action; the time in epoch seconds."""

    action_id: str
    answer: Answer
    at: int


class StreamedActions:
    """Users' streamed action interactions by (group ARN, user ID), as of each request."""

    def __init__(self) -> None:
        self._cache: FreshCache[UserKey, tuple[StreamedAnswer, ...]] = FreshCache(_load, MOST_USERS)

    def get(self, view: View, key: UserKey) -> tuple[StreamedAnswer, ...]:
        """The user's newest `HORIZON` events, oldest first."""
        return self._cache.get(view, key)


def _load(view: View, key: UserKey, previous: tuple[StreamedAnswer, ...] | None = None) -> tuple[StreamedAnswer, ...]:
    group_arn, user_id = key
    sessions = sa.select(session_links.c.session_id).where(
        session_links.c.group_arn == group_arn, session_links.c.user_id == user_id
    )
    # A session's ID stands for the user until they sign in, so the user's own ID is looked for among the sessions too.
    anonymous = sa.and_(
        events.c.user_id.is_(None), sa.or_(events.c.session_id == user_id, events.c.session_id.in_(sessions))
    )
    query = (
        sa.select(events.c.seq, events.c.event_type, events.c.sent_at, events.c.details)
        .where(events.c.group_arn == group_arn, sa.or_(events.c.user_id == user_id, anonymous))
        .where(events.c.event_type.in_(_ANSWERS), events.c.item_id.is_(None))
        .order_by(events.c.seq.desc())
        .limit(HORIZON)
    )
    found = []
    for seq, kind, at, details in view.connection.execute(query):
        answer, action = answer_of(kind), (details or {}).get("actionId")
        if answer is not None and action is not None:
            found.append((at, seq, StreamedAnswer(action, answer, at)))
    newly = tuple(one for _, _, one in sorted(found, key=lambda row: row[:2]))
    return previous if previous == newly else newly
