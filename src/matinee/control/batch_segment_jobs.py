"""Batch segment jobs: the users most likely to like an item or an attribute."""

from __future__ import annotations

from matinee.control import batch_rules, quotas
from matinee.control.kind import Answer, Kind, Request, members
from matinee.control.operation import Operation
from matinee.control.outbox import JobKind
from matinee.errors import InvalidInput
from matinee.filters.syntax import Dataset, Target
from matinee.recipes import catalogue
from matinee.recipes.catalogue import Call

BATCH_SEGMENT_JOB = Kind(
    word="batch-segment-job",
    member="batchSegmentJob",
    plural="batchSegmentJobs",
    described=members(
        "jobName batchSegmentJobArn filterArn failureReason solutionVersionArn numResults jobInput jobOutput roleArn "
        "status"
    ),
    summarised=members("batchSegmentJobArn jobName status failureReason solutionVersionArn"),
    within="solutionVersionArn",
    named="jobName",
)

MOST_USERS = 5_000_000


def create_batch_segment_job(operation: Operation, request: Request) -> Answer:
    """List users for each line of the input. The job's payload: the members of Describe, and `datasetGroupArn`."""
    arn = operation.free_arn(f"batch-segment-job/{request['jobName']}")
    version = batch_rules.trained_version(operation, request["solutionVersionArn"])
    recipe = catalogue.find(version["recipeArn"])
    if recipe.call is not Call.SEGMENT:
        raise InvalidInput(f"{recipe.name} makes no user segments. Use aws-item-affinity or another of its type.")
    tree = batch_rules.check_filter(operation, request, version, Target.USER)
    if recipe.name == "aws-item-attribute-affinity" and tree is not None and tree.uses(Dataset.INTERACTIONS):
        raise InvalidInput(
            f"The filter {request['filterArn']} tests interactions, which {recipe.name} does not support. "
            "Use a filter on Users, or aws-item-affinity."
        )
    attributes = batch_rules.shared_attributes(request, version, MOST_USERS)
    operation.leave_room(quotas.BATCH_SEGMENT_JOBS)
    operation.create(
        BATCH_SEGMENT_JOB,
        arn,
        request["jobName"],
        attributes,
        parent=version.arn,
        uses=batch_rules.uses(request, version),
        tags=request.get("tags", ()),
        job=JobKind.BATCH_SEGMENT,
        payload={**attributes, "datasetGroupArn": version["datasetGroupArn"]},
    )
    return {BATCH_SEGMENT_JOB.arn_member: arn}


def describe_batch_segment_job(operation: Operation, request: Request) -> Answer:
    """One batch segment job."""
    return operation.describe(BATCH_SEGMENT_JOB, request)


def list_batch_segment_jobs(operation: Operation, request: Request) -> Answer:
    """The caller's batch segment jobs, or those of one version."""
    return operation.list(BATCH_SEGMENT_JOB, request)


OPERATIONS = (create_batch_segment_job, describe_batch_segment_job, list_batch_segment_jobs)
