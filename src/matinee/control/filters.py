"""Filters: expressions that are parsed and type-checked once, at creation, and never change."""

from __future__ import annotations

from matinee.control import quotas, records, states
from matinee.control.dataset_groups import DATASET_GROUP
from matinee.control.datasets import schemas_of_group
from matinee.control.kind import Answer, Blocker, Kind, Request, given, members
from matinee.control.operation import Operation
from matinee.errors import InvalidInput, LimitExceeded
from matinee.filters.checking import check
from matinee.filters.parsing import parse
from matinee.filters.syntax import Filter

FILTER = Kind(
    word="filter",
    member="filter",
    plural="Filters",
    described=members("name filterArn datasetGroupArn failureReason filterExpression status"),
    summarised=members("name filterArn datasetGroupArn failureReason status"),
    within="datasetGroupArn",
    blockers=(Blocker("batch-inference-job", busy=True), Blocker("batch-segment-job", busy=True)),
)


def create_filter(operation: Operation, request: Request) -> Answer:
    """Keep an expression that fits the schemas of its group."""
    arn = operation.free_arn(f"filter/{request['name']}")
    # The operation declares no ResourceInUseException.
    group = operation.find_usable(DATASET_GROUP, request["datasetGroupArn"], busy=InvalidInput)
    tree = check(request["filterExpression"], schemas_of_group(operation, group.arn))
    operation.leave_room(quotas.FILTERS, group.arn)
    _check_fields(operation, group.arn, tree)
    operation.create(
        FILTER,
        arn,
        request["name"],
        given(request, "datasetGroupArn", "filterExpression"),
        parent=group.arn,
        uses=given(request, "datasetGroupArn"),
        tags=request.get("tags", ()),
    )
    return {FILTER.arn_member: arn}


def describe_filter(operation: Operation, request: Request) -> Answer:
    """One filter, with its expression as it was given."""
    return operation.describe(FILTER, request)


def list_filters(operation: Operation, request: Request) -> Answer:
    """The caller's filters, or those of one group; without expressions, under the key `Filters`."""
    return operation.list(FILTER, request)


def delete_filter(operation: Operation, request: Request) -> Answer:
    """Delete a filter that no batch job is using."""
    return operation.delete(FILTER, request)


def _check_fields(operation: Operation, group_arn: str, tree: Filter) -> None:
    """The quota of distinct fields over all filters of a group."""
    fields = {str(field).upper() for field in tree.fields()}
    for other in records.children(operation.connection, group_arn, FILTER.word):
        if other.status not in (*states.DELETING, "CREATE FAILED"):
            fields |= {str(field).upper() for field in parse(other["filterExpression"]).fields()}
    limit = operation.settings.quota("filter-fields")
    if limit is not None and len(fields) > limit:
        raise LimitExceeded(
            f"The filters of {group_arn} would name {len(fields)} distinct fields; {limit} are allowed. "
            "Use fewer fields, or delete a filter."
        )


OPERATIONS = (create_filter, describe_filter, list_filters, delete_filter)
