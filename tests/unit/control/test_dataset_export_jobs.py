"""Export jobs: members, defaults, refusals."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.control.tenant import ROLE, Tenant

from matinee.control import outbox
from matinee.errors import InvalidInput, ResourceAlreadyExists, ResourceInUse

TARGET = {"s3DataDestination": {"path": "s3://bucket/export/"}}


@pytest.fixture
def dataset(tenant: Tenant) -> str:
    """An ACTIVE dataset."""
    return tenant.dataset(tenant.group("films"), tenant.schema())


def start(tenant: Tenant, dataset: str, **params: Any) -> str:
    """Ask for an export."""
    given = {"jobName": "j", "datasetArn": dataset, "roleArn": ROLE, "jobOutput": TARGET, **params}
    return str(tenant.create_dataset_export_job(**given)["datasetExportJobArn"])


def test_streamed_records_by_default(tenant: Tenant, dataset: str) -> None:
    arn = start(tenant, dataset)
    shown = tenant.shown(arn)
    assert (shown["ingestionMode"], shown["jobOutput"], shown["roleArn"]) == ("PUT", TARGET, ROLE)
    assert shown["status"] == "CREATE PENDING"
    tenant.work()
    assert tenant.status(arn) == "ACTIVE"


def test_the_job_carries_what_its_handler_needs(tenant: Tenant, dataset: str) -> None:
    start(tenant, dataset, ingestionMode="ALL")
    with tenant.database.read() as connection:
        job = outbox.find(connection, tenant.pending()[0])
    assert job is not None
    assert (job.payload["path"], job.payload["ingestionMode"]) == ("s3://bucket/export/", "ALL")
    assert job.payload["datasetType"] == "INTERACTIONS"


def test_an_output_that_cannot_be_written_is_refused(tenant: Tenant, dataset: str) -> None:
    with pytest.raises(InvalidInput, match=r"^Invalid S3 output path\."):
        start(tenant, dataset, jobOutput={"s3DataDestination": {"path": "http://host/"}})


def test_a_job_name_can_be_used_once(tenant: Tenant, dataset: str) -> None:
    arn = start(tenant, dataset)
    with pytest.raises(ResourceAlreadyExists, match=arn):
        start(tenant, dataset)


def test_a_running_export_keeps_its_dataset(tenant: Tenant, dataset: str) -> None:
    arn = start(tenant, dataset)
    with pytest.raises(ResourceInUse, match=arn):
        tenant.delete_dataset(datasetArn=dataset)


def test_lists_are_narrowed_by_dataset(tenant: Tenant, dataset: str) -> None:
    start(tenant, dataset)
    assert len(tenant.list_dataset_export_jobs(datasetArn=dataset)["datasetExportJobs"]) == 1
    other = tenant.caller.arn("dataset/none/ITEMS")
    assert tenant.list_dataset_export_jobs(datasetArn=other) == {"datasetExportJobs": []}
