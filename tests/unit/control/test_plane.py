"""The plane as a whole: every operation is there, tenants do not see each other, a refusal changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.control import shapes
from tests.unit.control.tenant import ITEMS, ROLE, V2, Tenant

from matinee.errors import InvalidInput, ResourceNotFound


def test_every_operation_of_the_model_has_a_handler(tenant: Tenant) -> None:
    assert set(tenant.plane.operations()) == set(shapes.service().operation_names)
    assert len(tenant.plane.operations()) == 71


def furnish(tenant: Tenant) -> dict[str, str]:
    """One resource of every kind but recommenders; member of the ARN to ARN."""
    group = tenant.group("films")
    schema = tenant.schema("items", ITEMS)
    dataset = tenant.dataset(group, schema, "Items")
    tenant.dataset(group, tenant.schema())
    source, target = {"dataLocation": "s3://b/k.csv"}, {"s3DataDestination": {"path": "s3://b/out/"}}
    solution = tenant.solution(group)
    version = tenant.version(solution)
    segments = tenant.version(tenant.solution(group, "segments", "arn:aws:personalize:::recipe/aws-item-affinity"))
    batch = {"jobName": "j", "roleArn": ROLE, "jobOutput": target, "jobInput": {"s3DataSource": {"path": "s3://b/i"}}}
    made: dict[str, Any] = {
        "datasetGroupArn": group,
        "schemaArn": schema,
        "datasetArn": dataset,
        "solutionArn": solution,
        "solutionVersionArn": version,
        "campaignArn": tenant.campaign(version),
    }
    for answer in (
        tenant.create_dataset_import_job(jobName="j", datasetArn=dataset, dataSource=source),
        tenant.create_dataset_export_job(jobName="j", datasetArn=dataset, roleArn=ROLE, jobOutput=target),
        tenant.create_data_deletion_job(jobName="j", datasetGroupArn=group, dataSource=source, roleArn=ROLE),
        tenant.create_event_tracker(name="t", datasetGroupArn=group),
        tenant.create_filter(name="f", datasetGroupArn=group, filterExpression="INCLUDE ItemID WHERE Items.PRICE > 0"),
        tenant.create_batch_inference_job(solutionVersionArn=version, **batch),
        tenant.create_batch_segment_job(solutionVersionArn=segments, **batch),
        tenant.create_metric_attribution(
            name="m",
            datasetGroupArn=group,
            metricsOutputConfig={"roleArn": ROLE},
            metrics=[{"eventType": "w", "metricName": "n", "expression": "SAMPLECOUNT()"}],
        ),
    ):
        made.update(answer)
    made.pop("trackingId")
    tenant.work()
    return made


def test_no_tenant_sees_another(tenant: Tenant) -> None:
    made = furnish(tenant)
    strangers = (Tenant(tenant.plane, account="999999999999"), Tenant(tenant.plane, region="eu-west-1"))
    for operation in shapes.service().operation_names:
        shape = shapes.operation(operation).input_shape
        assert shape is not None
        for stranger in strangers:
            if operation.startswith("List") and operation != "ListTagsForResource":
                if operation in ("ListRecipes", "ListMetricAttributionMetrics"):
                    continue
                (listed,) = stranger.call(operation).values()
                assert listed == [], operation
            elif len(shape.required_members) == 1 and shape.required_members[0] in made:
                member = shape.required_members[0]
                with pytest.raises(ResourceNotFound):
                    stranger.call(operation, **{member: made[member]})


def test_every_kind_is_listed_and_described_to_its_owner(tenant: Tenant) -> None:
    made = furnish(tenant)
    for member, arn in made.items():
        shown = tenant.shown(arn)
        assert shown[member] == arn
        assert shown.get("status", "ACTIVE") in ("ACTIVE", "COMPLETED")


def test_the_same_name_can_be_used_in_another_region_and_account(tenant: Tenant) -> None:
    tenant.group("films")
    for other in (Tenant(tenant.plane, account="999999999999"), Tenant(tenant.plane, region="eu-west-1")):
        arn = other.group("films")
        assert (other.caller.account in arn, other.caller.region in arn) == (True, True)


def test_an_arn_of_another_kind_does_not_exist(tenant: Tenant) -> None:
    with pytest.raises(ResourceNotFound):
        tenant.describe_campaign(campaignArn=tenant.group("films"))


def test_another_accounts_resources_cannot_be_used(tenant: Tenant) -> None:
    group = tenant.group("films")
    stranger = Tenant(tenant.plane, account="999999999999")
    with pytest.raises(ResourceNotFound):
        stranger.solution(group, recipe=V2)


def test_a_refusal_changes_nothing(tenant: Tenant) -> None:
    group = tenant.group("films")
    before = tenant.list_datasets(), tenant.list_dataset_groups(), tenant.pending()
    with pytest.raises(InvalidInput):
        tenant.create_dataset(name="d", datasetGroupArn=group, schemaArn=tenant.schema(), datasetType="Users")
    assert (tenant.list_datasets(), tenant.list_dataset_groups(), tenant.pending()) == before
