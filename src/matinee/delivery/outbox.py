"""The rows of what has to be delivered: written with the event, taken away when delivered, kept as dead letters.

Lanes keep order: of each rule, only the oldest waiting delivery of a user is ever tried.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from matinee.control.records import now_ms
from matinee.delivery.rules import Rule, remove
from matinee.storage.metadata import deliveries, delivery_rules

_USER, _SESSION = "u:", "s:"
_AT_ONCE = 500


@dataclass(frozen=True)
class Delivery:
    """One event that a rule has to deliver. `since` and `attempts` count from the last replay, if there was one."""

    seq: int
    id: str
    rule_id: str
    lane: str
    event: Mapping[str, Any]
    attempts: int
    since: int

    @property
    def user(self) -> str:
        """Whose event it is; while nobody knows, the session, which stands for its user."""
        return self.lane[len(_USER) :]


def lane_of(user: str | None, session: str) -> str:
    """The lane of a user's events, or of a session's. The two never meet: any text may name either."""
    return _SESSION + session if user is None else _USER + user


def adopt(connection: sa.Connection, group_arn: str, session: str, user: str) -> None:
    """Put what waits for a session into the lane of the user that it turned out to be."""
    mine = (deliveries.c.group_arn == group_arn) & (deliveries.c.lane == lane_of(None, session))
    connection.execute(sa.update(deliveries).where(mine).values(lane=lane_of(user, session)))


def any_waiting(connection: sa.Connection) -> bool:
    """Whether any delivery waits, be it for later."""
    return bool(connection.scalar(sa.select(sa.exists().where(deliveries.c.state == "PENDING"))))


def due(connection: sa.Connection, rule: Rule, now: int, limit: int) -> list[Delivery]:
    """The first waiting delivery of each lane of a rule whose time has come, oldest first."""
    c = deliveries.c
    first = sa.select(sa.func.min(c.seq)).where(c.state == "PENDING", c.rule_id == rule.id).group_by(c.lane)
    query = sa.select(c.seq, c.id, c.rule_id, c.lane, c.event, c.attempts, c.since)
    query = query.where(c.seq.in_(first), c.not_before <= now).order_by(c.seq).limit(limit)
    return [Delivery(*row) for row in connection.execute(query)]


def delivered(connection: sa.Connection, done: Sequence[Delivery], *, counted: bool = True) -> None:
    """Take away what its destination has; `counted` unless the event turned out to be none of the rule's."""
    for begin in range(0, len(done), _AT_ONCE):
        some = [one.seq for one in done[begin : begin + _AT_ONCE]]
        connection.execute(sa.delete(deliveries).where(deliveries.c.seq.in_(some)))
    for rule_id in {one.rule_id for one in done} if counted else ():
        more = delivery_rules.c.delivered + sum(one.rule_id == rule_id for one in done)
        connection.execute(sa.update(delivery_rules).where(delivery_rules.c.id == rule_id).values(delivered=more))


def postpone(connection: sa.Connection, failed: Delivery, not_before: int, reason: str) -> None:
    """Try again at `not_before`, epoch milliseconds, not earlier."""
    change = {"attempts": failed.attempts + 1, "not_before": not_before, "reason": reason}
    connection.execute(sa.update(deliveries).where(deliveries.c.seq == failed.seq).values(change))


def bury(connection: sa.Connection, failed: Delivery, reason: str) -> None:
    """Make a dead letter of it; the next of its lane is tried."""
    change = {"attempts": failed.attempts + 1, "state": "DEAD", "reason": reason}
    connection.execute(sa.update(deliveries).where(deliveries.c.seq == failed.seq).values(change))


def dead_letters(connection: sa.Connection, rule: Rule, limit: int) -> list[tuple[Delivery, str]]:
    """The oldest dead letters of a rule, each with the reason of its last failure."""
    c = deliveries.c
    query = sa.select(c.seq, c.id, c.rule_id, c.lane, c.event, c.attempts, c.since, c.reason)
    query = query.where(c.state == "DEAD", c.rule_id == rule.id).order_by(c.seq).limit(limit)
    return [(Delivery(*row[:-1]), str(row[-1])) for row in connection.execute(query)]


def replay(connection: sa.Connection, rule: Rule) -> int:
    """Let every dead letter of a rule wait again, in its old place; returns how many."""
    now = now_ms()
    mine = (deliveries.c.state == "DEAD") & (deliveries.c.rule_id == rule.id)
    change = {"state": "PENDING", "attempts": 0, "since": now, "not_before": now, "reason": None}
    return connection.execute(sa.update(deliveries).where(mine).values(change)).rowcount


def discard(connection: sa.Connection, rule: Rule) -> int:
    """Forget the dead letters of a rule; returns how many."""
    mine = (deliveries.c.state == "DEAD") & (deliveries.c.rule_id == rule.id)
    return connection.execute(sa.delete(deliveries).where(mine)).rowcount


def erase(connection: sa.Connection, group_arn: str, users: Collection[str], sessions: Collection[str]) -> int:
    """Forget what waits for these users of a group and their sessions, and their dead letters; returns how many.

    Clients may name a user by a session's ID while it is anonymous, so that a user's ID may be a session's, too.
    """
    lanes = [lane_of(user, "") for user in users] + [lane_of(None, session) for session in {*users, *sessions}]
    removed = 0
    for begin in range(0, len(lanes), _AT_ONCE):
        mine = (deliveries.c.group_arn == group_arn) & deliveries.c.lane.in_(lanes[begin : begin + _AT_ONCE])
        removed += connection.execute(sa.delete(deliveries).where(mine)).rowcount
    return removed


def forget_resources(connection: sa.Connection, arns: Collection[str], emptied: Collection[str]) -> None:
    """Remove the rules of campaigns, recommenders, trackers and groups that are gone, with all that waits for them;
    of groups that are `emptied` of events, what waits."""
    c = delivery_rules.c
    of_gone = c.source_arn.in_(arns) | c.tracker_arn.in_(arns) | c.group_arn.in_(arns)
    ids = list(connection.scalars(sa.select(c.id).where(of_gone)))
    if ids:
        remove(connection, ids)
    if emptied:
        connection.execute(sa.delete(deliveries).where(deliveries.c.group_arn.in_(emptied)))
