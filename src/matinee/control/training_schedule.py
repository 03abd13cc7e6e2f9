"""The clock of automatic training: when a solution's next version, or a recommender's next training, is due."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from matinee.control.records import Resource
from matinee.storage.metadata import resources

HOUR = 3_600_000
DAY = 24 * HOUR
#: Also the rate of a solution that names none.
RECOMMENDER_PERIOD = 7 * DAY
_DEFAULT_RATE = "rate(7 days)"
_KEPT = "training_clock"


@dataclass(frozen=True)
class Clock:
    """Counts from `since`, epoch milliseconds. `first`: the first training, due an hour later, is still to come."""

    since: int
    first: bool

    @classmethod
    def of(cls, resource: Resource) -> Clock:
        """The clock of a solution or recommender; it starts when the resource is made."""
        kept = resource.private.get(_KEPT)
        return cls(kept["since"], kept["first"]) if kept else cls(resource.created_at, resource.kind == "solution")

    def due(self, period: int) -> int:
        """The moment of the next training, for a schedule of one training every `period` milliseconds."""
        return self.since + (HOUR if self.first else period)


def period(solution: Resource) -> int:
    """The milliseconds between two automatic trainings."""
    config: Mapping[str, Any] = solution["solutionConfig"].get("autoTrainingConfig") or {}
    return _milliseconds(config.get("schedulingExpression"))


def restart(connection: sa.Connection, resource: Resource, clock: Clock) -> None:
    """Let a resource's clock count anew. No client asked for it, so the date of its last update stays."""
    private = {**resource.private, _KEPT: {"since": clock.since, "first": clock.first}}
    connection.execute(sa.update(resources).where(resources.c.seq == resource.seq).values(private=private))


def restart_after_update(connection: sa.Connection, solution: Resource, becomes: Mapping[str, Any], now: int) -> None:
    """Let the clock count anew when an update turns automatic training on, or changes its rate (spec 4.6).

    `becomes` holds the attributes that the update changes. Turned on, the first training is due in an hour; with
    another rate, the next one a whole period later.
    """
    automatic = becomes.get("performAutoTraining", solution["performAutoTraining"])
    rate = becomes["solutionConfig"].get("autoTrainingConfig", {}).get("schedulingExpression")
    if automatic and not solution["performAutoTraining"]:
        restart(connection, solution, Clock(now, first=True))
    elif automatic and _milliseconds(rate) != period(solution):
        restart(connection, solution, Clock(now, first=False))


def _milliseconds(rate: str | None) -> int:
    match = re.search(r"\d+", rate or _DEFAULT_RATE)
    return int(match.group()) * DAY if match else RECOMMENDER_PERIOD
