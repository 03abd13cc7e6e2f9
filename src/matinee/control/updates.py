"""Updates that keep the old configuration until the new one is ready, shown in the `latest…Update` member."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from matinee.control import outbox, records, states
from matinee.control.outbox import Job, JobKind
from matinee.control.records import Resource, now_ms
from matinee.errors import ResourceInUse

_MEMBERS: Mapping[str, str] = {
    "dataset": "latestDatasetUpdate",
    "solution": "latestSolutionUpdate",
    "campaign": "latestCampaignUpdate",
    "recommender": "latestRecommenderUpdate",
}
#: States of an update that has not ended.
_RUNNING = ("CREATE PENDING", "CREATE IN_PROGRESS", "UPDATE PENDING", "UPDATE IN_PROGRESS")
#: A use that becomes one when the update ends well; until then it already keeps its target from being deleted.
_NEXT = ":next"


def latest(resource: Resource) -> Mapping[str, Any]:
    """What `latest…Update` shows; empty before the first update and for kinds that have none."""
    shown: Mapping[str, Any] = resource.attributes.get(_MEMBERS.get(resource.kind, ""), {})
    return shown


def running(resource: Resource) -> bool:
    """Whether an update of the resource has not ended yet."""
    return latest(resource).get("status") in _RUNNING


def unfinished(connection: sa.Connection, target: str, kind: str) -> list[Resource]:
    """The resources of a kind that use `target` and that are being made or updated."""
    found = records.users(connection, target, kind, only=states.BUSY)
    if kind in _MEMBERS:
        found += [
            user for user in records.users(connection, target, kind, only=("ACTIVE", "INACTIVE")) if running(user)
        ]
    return found


def refuse_while_running(resource: Resource) -> None:
    """Raise `ResourceInUse` while an update of the resource runs."""
    if running(resource):
        raise ResourceInUse(
            f"An update of {resource.arn} is in progress. Wait until the status of "
            f"{_MEMBERS[resource.kind]} is ACTIVE, then try again."
        )


def start(
    connection: sa.Connection,
    resource: Resource,
    kind: JobKind,
    *,
    shown: Mapping[str, Any],
    becomes: Mapping[str, Any],
    uses: Mapping[str, str] | None = None,
    parent: str | None = None,
    pending: str = "CREATE PENDING",
    payload: Mapping[str, Any] | None = None,
) -> Resource:
    """Show a pending update with the members `shown` and write its job.

    When the job ends well, the attributes in `becomes` and the references in `uses` (role to ARN) replace the old.
    """
    now = now_ms()
    update = {**shown, "status": pending, "creationDateTime": now, "lastUpdatedDateTime": now}
    resource = records.change(connection, resource, attributes={**resource.attributes, _MEMBERS[resource.kind]: update})
    records.refer(connection, resource.arn, {f"{role}{_NEXT}": target for role, target in (uses or {}).items()})
    change = {"becomes": dict(becomes), "uses": dict(uses or {}), "parent": parent}
    outbox.enqueue(connection, kind, resource.arn, {**(payload or {}), **change})
    return resource


def show(connection: sa.Connection, resource: Resource, status: str, reason: str | None = None) -> Resource:
    """Set the status that `latest…Update` shows."""
    update = {**latest(resource), "status": status}
    if status != latest(resource).get("status"):
        update["lastUpdatedDateTime"] = max(now_ms(), update["lastUpdatedDateTime"] + 1)
    if reason is not None:
        update["failureReason"] = reason
    return records.change(connection, resource, attributes={**resource.attributes, _MEMBERS[resource.kind]: update})


def adopt(connection: sa.Connection, resource: Resource, job: Job) -> Resource:
    """Put the new configuration of an update in the old one's place."""
    uses: Mapping[str, str] = job.payload["uses"]
    records.unrefer(connection, resource.arn, *(f"{role}{_NEXT}" for role in uses))
    records.refer(connection, resource.arn, uses)
    attributes = {**resource.attributes, **job.payload["becomes"]}
    parent = job.payload["parent"] or resource.parent
    return records.change(connection, resource, attributes=attributes, parent=parent)


def abandon(connection: sa.Connection, resource: Resource, job: Job, status: str, reason: str) -> Resource:
    """Leave the old configuration in its place and show why."""
    records.unrefer(connection, resource.arn, *(f"{role}{_NEXT}" for role in job.payload["uses"]))
    return show(connection, resource, status, reason)
