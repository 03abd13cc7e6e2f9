"""What an experiment says so far: the log of answers and the events after them, as outcomes of users."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sqlalchemy as sa

from matinee.control.experiments import INTERLEAVE, versions_of
from matinee.control.records import Resource
from matinee.experiments.interleaving import preferences
from matinee.experiments.outcomes import Doubles, Longs, Shown, inside, matured, user_means
from matinee.experiments.verdict import Comparison, Estimate, compare, mean_estimate
from matinee.storage.metadata import events, recommendations


@dataclass(frozen=True)
class Results:
    """A look at an experiment: lists shown and users by arm, and what is compared.

    `waiting` users are in their window still. `click_through` and `conversion` are of a split, `preference` of
    interleaving: the mean over users, above 0 for the second arm.
    """

    lists: tuple[int, ...]
    users: tuple[int, ...]
    waiting: int
    click_through: Comparison | None = None
    conversion: Comparison | None = None
    preference: Estimate | None = None


@dataclass(eq=False)
class _Log:
    """The lists of an experiment: parallel columns, and where to find a list and a user."""

    users: dict[str, int] = field(default_factory=dict)
    lists: dict[str, int] = field(default_factory=dict)
    user: list[int] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    arm: list[int] = field(default_factory=list)
    teams: list[Mapping[str, int]] = field(default_factory=list)

    def shown(self) -> Shown:
        return Shown(len(self.users), *(np.array(one, np.int64) for one in (self.user, self.at, self.arm)))


def results(connection: sa.Connection, experiment: Resource, now: int) -> Results:
    """Look at an experiment at `now`, epoch milliseconds. Users whose window has not closed do not count yet."""
    log = _lists(connection, experiment)
    arms = len(experiment["arms"])
    shown = log.shown()
    opened, arm_of = shown.opened(), shown.arms()
    window = 1000 * int(experiment["window"])
    closed = matured(opened, window, now)
    clicks, converted = _happened(connection, experiment, log, opened, window)
    interleaved = experiment["mode"] == INTERLEAVE
    counts = (len(log.lists),) if interleaved else tuple(np.bincount(shown.arm, minlength=arms).tolist())
    users = (len(closed),) if interleaved else tuple(np.bincount(arm_of[closed], minlength=arms).tolist())
    counted = inside(shown.user, shown.at, opened, window)
    terms = {"alpha": float(experiment["alpha"]), "tuned_to": float(experiment["users"])}
    waiting = shown.users - len(closed)
    if interleaved:
        prefer = preferences(_by_team(log, clicks))
        means = user_means(shown.user[counted], prefer[counted], shown.users)
        return Results(counts, users, waiting, preference=mean_estimate(means[closed], **terms))
    clicked = np.array([bool(items) for items in clicks], np.float64)
    rates = user_means(shown.user[counted], clicked[counted], shown.users)
    return Results(
        counts,
        users,
        waiting,
        click_through=compare(arm_of[closed], rates[closed], arms, **terms),
        conversion=compare(arm_of[closed], converted[closed], arms, **terms) if experiment["conversions"] else None,
    )


def _lists(connection: sa.Connection, experiment: Resource) -> _Log:
    """The lists that the experiment showed to known users, oldest first."""
    c, versions = recommendations.c, versions_of(experiment)
    query = sa.select(c.id, c.user_id, c.at, c.model_arn, c["items"], c.teams).where(
        c.group_arn == experiment["datasetGroupArn"],
        c.arn == experiment["campaignArn"],
        c.at >= experiment["startedAt"],
        c.user_id.is_not(None),
    )
    if "stoppedAt" in experiment.attributes:
        query = query.where(c.at <= experiment["stoppedAt"])
    log = _Log()
    for one, user, at, model, items, teams in connection.execute(query.order_by(c.seq)):
        if model not in versions or (teams is None) is (experiment["mode"] == INTERLEAVE):
            continue
        log.lists[one] = len(log.lists)
        log.user.append(log.users.setdefault(user, len(log.users)))
        log.at.append(at)
        log.arm.append(versions.index(model))
        log.teams.append(dict(zip(items, teams or (), strict=False)))
    return log


def _happened(
    connection: sa.Connection, experiment: Resource, log: _Log, opened: Longs, window: int
) -> tuple[list[set[str]], Doubles]:
    """The clicked items of every list, and whether each user converted (users,): what lies in the user's window.

    A click belongs to the list whose recommendationId it carries, a conversion to its user, by that ID or by the
    user's own. The times are those of arrival: a client's clock may be wrong.
    """
    clicks: list[set[str]] = [set() for _ in log.lists]
    converted = np.zeros(len(log.users))
    click_types, conversion_types = (_lowered(experiment[member]) for member in ("clicks", "conversions"))
    c = events.c
    query = sa.select(c.event_type, c.item_id, c.user_id, c.received_at, c.details).where(
        c.group_arn == experiment["datasetGroupArn"],
        c.received_at >= experiment["startedAt"],
        sa.func.lower(c.event_type).in_(sorted(click_types | conversion_types)),
    )
    for kind, item, user_id, at, details in connection.execute(query):
        followed = log.lists.get((details or {}).get("recommendationId", ""))
        user = log.user[followed] if followed is not None else log.users.get(user_id or "")
        if user is None or not 0 <= at - opened[user] < window:
            continue
        if kind.lower() in click_types and followed is not None:
            clicks[followed].add(str(item))
        if kind.lower() in conversion_types:
            converted[user] = 1.0
    return clicks, converted


def _by_team(log: _Log, clicks: list[set[str]]) -> Longs:
    """How many clicked items each team put into each list: (lists, 2)."""
    found = np.zeros((len(clicks), 2), np.int64)
    for number, items in enumerate(clicks):
        for item in items & log.teams[number].keys():
            found[number, log.teams[number][item]] += 1
    return found


def _lowered(types: Iterable[Any]) -> set[str]:
    return {str(one).lower() for one in types}
