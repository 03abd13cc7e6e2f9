"""Dataset import jobs: bulk data from CSV files."""

from __future__ import annotations

from matinee.control import datasets, quotas, records, states
from matinee.control.datasets import DATASET
from matinee.control.kind import Answer, Kind, Request, given, members
from matinee.control.locations import check_location
from matinee.control.operation import Operation
from matinee.control.outbox import JobKind
from matinee.errors import InvalidInput, ResourceInUse

IMPORT_JOB = Kind(
    word="dataset-import-job",
    member="datasetImportJob",
    plural="datasetImportJobs",
    described=members(
        "jobName datasetImportJobArn datasetArn dataSource roleArn status failureReason importMode "
        "publishAttributionMetricsToS3"
    ),
    summarised=members("datasetImportJobArn jobName status failureReason importMode"),
    within="datasetArn",
    named="jobName",
)


def create_dataset_import_job(operation: Operation, request: Request) -> Answer:
    """Read CSV files into a dataset: FULL replaces what was imported before, INCREMENTAL adds to it.

    The job's payload: `datasetArn`, `datasetGroupArn`, `datasetType`, `schemaArn`, `dataLocation`, `importMode`,
    `roleArn`, `publishAttributionMetricsToS3`, and `prefix`, the folder for the Parquet part.
    """
    arn = operation.free_arn(f"dataset-import-job/{request['jobName']}")
    dataset = operation.find_usable(DATASET, request["datasetArn"])
    if dataset["datasetType"] == datasets.EVENT_INTERACTIONS:
        raise InvalidInput(f"{dataset.arn} holds streamed events; import into the group's INTERACTIONS dataset.")
    location = check_location(request["dataSource"].get("dataLocation"), "dataSource.dataLocation")
    mode = request.get("importMode", "FULL")
    if mode == "INCREMENTAL":
        _require_full_import(operation, dataset.arn)
    operation.leave_room(quotas.IMPORT_JOBS)
    attributes = {
        **given(request, "datasetArn", "dataSource", "roleArn"),
        "importMode": mode,
        "publishAttributionMetricsToS3": request.get("publishAttributionMetricsToS3", False),
    }
    operation.create(
        IMPORT_JOB,
        arn,
        request["jobName"],
        attributes,
        parent=dataset.arn,
        uses={"datasetArn": dataset.arn, "datasetGroupArn": dataset["datasetGroupArn"]},
        tags=request.get("tags", ()),
        job=JobKind.IMPORT,
        payload={
            **given(dataset.attributes, "datasetGroupArn", "datasetType", "schemaArn"),
            **given(attributes, "datasetArn", "importMode", "roleArn", "publishAttributionMetricsToS3"),
            "dataLocation": location,
            "prefix": datasets.storage_prefix(dataset),
        },
    )
    return {IMPORT_JOB.arn_member: arn}


def describe_dataset_import_job(operation: Operation, request: Request) -> Answer:
    """One import job."""
    return operation.describe(IMPORT_JOB, request)


def list_dataset_import_jobs(operation: Operation, request: Request) -> Answer:
    """The caller's import jobs, or those of one dataset."""
    return operation.list(IMPORT_JOB, request)


def _require_full_import(operation: Operation, dataset_arn: str) -> None:
    """The first import of a dataset must be FULL."""
    earlier = [
        job
        for job in records.children(operation.connection, dataset_arn, IMPORT_JOB.word)
        if job["importMode"] == "FULL" and job.status not in states.FAILED
    ]
    if not earlier:
        raise InvalidInput(
            f"The first import of {dataset_arn} must be FULL: importMode INCREMENTAL adds to an earlier FULL import."
        )
    if all(job.status in states.BUSY for job in earlier):
        raise ResourceInUse(
            f"The first import of {dataset_arn} is in progress. Wait until it is ACTIVE, then import incrementally."
        )


OPERATIONS = (create_dataset_import_job, describe_dataset_import_job, list_dataset_import_jobs)
