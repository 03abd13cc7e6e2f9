"""From events to deliveries, in the transaction that stores the events: what matches a rule is not lost."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from matinee.control.records import now_ms
from matinee.delivery import rules
from matinee.delivery.outbox import adopt, lane_of
from matinee.delivery.rules import Rule
from matinee.filters.evaluation import event_facts, may_hold
from matinee.filters.syntax import Dataset
from matinee.storage.metadata import deliveries, session_links

_FROM_DETAILS = ("properties", "impression", "recommendationId", "actionId")


@dataclass(frozen=True)
class Arrived:
    """One event as a row of `events`, with the group and the tracking ID under which it came."""

    group_arn: str
    tracking_id: str
    row: dict[str, Any]


class Watch:
    """The rules that look at what one transaction stores. Most transactions concern none: ask `groups` first."""

    def __init__(self, connection: sa.Connection, groups: Collection[str]) -> None:
        self._connection = connection
        self._rules = rules.of_groups(connection, groups) if groups else {}

    @property
    def groups(self) -> Collection[str]:
        """The groups that have rules."""
        return self._rules.keys()

    def joined(self, links: Collection[tuple[str, str]]) -> None:
        """Sessions, as (group, session), became a user's: what waits for them goes into the user's lane."""
        for (group, session), user in self._users_of([link for link in links if link[0] in self._rules]).items():
            adopt(self._connection, group, session, user)

    def stored(self, arrived: Sequence[Arrived], new: Collection[tuple[str, str]]) -> int:
        """Write what has to be delivered of the events that were stored just now; returns how many rows.

        `new` are those that had not been stored before, as (group, event ID): an event sent twice matches once.
        """
        left = set(new)
        matched: list[tuple[Rule, Arrived]] = []
        for one in arrived:
            key = (one.group_arn, one.row["event_id"])
            if key in left:
                left.discard(key)
                matched += [(rule, one) for rule in self._rules.get(one.group_arn, ()) if _matches(rule, one)]
        if not matched:
            return 0
        anonymous = [(one.group_arn, one.row["session_id"]) for _, one in matched if one.row["user_id"] is None]
        users = self._users_of(anonymous)
        now = now_ms()
        rows = [_delivery(rule, one, users, now) for rule, one in matched]
        dialect = sqlite if self._connection.dialect.name == "sqlite" else postgresql
        self._connection.execute(dialect.insert(deliveries).on_conflict_do_nothing(), rows)
        return len(rows)

    def _users_of(self, sessions: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """(group, session) to user, of the sessions that are some user's."""
        c = session_links.c
        found: dict[tuple[str, str], str] = {}
        for group in {group for group, _ in sessions}:
            names = {session for of, session in sessions if of == group}
            query = sa.select(c.session_id, c.user_id).where(c.group_arn == group, c.session_id.in_(names))
            found.update({(group, row.session_id): row.user_id for row in self._connection.execute(query)})
        return found


def wire_event(row: Mapping[str, Any]) -> dict[str, Any]:
    """An event in the members of PutEvents, and when it came in, epoch milliseconds; what it lacks is left out."""
    details = row["details"] or {}
    event = {
        "eventId": row["event_id"],
        "eventType": row["event_type"],
        "eventValue": row["event_value"],
        "itemId": row["item_id"],
        "sessionId": row["session_id"],
        "userId": row["user_id"],
        "sentAt": row["sent_at"],
        "receivedAt": row["received_at"],
        **{name: details.get(name) for name in _FROM_DETAILS},
    }
    return {name: value for name, value in event.items() if value is not None}


def _matches(rule: Rule, arrived: Arrived) -> bool:
    """Whether an event is the rule's, or may be: user and item are looked up when it is delivered."""
    terms, row = rule.terms, arrived.row
    if terms.tracking_id not in (None, arrived.tracking_id) or (terms.needs_item and row["item_id"] is None):
        return False
    if terms.event_type is not None and terms.event_type.lower() != row["event_type"].lower():
        return False
    return not terms.checked or may_hold(terms.checked, {Dataset.INTERACTIONS: event_facts(wire_event(row))})


def _delivery(rule: Rule, arrived: Arrived, users: Mapping[tuple[str, str], str], now: int) -> dict[str, Any]:
    row = arrived.row
    user = row["user_id"] or users.get((arrived.group_arn, row["session_id"]))
    return {
        "id": str(uuid.uuid5(uuid.UUID(rule.id), row["event_id"])),
        "rule_id": rule.id,
        "group_arn": arrived.group_arn,
        "lane": lane_of(user, row["session_id"]),
        "event": wire_event(row),
        "state": "PENDING",
        "attempts": 0,
        "since": now,
        "not_before": now,
    }
