"""Event trackers: the door through which events stream into a dataset group."""

from __future__ import annotations

import uuid

from matinee.control import quotas, records
from matinee.control.dataset_groups import DATASET_GROUP
from matinee.control.datasets import create_event_interactions
from matinee.control.identifiers import new_hex_arn
from matinee.control.kind import Answer, Kind, Request, members
from matinee.control.operation import Operation
from matinee.errors import ResourceAlreadyExists

EVENT_TRACKER = Kind(
    word="event-tracker",
    member="eventTracker",
    plural="eventTrackers",
    described=members("name eventTrackerArn accountId trackingId datasetGroupArn status"),
    summarised=members("name eventTrackerArn status"),
    within="datasetGroupArn",
)


def create_event_tracker(operation: Operation, request: Request) -> Answer:
    """Open a group for events. PutEvents takes the tracking ID from now on, before the tracker is ACTIVE."""
    group = operation.find(DATASET_GROUP, request["datasetGroupArn"])
    _refuse_taken_name(operation, request["name"])
    operation.find_usable(DATASET_GROUP, group.arn)
    operation.leave_room(quotas.EVENT_TRACKERS, group.arn)
    create_event_interactions(operation, group)
    arn = new_hex_arn(operation, "event-tracker")
    tracking = str(uuid.uuid4())
    operation.create(
        EVENT_TRACKER,
        arn,
        request["name"],
        {"accountId": operation.caller.account, "trackingId": tracking, "datasetGroupArn": group.arn},
        parent=group.arn,
        uses={"datasetGroupArn": group.arn},
        tags=request.get("tags", ()),
    )
    return {EVENT_TRACKER.arn_member: arn, "trackingId": tracking}


def describe_event_tracker(operation: Operation, request: Request) -> Answer:
    """One tracker, with its tracking ID."""
    return operation.describe(EVENT_TRACKER, request)


def list_event_trackers(operation: Operation, request: Request) -> Answer:
    """The caller's trackers, or that of one group; without tracking IDs."""
    return operation.list(EVENT_TRACKER, request)


def delete_event_tracker(operation: Operation, request: Request) -> Answer:
    """Close a tracker; what it collected stays."""
    return operation.delete(EVENT_TRACKER, request)


def _refuse_taken_name(operation: Operation, name: str) -> None:
    """Names are unique in a region, although a tracker's ARN ends in an id."""
    taken = records.named(
        operation.connection,
        account=operation.caller.account,
        region=operation.caller.region,
        kind=EVENT_TRACKER.word,
        name=name,
    )
    if taken is not None:
        raise ResourceAlreadyExists.of(taken.arn)


OPERATIONS = (create_event_tracker, describe_event_tracker, list_event_trackers, delete_event_tracker)
