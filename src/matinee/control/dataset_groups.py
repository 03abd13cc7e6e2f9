"""Dataset groups: the container of one application's data and models, custom or of a domain."""

from __future__ import annotations

from matinee.control import quotas
from matinee.control.kind import Answer, Blocker, Kind, Request, given, members
from matinee.control.operation import Operation
from matinee.errors import InvalidInput

DATASET_GROUP = Kind(
    word="dataset-group",
    member="datasetGroup",
    plural="datasetGroups",
    described=members("name datasetGroupArn status roleArn kmsKeyArn failureReason domain"),
    summarised=members("name datasetGroupArn status failureReason domain"),
    blockers=(Blocker("event-tracker"), Blocker("solution"), Blocker("recommender"), Blocker("dataset")),
    missing="The given dataset group does not exist: {arn}",
)


def create_dataset_group(operation: Operation, request: Request) -> Answer:
    """Make a custom group, or with `domain` a domain group; neither domain nor encryption can change later."""
    arn = operation.free_arn(f"dataset-group/{request['name']}")
    if "kmsKeyArn" in request and "roleArn" not in request:
        raise InvalidInput("kmsKeyArn is given without roleArn. Give the role that may use the key too.")
    operation.leave_room(quotas.DATASET_GROUPS)
    operation.create(
        DATASET_GROUP,
        arn,
        request["name"],
        given(request, "domain", "roleArn", "kmsKeyArn"),
        tags=request.get("tags", ()),
    )
    return {DATASET_GROUP.arn_member: arn, **given(request, "domain")}


def describe_dataset_group(operation: Operation, request: Request) -> Answer:
    """One group."""
    return operation.describe(DATASET_GROUP, request)


def list_dataset_groups(operation: Operation, request: Request) -> Answer:
    """The caller's groups."""
    return operation.list(DATASET_GROUP, request)


def delete_dataset_group(operation: Operation, request: Request) -> Answer:
    """Delete a group that holds no event tracker, solution, recommender or dataset; filters go with it."""
    return operation.delete(DATASET_GROUP, request)


OPERATIONS = (create_dataset_group, describe_dataset_group, list_dataset_groups, delete_dataset_group)
