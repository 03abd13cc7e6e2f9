"""Automatic training: starts what is due. Spec 4.5 and 4.6.

A solution's first version starts an hour after the solution was made, unless one was started by hand in that hour;
later ones at the solution's rate, counted from the start of the last automatic one. A recommender is trained again
every 7 days, counted from its creation. Nothing is trained without interactions that the last model has not seen: what
is due waits for them.
"""

from __future__ import annotations

import sqlalchemy as sa

from matinee.control import outbox, recommenders, records, solution_versions, states, updates
from matinee.control.arrivals import interactions_arrived
from matinee.control.auto_update import newest_whole_training
from matinee.control.context import Caller
from matinee.control.operation import Operation
from matinee.control.records import Resource
from matinee.control.training_schedule import HOUR, RECOMMENDER_PERIOD, Clock, period, restart
from matinee.control.turns import take_turn
from matinee.errors import LimitExceeded
from matinee.settings import Settings
from matinee.storage.metadata import Database, jobs, resources

_VERSION = "solution-version"


def start_due(database: Database, settings: Settings, now: int) -> list[str]:
    """Start every training that is due at `now`, epoch milliseconds; returns the ARNs of what is being trained.

    Several workers may do this at the same time: each training is looked at again in its account's turn, so that it is
    started once.
    """
    with database.read() as connection:
        due = [resource for resource in _scheduled(connection) if _is_ready(connection, resource, now)]
    started = []
    for seen in due:
        with database.transaction() as connection:
            take_turn(connection, seen.account, seen.region)
            resource = records.find(connection, seen.arn, lock=True)
            if resource is None or not _is_ready(connection, resource, now):
                continue
            arn = _start(connection, settings, resource, now)
            if arn is not None:
                started.append(arn)
    return started


def _scheduled(connection: sa.Connection) -> list[Resource]:
    """The ACTIVE solutions and recommenders of all accounts."""
    c = resources.c
    query = sa.select(resources).where(c.kind.in_(("solution", "recommender")), c.status == "ACTIVE")
    return [Resource(**row._mapping) for row in connection.execute(query.order_by(c.seq))]


def _is_ready(connection: sa.Connection, resource: Resource, now: int) -> bool:
    """Whether a training of the resource is due, nothing is under way that it must wait for, and there is new data."""
    if resource.status != "ACTIVE" or updates.running(resource):
        return False
    if resource.kind == "recommender":
        return (
            Clock.of(resource).due(RECOMMENDER_PERIOD) <= now
            and not _has_open_job(connection, resource.arn)
            and interactions_arrived(connection, resource["datasetGroupArn"], Clock.of(resource).since)
        )
    if not resource["performAutoTraining"] or Clock.of(resource).due(period(resource)) > now:
        return False
    if records.newest_child(connection, resource.arn, _VERSION, *states.BUSY) is not None:
        return False
    newest = newest_whole_training(connection, resource.arn)  # an UPDATE is no retraining (spec 4.6)
    trained = 0 if newest is None else newest.created_at
    return _by_hand(connection, resource) is not None or interactions_arrived(
        connection, resource["datasetGroupArn"], trained
    )


def _start(connection: sa.Connection, settings: Settings, resource: Resource, now: int) -> str | None:
    """Start one training and let its clock count on; None when a version by hand or a quota stands in its place."""
    if resource.kind == "recommender":
        since = Clock.of(resource).since
        restart(connection, resource, Clock(now - (now - since) % RECOMMENDER_PERIOD, first=False))
        recommenders.refresh(connection, resource)
        return resource.arn
    by_hand = _by_hand(connection, resource)
    if by_hand is not None:
        restart(connection, resource, Clock(by_hand.created_at, first=False))
        return None
    operation = Operation(connection, Caller(resource.account, resource.region), settings)
    reused = solution_versions.tuned_lately(connection, resource, now)
    try:
        version = solution_versions.train(
            operation, resource, mode="AUTOTRAIN", training_type="AUTOMATIC", reused=reused
        )
    except LimitExceeded:  # too many trainings wait already; the next look may find room
        return None
    restart(connection, resource, Clock(now, first=False))
    return version.arn


def _by_hand(connection: sa.Connection, solution: Resource) -> Resource | None:
    """The version that was started by hand before the first automatic one was due; the first there is."""
    clock = Clock.of(solution)
    if not clock.first:
        return None
    versions = records.children(connection, solution.arn, _VERSION)
    return next((version for version in versions if 0 <= version.created_at - clock.since <= HOUR), None)


def _has_open_job(connection: sa.Connection, arn: str) -> bool:
    waiting = sa.select(jobs.c.id).where(jobs.c.arn == arn, jobs.c.state.not_in(outbox.ENDED))
    return connection.execute(waiting.limit(1)).first() is not None
