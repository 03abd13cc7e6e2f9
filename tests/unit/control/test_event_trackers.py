"""Event trackers: ids at once, one in a group, the dataset they make."""

from __future__ import annotations

import re

import pytest
from tests.unit.control.tenant import Tenant

from matinee.errors import InvalidInput, LimitExceeded, ResourceAlreadyExists, ResourceInUse


@pytest.fixture
def group(tenant: Tenant) -> str:
    """An ACTIVE group."""
    return tenant.group("films")


def test_the_tracking_id_is_there_at_once(tenant: Tenant, group: str) -> None:
    answer = tenant.create_event_tracker(name="t", datasetGroupArn=group)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer["trackingId"])
    assert re.fullmatch(
        r"arn:aws:personalize:us-east-1:123456789012:event-tracker/[0-9a-f]{8}", answer["eventTrackerArn"]
    )
    shown = tenant.shown(answer["eventTrackerArn"])
    assert (shown["trackingId"], shown["accountId"]) == (answer["trackingId"], "123456789012")
    assert shown["status"] == "CREATE PENDING"


def test_a_summary_has_no_tracking_id(tenant: Tenant, group: str) -> None:
    tenant.create_event_tracker(name="t", datasetGroupArn=group)
    (summary,) = tenant.list_event_trackers(datasetGroupArn=group)["eventTrackers"]
    assert set(summary) == {"name", "eventTrackerArn", "status", "creationDateTime", "lastUpdatedDateTime"}


def test_a_tracker_makes_a_dataset_for_its_events(tenant: Tenant, group: str) -> None:
    tenant.create_event_tracker(name="t", datasetGroupArn=group)
    tenant.work()
    (dataset,) = tenant.list_datasets(datasetGroupArn=group)["datasets"]
    assert dataset["datasetArn"].endswith("dataset/films/EVENT_INTERACTIONS")
    assert (dataset["datasetType"], dataset["status"]) == ("EVENT_INTERACTIONS", "ACTIVE")
    with pytest.raises(InvalidInput, match="no schema to replace"):
        tenant.update_dataset(datasetArn=dataset["datasetArn"], schemaArn=tenant.schema())


def test_one_tracker_in_a_group(tenant: Tenant, group: str) -> None:
    tenant.create_event_tracker(name="t", datasetGroupArn=group)
    with pytest.raises(LimitExceeded, match="More than 1 event tracker in this dataset group"):
        tenant.create_event_tracker(name="u", datasetGroupArn=group)


def test_a_name_can_be_used_once(tenant: Tenant, group: str) -> None:
    arn = tenant.create_event_tracker(name="t", datasetGroupArn=group)["eventTrackerArn"]
    with pytest.raises(ResourceAlreadyExists, match=f"Another resource with Arn {arn} already exists."):
        tenant.create_event_tracker(name="t", datasetGroupArn=tenant.group("books"))


def test_the_dataset_outlives_its_tracker_and_serves_the_next(tenant: Tenant, group: str) -> None:
    arn = tenant.create_event_tracker(name="t", datasetGroupArn=group)["eventTrackerArn"]
    tenant.work()
    tenant.delete_event_tracker(eventTrackerArn=arn)
    tenant.work()
    assert tenant.list_event_trackers() == {"eventTrackers": []}
    tenant.create_event_tracker(name="t", datasetGroupArn=group)
    assert len(tenant.list_datasets(datasetGroupArn=group)["datasets"]) == 1


def test_a_new_tracker_waits_until_the_old_dataset_is_gone(tenant: Tenant, group: str) -> None:
    arn = tenant.create_event_tracker(name="t", datasetGroupArn=group)["eventTrackerArn"]
    tenant.work()
    tenant.delete_event_tracker(eventTrackerArn=arn)
    tenant.delete_dataset(datasetArn=tenant.caller.arn("dataset/films/EVENT_INTERACTIONS"))
    with pytest.raises(ResourceInUse, match="Wait until it is gone"):
        tenant.create_event_tracker(name="u", datasetGroupArn=group)


def test_a_tracker_forbids_the_deletion_of_its_group(tenant: Tenant, group: str) -> None:
    arn = tenant.create_event_tracker(name="t", datasetGroupArn=group)["eventTrackerArn"]
    tenant.work()
    with pytest.raises(ResourceInUse, match=arn):
        tenant.delete_dataset_group(datasetGroupArn=group)
