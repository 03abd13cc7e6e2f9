"""Tags: names and values that a caller hangs on resources."""

from __future__ import annotations

from matinee.control import records, states, tagging
from matinee.control.kind import Answer, Request
from matinee.control.operation import Operation
from matinee.control.records import Resource
from matinee.errors import InvalidInput, ResourceInUse, ResourceNotFound, TooManyTagKeys

UNTAGGABLE = ("schema", "metric-attribution")


def tag_resource(operation: Operation, request: Request) -> Answer:
    """Add tags, or change the values of those that are there."""
    resource = _taggable(operation, request["resourceArn"])
    _refuse_going(resource)
    tagging.put(operation.connection, resource.arn, request["tags"])
    return {}


def untag_resource(operation: Operation, request: Request) -> Answer:
    """Take tags away; keys that are not there are passed over."""
    resource = _taggable(operation, request["resourceArn"])
    _refuse_going(resource)
    if len(request["tagKeys"]) > tagging.MOST_TAGS:
        raise TooManyTagKeys(
            f"{len(request['tagKeys'])} tag keys are given; one call may carry {tagging.MOST_TAGS}. Call several times."
        )
    tagging.remove(operation.connection, resource.arn, request["tagKeys"])
    return {}


def list_tags_for_resource(operation: Operation, request: Request) -> Answer:
    """The tags of a resource, by key."""
    resource = _taggable(operation, request["resourceArn"])
    found = tagging.read(operation.connection, resource.arn)
    return {"tags": [{"tagKey": key, "tagValue": value} for key, value in found.items()]}


def _taggable(operation: Operation, arn: str) -> Resource:
    resource = records.find(operation.connection, arn)
    owner = (operation.caller.account, operation.caller.region)
    if resource is None or (resource.account, resource.region) != owner:
        raise ResourceNotFound.of(arn)
    if resource.kind in UNTAGGABLE:
        raise InvalidInput(f"{arn} cannot be tagged: {resource.kind.replace('-', ' ')}s have no tags.")
    return resource


def _refuse_going(resource: Resource) -> None:
    if resource.status in states.DELETING:
        raise ResourceInUse(f"{resource.arn} is in status {resource.status}; its tags go with it.")


OPERATIONS = (tag_resource, untag_resource, list_tags_for_resource)
