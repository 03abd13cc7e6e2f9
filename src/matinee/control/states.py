"""The states of every kind of resource: one table each, and the one function that moves a resource through them."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from matinee.control import records
from matinee.control.records import Resource
from matinee.errors import MatineeError

#: What a table leads to when the resource ceases to exist; never stored.
GONE = "GONE"

Table = Mapping[str, tuple[str, ...]]

_CREATE: Table = {
    "CREATE PENDING": ("CREATE IN_PROGRESS", "CREATE FAILED"),
    "CREATE IN_PROGRESS": ("ACTIVE", "CREATE FAILED"),
}
# A deletion that cannot be carried out gives the resource back as it was, so that it can be asked for again.
_DELETE: Table = {
    "ACTIVE": ("DELETE PENDING",),
    "CREATE FAILED": ("DELETE PENDING",),
    "DELETE PENDING": ("DELETE IN_PROGRESS",),
    "DELETE IN_PROGRESS": (GONE, "ACTIVE", "CREATE FAILED"),
}
_JOB: Table = {**_CREATE, "ACTIVE": (), "CREATE FAILED": ()}

TRANSITIONS: Mapping[str, Table] = {
    "dataset-group": {**_CREATE, **_DELETE},
    "dataset": {
        **_CREATE,
        **_DELETE,
        "ACTIVE": ("UPDATE PENDING", "DELETE PENDING"),
        "UPDATE PENDING": ("UPDATE IN_PROGRESS", "ACTIVE"),
        "UPDATE IN_PROGRESS": ("ACTIVE",),
    },
    "dataset-import-job": _JOB,
    "dataset-export-job": _JOB,
    "data-deletion-job": {
        "PENDING": ("IN_PROGRESS", "FAILED"),
        "IN_PROGRESS": ("COMPLETED", "FAILED"),
        "COMPLETED": (),
        "FAILED": (),
    },
    "event-tracker": {**_CREATE, **_DELETE},
    "filter": {**_CREATE, **_DELETE},
    "metric-attribution": {**_CREATE, **_DELETE},
    "solution": _DELETE,
    "solution-version": {
        "CREATE PENDING": ("CREATE IN_PROGRESS", "CREATE FAILED", "CREATE STOPPED"),
        "CREATE IN_PROGRESS": ("ACTIVE", "CREATE FAILED", "CREATE STOPPING"),
        "CREATE STOPPING": ("CREATE STOPPED",),
        "CREATE STOPPED": (),
        "ACTIVE": (),
        "CREATE FAILED": (),
    },
    # A campaign whose creation failed can be repaired by an update.
    "campaign": {**_CREATE, **_DELETE, "CREATE FAILED": ("ACTIVE", "DELETE PENDING")},
    "recommender": {
        **_CREATE,
        **_DELETE,
        "ACTIVE": ("STOP PENDING", "DELETE PENDING"),
        "STOP PENDING": ("STOP IN_PROGRESS", "ACTIVE"),
        "STOP IN_PROGRESS": ("INACTIVE", "ACTIVE"),
        "INACTIVE": ("START PENDING", "DELETE PENDING"),
        "START PENDING": ("START IN_PROGRESS", "INACTIVE"),
        "START IN_PROGRESS": ("ACTIVE", "INACTIVE"),
        "DELETE IN_PROGRESS": (GONE, "ACTIVE", "CREATE FAILED", "INACTIVE"),
    },
    "batch-inference-job": _JOB,
    "batch-segment-job": _JOB,
}

#: Work is under way or waits: nothing may be built on the resource yet, and it cannot be deleted.
BUSY = (
    "CREATE PENDING",
    "CREATE IN_PROGRESS",
    "CREATE STOPPING",
    "PENDING",
    "IN_PROGRESS",
    "UPDATE PENDING",
    "UPDATE IN_PROGRESS",
    "START PENDING",
    "START IN_PROGRESS",
    "STOP PENDING",
    "STOP IN_PROGRESS",
)
DELETING = ("DELETE PENDING", "DELETE IN_PROGRESS")
FAILED = ("CREATE FAILED", "FAILED", "CREATE STOPPED")
#: The first and the second state of an update that keeps the resource ACTIVE.
UPDATING = ("CREATE PENDING", "CREATE IN_PROGRESS")


#: From these an operator may have the work of a resource done again. Clients of the API cannot, so the tables above do
#: not have these changes.
REOPENED: Mapping[str, str] = {
    "CREATE FAILED": "CREATE PENDING",
    "CREATE STOPPED": "CREATE PENDING",
    "FAILED": "PENDING",
}


class IllegalTransition(MatineeError):
    """A state change that the table of the resource's kind does not have."""


def advance(connection: sa.Connection, arn: str, to: str, *, failure_reason: str | None = None) -> Resource:
    """Move the resource to state `to`; its last update moves too, and an earlier failure reason is dropped.

    Raises `IllegalTransition` for a change that its table does not have, also for a resource that is gone.
    """
    resource = records.find(connection, arn, lock=True)
    if resource is None:
        raise IllegalTransition(f"{arn} no longer exists; it cannot become {to}.")
    if to not in TRANSITIONS[resource.kind].get(resource.status or "", ()):
        raise IllegalTransition(f"{arn} is in state {resource.status}; it cannot become {to}.")
    return records.change(connection, resource, status=to, failure_reason=failure_reason)


def reopen(connection: sa.Connection, arn: str) -> Resource:
    """Make a resource whose creation failed or was stopped pending again; raises as `advance`."""
    resource = records.find(connection, arn, lock=True)
    if resource is None or resource.status not in REOPENED:
        status = "gone" if resource is None else resource.status
        raise IllegalTransition(f"{arn} is {status}; only what failed or was stopped is made pending again.")
    return records.change(connection, resource, status=REOPENED[str(resource.status)], failure_reason=None)
