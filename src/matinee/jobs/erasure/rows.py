"""Deleting users from the tables: streamed events, sessions and records."""

from __future__ import annotations

import itertools
from collections.abc import Collection

import sqlalchemy as sa

from matinee.delivery import outbox as delivery_outbox
from matinee.jobs.erasure.steps import note, step
from matinee.jobs.task import Task
from matinee.storage.metadata import events, recommendations, records, session_links

_USERS_AT_ONCE = 500


def erase_rows(task: Task, group_arn: str, users_dataset: str | None, users: Collection[str]) -> set[str]:
    """Delete the users' events, those of their sessions while anonymous, what links sessions to them, their records,
    and what delivery rules have not delivered yet or gave up. Returns the IDs of the sessions."""
    rest, sessions = iter(users), set[str]()
    while some := list(itertools.islice(rest, _USERS_AT_ONCE)):
        task.check()
        with step(task) as connection:
            theirs = (session_links.c.group_arn == group_arn) & session_links.c.user_id.in_(some)
            sessions.update(connection.scalars(sa.select(session_links.c.session_id).where(theirs)))
            note(connection, task, _erase(connection, group_arn, users_dataset, some))
    return sessions


def erase_late_answers(task: Task, group_arn: str, users: Collection[str]) -> None:
    """Delete answers that were given before the deletion and logged, just after, when `erase_rows` had passed."""
    rest = iter(users)
    while some := list(itertools.islice(rest, _USERS_AT_ONCE)):
        with step(task) as connection:
            theirs = recommendations.c.user_id.in_(some)
            connection.execute(sa.delete(recommendations).where(recommendations.c.group_arn == group_arn, theirs))


def _erase(connection: sa.Connection, group_arn: str, users_dataset: str | None, users: Collection[str]) -> int:
    """Returns how many events and records there were; answers to the users go, too, uncounted."""
    theirs = (session_links.c.group_arn == group_arn) & session_links.c.user_id.in_(users)
    sessions = sa.select(session_links.c.session_id).where(theirs)
    # Before a visitor signs in, their session's ID stands in the place of a user's; clients ask with it as a user ID.
    anonymous = events.c.user_id.is_(None) & (events.c.session_id.in_(sessions) | events.c.session_id.in_(users))
    found = sa.delete(events).where(events.c.group_arn == group_arn, events.c.user_id.in_(users) | anonymous)
    removed = connection.execute(found).rowcount
    delivery_outbox.erase(connection, group_arn, users, list(connection.scalars(sessions)))
    answered = recommendations.c.user_id.in_(users) | recommendations.c.user_id.in_(sessions)
    connection.execute(sa.delete(recommendations).where(recommendations.c.group_arn == group_arn, answered))
    connection.execute(sa.delete(session_links).where(theirs))
    if users_dataset is not None:
        stored = sa.delete(records).where(records.c.dataset_arn == users_dataset, records.c.entity_id.in_(users))
        removed += connection.execute(stored).rowcount
    return removed
