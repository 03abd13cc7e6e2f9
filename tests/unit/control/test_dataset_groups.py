"""Dataset groups: states, members, refusals."""

from __future__ import annotations

import pytest
from tests.unit.control.tenant import ROLE, Tenant

from matinee.errors import InvalidInput, LimitExceeded, ResourceAlreadyExists, ResourceInUse, ResourceNotFound

KEY = "arn:aws:kms:us-east-1:123456789012:key/1"


def test_a_group_goes_through_its_states(tenant: Tenant) -> None:
    arn = tenant.create_dataset_group(name="films")["datasetGroupArn"]
    assert arn == "arn:aws:personalize:us-east-1:123456789012:dataset-group/films"
    assert tenant.status(arn) == "CREATE PENDING"
    tenant.begin()
    assert tenant.status(arn) == "CREATE IN_PROGRESS"
    tenant.work()
    assert tenant.status(arn) == "ACTIVE"


def test_times_move_with_each_state(tenant: Tenant) -> None:
    arn = tenant.create_dataset_group(name="films")["datasetGroupArn"]
    first = tenant.shown(arn)
    tenant.work()
    last = tenant.shown(arn)
    assert first["creationDateTime"] == last["creationDateTime"]
    assert last["lastUpdatedDateTime"] > first["lastUpdatedDateTime"]


def test_describe_returns_what_create_was_given(tenant: Tenant) -> None:
    answer = tenant.create_dataset_group(name="films", domain="VIDEO_ON_DEMAND", roleArn=ROLE, kmsKeyArn=KEY)
    assert answer["domain"] == "VIDEO_ON_DEMAND"
    shown = tenant.shown(answer["datasetGroupArn"])
    assert (shown["domain"], shown["roleArn"], shown["kmsKeyArn"]) == ("VIDEO_ON_DEMAND", ROLE, KEY)


def test_a_custom_group_shows_no_domain(tenant: Tenant) -> None:
    assert "domain" not in tenant.create_dataset_group(name="films")


def test_a_summary_lacks_role_and_key(tenant: Tenant) -> None:
    tenant.group("films", roleArn=ROLE, kmsKeyArn=KEY)
    (summary,) = tenant.list_dataset_groups()["datasetGroups"]
    assert set(summary) == {"name", "datasetGroupArn", "status", "creationDateTime", "lastUpdatedDateTime"}


def test_a_key_needs_a_role(tenant: Tenant) -> None:
    with pytest.raises(InvalidInput, match="kmsKeyArn is given without roleArn"):
        tenant.create_dataset_group(name="films", kmsKeyArn=KEY)


def test_a_name_can_be_used_once(tenant: Tenant) -> None:
    arn = tenant.group("films")
    with pytest.raises(ResourceAlreadyExists) as refusal:
        tenant.create_dataset_group(name="films")
    assert refusal.value.message == f"Another resource with Arn {arn} already exists."


def test_a_missing_group_is_named_in_the_recorded_sentence(tenant: Tenant) -> None:
    arn = tenant.caller.arn("dataset-group/none")
    with pytest.raises(ResourceNotFound) as refusal:
        tenant.delete_dataset_group(datasetGroupArn=arn)
    assert refusal.value.message == f"The given dataset group does not exist: {arn}"


def test_real_quotas_allow_five_groups(limited: Tenant) -> None:
    for number in range(5):
        limited.create_dataset_group(name=f"g{number}")
    with pytest.raises(LimitExceeded, match="More than 5 dataset groups"):
        limited.create_dataset_group(name="g5")


def test_quotas_are_generous_by_default(tenant: Tenant) -> None:
    for number in range(6):
        tenant.create_dataset_group(name=f"g{number}")
    assert len(tenant.list_dataset_groups()["datasetGroups"]) == 6


def test_a_group_is_deleted_in_steps_and_its_name_is_free_again(tenant: Tenant) -> None:
    arn = tenant.group("films")
    tenant.delete_dataset_group(datasetGroupArn=arn)
    assert tenant.status(arn) == "DELETE PENDING"
    tenant.begin()
    assert tenant.status(arn) == "DELETE IN_PROGRESS"
    tenant.work()
    with pytest.raises(ResourceNotFound):
        tenant.describe_dataset_group(datasetGroupArn=arn)
    assert tenant.group("films") == arn


def test_a_pending_group_cannot_be_deleted(tenant: Tenant) -> None:
    arn = tenant.create_dataset_group(name="films")["datasetGroupArn"]
    with pytest.raises(ResourceInUse, match="status CREATE PENDING"):
        tenant.delete_dataset_group(datasetGroupArn=arn)


def test_a_group_being_deleted_cannot_be_deleted_again(tenant: Tenant) -> None:
    arn = tenant.group("films")
    tenant.delete_dataset_group(datasetGroupArn=arn)
    with pytest.raises(ResourceInUse, match="already being deleted"):
        tenant.delete_dataset_group(datasetGroupArn=arn)


def test_what_lives_in_a_group_forbids_its_deletion(tenant: Tenant) -> None:
    group = tenant.group("films")
    solution = tenant.solution(group)
    with pytest.raises(ResourceInUse, match=solution):
        tenant.delete_dataset_group(datasetGroupArn=group)


def test_what_is_being_deleted_does_not_forbid_it(tenant: Tenant) -> None:
    group = tenant.group("films")
    solution = tenant.solution(group)
    tenant.delete_solution(solutionArn=solution)
    tenant.delete_dataset_group(datasetGroupArn=group)
    tenant.work()
    assert tenant.list_dataset_groups() == {"datasetGroups": []}
    assert tenant.list_solutions() == {"solutions": []}


def test_a_failed_group_says_why_and_can_be_deleted(tenant: Tenant) -> None:
    arn = tenant.create_dataset_group(name="films")["datasetGroupArn"]
    tenant.fail("The disk is full. Free some space.")
    shown = tenant.shown(arn)
    assert (shown["status"], shown["failureReason"]) == ("CREATE FAILED", "The disk is full. Free some space.")
    tenant.delete_dataset_group(datasetGroupArn=arn)
    tenant.work()
    assert tenant.list_dataset_groups() == {"datasetGroups": []}


def test_a_failed_deletion_gives_the_group_back(tenant: Tenant) -> None:
    arn = tenant.group("films")
    tenant.delete_dataset_group(datasetGroupArn=arn)
    tenant.fail("The store did not answer.")
    assert tenant.shown(arn)["failureReason"] == "The store did not answer."
    tenant.delete_dataset_group(datasetGroupArn=arn)
    tenant.work()
    assert tenant.list_dataset_groups() == {"datasetGroups": []}
