"""Dataset export jobs: a dataset's records as CSV files."""

from __future__ import annotations

from matinee.control.datasets import DATASET
from matinee.control.kind import Answer, Kind, Request, given, members
from matinee.control.locations import check_output
from matinee.control.operation import Operation
from matinee.control.outbox import JobKind

EXPORT_JOB = Kind(
    word="dataset-export-job",
    member="datasetExportJob",
    plural="datasetExportJobs",
    described=members(
        "jobName datasetExportJobArn datasetArn ingestionMode roleArn status jobOutput failureReason",
    ),
    summarised=members("datasetExportJobArn jobName status failureReason"),
    within="datasetArn",
    named="jobName",
)


def create_dataset_export_job(operation: Operation, request: Request) -> Answer:
    """Write a dataset's imported (BULK), streamed (PUT, the default) or ALL records to a folder.

    The job's payload: `datasetArn`, `datasetGroupArn`, `datasetType`, `schemaArn` (absent for streamed events),
    `ingestionMode`, `roleArn`, `path`.
    """
    arn = operation.free_arn(f"dataset-export-job/{request['jobName']}")
    dataset = operation.find_usable(DATASET, request["datasetArn"])
    path = check_output(request["jobOutput"]["s3DataDestination"]["path"], "jobOutput.s3DataDestination.path")
    attributes = {
        **given(request, "datasetArn", "roleArn", "jobOutput"),
        "ingestionMode": request.get("ingestionMode", "PUT"),
    }
    operation.create(
        EXPORT_JOB,
        arn,
        request["jobName"],
        attributes,
        parent=dataset.arn,
        uses={"datasetArn": dataset.arn},
        tags=request.get("tags", ()),
        job=JobKind.EXPORT,
        payload={
            **given(dataset.attributes, "datasetGroupArn", "datasetType", "schemaArn"),
            **given(attributes, "datasetArn", "ingestionMode", "roleArn"),
            "path": path,
        },
    )
    return {EXPORT_JOB.arn_member: arn}


def describe_dataset_export_job(operation: Operation, request: Request) -> Answer:
    """One export job."""
    return operation.describe(EXPORT_JOB, request)


def list_dataset_export_jobs(operation: Operation, request: Request) -> Answer:
    """The caller's export jobs, or those of one dataset."""
    return operation.list(EXPORT_JOB, request)


OPERATIONS = (create_dataset_export_job, describe_dataset_export_job, list_dataset_export_jobs)
