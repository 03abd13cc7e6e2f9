"""Data deletion jobs: everything that a group holds about the users listed in a file."""

from __future__ import annotations

from matinee.control import quotas
from matinee.control.dataset_groups import DATASET_GROUP
from matinee.control.kind import Answer, Kind, Request, given, members
from matinee.control.locations import check_location
from matinee.control.operation import Operation
from matinee.control.outbox import JobKind

DATA_DELETION_JOB = Kind(
    word="data-deletion-job",
    member="dataDeletionJob",
    plural="dataDeletionJobs",
    described=members("jobName dataDeletionJobArn datasetGroupArn dataSource roleArn status numDeleted failureReason"),
    summarised=members("dataDeletionJobArn datasetGroupArn jobName status failureReason"),
    within="datasetGroupArn",
    named="jobName",
    newest_first=True,
)


def create_data_deletion_job(operation: Operation, request: Request) -> Answer:
    """Remove users and what they did from the group's datasets; models forget them when they are trained next.

    The job's payload: `datasetGroupArn`, `dataLocation`, `roleArn`. `lifecycle.succeed` is given `attributes`
    `numDeleted`.
    """
    arn = operation.free_arn(f"data-deletion-job/{request['jobName']}")
    group = operation.find_usable(DATASET_GROUP, request["datasetGroupArn"])
    location = check_location(request["dataSource"].get("dataLocation"), "dataSource.dataLocation")
    operation.leave_room(quotas.DATA_DELETION_JOBS, group.arn)
    operation.create(
        DATA_DELETION_JOB,
        arn,
        request["jobName"],
        given(request, "datasetGroupArn", "dataSource", "roleArn"),
        status="PENDING",
        parent=group.arn,
        uses={"datasetGroupArn": group.arn},
        tags=request.get("tags", ()),
        job=JobKind.DATA_DELETION,
        payload={**given(request, "datasetGroupArn", "roleArn"), "dataLocation": location},
    )
    return {DATA_DELETION_JOB.arn_member: arn}


def describe_data_deletion_job(operation: Operation, request: Request) -> Answer:
    """One data deletion job; `numDeleted` once it is COMPLETED."""
    return operation.describe(DATA_DELETION_JOB, request)


def list_data_deletion_jobs(operation: Operation, request: Request) -> Answer:
    """The caller's data deletion jobs, or those of one group, newest first."""
    return operation.list(DATA_DELETION_JOB, request)


OPERATIONS = (create_data_deletion_job, describe_data_deletion_job, list_data_deletion_jobs)
