"""Import jobs: members, modes, quota, payload."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.control.tenant import ROLE, Tenant

from matinee.control import outbox
from matinee.errors import InvalidInput, LimitExceeded, ResourceAlreadyExists, ResourceInUse


@pytest.fixture
def dataset(tenant: Tenant) -> str:
    """An ACTIVE Interactions dataset."""
    return tenant.dataset(tenant.group("films"), tenant.schema())


def start(tenant: Tenant, dataset: str, name: str = "j", **params: Any) -> str:
    """Ask for an import."""
    source = {"dataLocation": "s3://bucket/events.csv"}
    answer = tenant.create_dataset_import_job(
        **{"jobName": name, "datasetArn": dataset, "dataSource": source, **params}
    )
    return str(answer["datasetImportJobArn"])


def test_describe_returns_what_create_was_given(tenant: Tenant, dataset: str) -> None:
    arn = start(tenant, dataset, roleArn=ROLE, publishAttributionMetricsToS3=True)
    shown = tenant.shown(arn)
    assert shown["dataSource"] == {"dataLocation": "s3://bucket/events.csv"}
    assert (shown["roleArn"], shown["importMode"], shown["publishAttributionMetricsToS3"]) == (ROLE, "FULL", True)
    assert (shown["jobName"], shown["status"]) == ("j", "CREATE PENDING")


def test_a_job_runs_through_its_states(tenant: Tenant, dataset: str) -> None:
    arn = start(tenant, dataset)
    tenant.begin()
    assert tenant.status(arn) == "CREATE IN_PROGRESS"
    tenant.work()
    assert tenant.status(arn) == "ACTIVE"


def test_a_failed_job_says_why_in_describe_and_list(tenant: Tenant, dataset: str) -> None:
    arn = start(tenant, dataset)
    tenant.fail("Input CSV is missing the following columns: [ITEM_ID].")
    assert tenant.shown(arn)["status"] == "CREATE FAILED"
    (summary,) = tenant.list_dataset_import_jobs(datasetArn=dataset)["datasetImportJobs"]
    assert summary["failureReason"] == "Input CSV is missing the following columns: [ITEM_ID]."


def test_the_job_carries_what_its_handler_needs(tenant: Tenant, dataset: str) -> None:
    start(tenant, dataset)
    with tenant.database.read() as connection:
        job = outbox.find(connection, tenant.pending()[0])
    assert job is not None
    assert job.payload == {
        "datasetArn": dataset,
        "datasetGroupArn": tenant.caller.arn("dataset-group/films"),
        "datasetType": "INTERACTIONS",
        "schemaArn": tenant.caller.arn("schema/interactions"),
        "dataLocation": "s3://bucket/events.csv",
        "importMode": "FULL",
        "publishAttributionMetricsToS3": False,
        "prefix": "datasets/123456789012/us-east-1/films/INTERACTIONS",
    }


@pytest.mark.parametrize("location", ["http://host/file.csv", "s3://", "file://data.csv"])
def test_a_location_that_cannot_be_read_is_refused(tenant: Tenant, dataset: str, location: str) -> None:
    with pytest.raises(InvalidInput, match=r"^Invalid Data location\. dataSource\.dataLocation must name"):
        start(tenant, dataset, dataSource={"dataLocation": location})


def test_a_location_must_be_given(tenant: Tenant, dataset: str) -> None:
    with pytest.raises(InvalidInput, match=r"^Invalid Data location\."):
        start(tenant, dataset, dataSource={})


@pytest.mark.parametrize("location", ["s3://b/p/", "s3://b/prefix", "s3://b", "file:///data/events.csv"])
def test_files_folders_and_prefixes_are_accepted(tenant: Tenant, dataset: str, location: str) -> None:
    arn = start(tenant, dataset, dataSource={"dataLocation": location})
    assert tenant.shown(arn)["dataSource"] == {"dataLocation": location}


def test_the_first_import_must_be_full(tenant: Tenant, dataset: str) -> None:
    with pytest.raises(InvalidInput, match="must be FULL"):
        start(tenant, dataset, importMode="INCREMENTAL")


def test_an_incremental_import_waits_for_the_first_full_one(tenant: Tenant, dataset: str) -> None:
    start(tenant, dataset)
    with pytest.raises(ResourceInUse, match="Wait until it is ACTIVE"):
        start(tenant, dataset, "k", importMode="INCREMENTAL")
    tenant.work()
    arn = start(tenant, dataset, "k", importMode="INCREMENTAL")
    assert tenant.shown(arn)["importMode"] == "INCREMENTAL"


def test_a_full_import_that_failed_does_not_count(tenant: Tenant, dataset: str) -> None:
    start(tenant, dataset)
    tenant.fail()
    with pytest.raises(InvalidInput, match="must be FULL"):
        start(tenant, dataset, "k", importMode="INCREMENTAL")


def test_a_job_name_can_be_used_once(tenant: Tenant, dataset: str) -> None:
    arn = start(tenant, dataset)
    with pytest.raises(ResourceAlreadyExists, match=arn):
        start(tenant, dataset)


def test_the_dataset_must_be_active(tenant: Tenant) -> None:
    group = tenant.group()
    pending = tenant.create_dataset(
        name="d", datasetGroupArn=group, schemaArn=tenant.schema(), datasetType="Interactions"
    )["datasetArn"]
    with pytest.raises(ResourceInUse, match="CREATE PENDING"):
        start(tenant, pending)


def test_real_quotas_allow_five_unfinished_jobs(limited: Tenant) -> None:
    dataset = limited.dataset(limited.group(), limited.schema())
    for number in range(5):
        start(limited, dataset, f"j{number}")
    with pytest.raises(LimitExceeded) as refusal:
        start(limited, dataset, "j5")
    assert refusal.value.message == "More than 5 resources with PENDING or IN_PROGRESS status."
    limited.work()
    start(limited, dataset, "j5")


def test_streamed_events_are_not_imported(tenant: Tenant, dataset: str) -> None:
    group = tenant.caller.arn("dataset-group/films")
    tenant.create_event_tracker(name="t", datasetGroupArn=group)
    tenant.work()
    with pytest.raises(InvalidInput, match="holds streamed events"):
        start(tenant, tenant.caller.arn("dataset/films/EVENT_INTERACTIONS"))
