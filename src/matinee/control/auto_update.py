"""The two-hourly update: deployed models take in new items and events, in place. Spec 4.6.

It concerns the recipes that say so, while a campaign serves their solution's newest version of a whole training, or a
recommender of theirs is ACTIVE; and only where items or interactions have come in since. No version is made and no
metric changes: another artifact takes the place of the old one.
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from matinee.control import outbox, places, records, updates
from matinee.control.arrivals import interactions_arrived, items_arrived
from matinee.control.kind import given
from matinee.control.outbox import JobKind
from matinee.control.records import Resource
from matinee.control.turns import take_turn
from matinee.recipes import catalogue
from matinee.storage.metadata import Database, jobs, resources

_KEPT = "updated_with_data_of"
_MEMBERS = (
    "datasetGroupArn",
    "recipeArn",
    "eventType",
    "solutionConfig",
    "recommenderConfig",
    "performIncrementalUpdate",
)


def start_updates(database: Database, period_ms: int, now: int) -> list[str]:
    """Start every update that is due at `now`, epoch milliseconds; returns the ARNs of what is brought up to date.

    Several workers may do this at the same time: each is looked at again in its account's turn.
    """
    with database.read() as connection:
        due = [one for one in _deployed(connection) if _is_due(connection, one, period_ms, now)]
    started = []
    for seen in due:
        with database.transaction() as connection:
            take_turn(connection, seen.account, seen.region)
            resource = records.find(connection, seen.arn, lock=True)
            if resource is not None and _is_due(connection, resource, period_ms, now):
                _start(connection, resource, now)
                started.append(resource.arn)
    return started


def newest_whole_training(connection: sa.Connection, solution_arn: str) -> Resource | None:
    """The newest ACTIVE version of a solution that was trained on all data, by hand or by schedule."""
    versions = records.children(connection, solution_arn, "solution-version")
    whole = [one for one in versions if one.status == "ACTIVE" and one["trainingMode"] != "UPDATE"]
    return max(whole, key=lambda one: one.seq, default=None)


def data_seen(resource: Resource) -> int:
    """The moment, epoch milliseconds, from which on data is new to a version or recommender."""
    return int(resource.private.get(_KEPT, resource.created_at))


def _deployed(connection: sa.Connection) -> list[Resource]:
    """The ACTIVE recommenders, and the versions that ACTIVE campaigns serve and that may be updated, each once."""
    c = resources.c
    query = sa.select(resources).where(c.kind.in_(("campaign", "recommender")), c.status == "ACTIVE").order_by(c.seq)
    found: dict[str, Resource] = {}
    for row in connection.execute(query):
        resource = Resource(**row._mapping)
        if resource.kind == "campaign":
            newest = newest_whole_training(connection, str(resource.parent))
            if newest is None or newest.arn != resource["solutionVersionArn"]:
                continue
            resource = newest
        if catalogue.find(resource["recipeArn"]).auto_update:
            found[resource.arn] = resource
    return list(found.values())


def _is_due(connection: sa.Connection, resource: Resource, period_ms: int, now: int) -> bool:
    if resource.status != "ACTIVE" or updates.running(resource) or resource.private.get("artifact") is None:
        return False
    seen = data_seen(resource)
    if now - seen < period_ms:
        return False
    waiting = sa.select(jobs.c.id).where(jobs.c.arn == resource.arn, jobs.c.state.not_in(outbox.ENDED))
    if connection.execute(waiting.limit(1)).first() is not None:
        return False
    group = resource["datasetGroupArn"]
    return items_arrived(connection, group, seen) or interactions_arrived(connection, group, seen)


def _start(connection: sa.Connection, resource: Resource, now: int) -> None:
    """Write the job. No client asked for it, so the date of the last update stays."""
    private = {**resource.private, _KEPT: now}
    connection.execute(sa.update(resources).where(resources.c.seq == resource.seq).values(private=private))
    (home,) = places.prefixes(resource)
    payload = {**given(resource.attributes, *_MEMBERS), "artifact": f"{home}/{secrets.token_hex(4)}"}
    outbox.enqueue(connection, JobKind.UPDATE_MODEL, resource.arn, payload)
