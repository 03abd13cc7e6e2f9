"""Datasets: one of each type, domains, replacement of schemas, deletion."""

from __future__ import annotations

import pytest
from tests.unit.control.tenant import ITEMS, Tenant, schema_text

from matinee.control.lifecycle import belongings
from matinee.errors import InvalidInput, ResourceAlreadyExists, ResourceInUse, ResourceNotFound

WIDER = ITEMS.replace('"fields": [', '"fields": [{"name": "RATING", "type": ["null", "float"]}, ')
ACTION_INTERACTIONS = schema_text(
    "ActionInteractions",
    ("USER_ID", "string"),
    ("ACTION_ID", "string"),
    ("EVENT_TYPE", "string"),
    ("TIMESTAMP", "long"),
)


@pytest.fixture
def group(tenant: Tenant) -> str:
    """An ACTIVE custom group."""
    return tenant.group("films")


@pytest.fixture
def items(tenant: Tenant, group: str) -> str:
    """An ACTIVE Items dataset."""
    return tenant.dataset(group, tenant.schema("items", ITEMS), "items")


def test_trap_3_the_arn_comes_from_group_and_type(tenant: Tenant, items: str) -> None:
    assert items == "arn:aws:personalize:us-east-1:123456789012:dataset/films/ITEMS"
    shown = tenant.shown(items)
    assert (shown["datasetType"], shown["status"], shown["name"]) == ("ITEMS", "ACTIVE", "items")
    assert "latestDatasetUpdate" not in shown
    assert "trackingId" not in shown


def test_one_dataset_of_a_type_in_a_group(tenant: Tenant, group: str, items: str) -> None:
    with pytest.raises(ResourceAlreadyExists, match=f"Another resource with Arn {items} already exists."):
        tenant.create_dataset(
            name="other", datasetGroupArn=group, schemaArn=tenant.schema("i2", ITEMS), datasetType="ITEMS"
        )


def test_an_unknown_type_is_refused(tenant: Tenant, group: str) -> None:
    with pytest.raises(InvalidInput, match="datasetType 'Ratings' is not known"):
        tenant.create_dataset(name="x", datasetGroupArn=group, schemaArn=tenant.schema(), datasetType="Ratings")


def test_the_group_must_exist_and_be_active(tenant: Tenant) -> None:
    schema = tenant.schema()
    missing = tenant.caller.arn("dataset-group/none")
    with pytest.raises(ResourceNotFound, match=f"The given dataset group does not exist: {missing}"):
        tenant.create_dataset(name="x", datasetGroupArn=missing, schemaArn=schema, datasetType="Interactions")
    pending = tenant.create_dataset_group(name="new")["datasetGroupArn"]
    with pytest.raises(ResourceInUse, match="status CREATE PENDING"):
        tenant.create_dataset(name="x", datasetGroupArn=pending, schemaArn=schema, datasetType="Interactions")


def test_a_failed_group_cannot_be_used(tenant: Tenant) -> None:
    failed = tenant.create_dataset_group(name="new")["datasetGroupArn"]
    tenant.fail()
    with pytest.raises(InvalidInput, match="status CREATE FAILED"):
        tenant.create_dataset(name="x", datasetGroupArn=failed, schemaArn=tenant.schema(), datasetType="Interactions")


def test_the_schemas_record_must_match_the_type(tenant: Tenant, group: str) -> None:
    with pytest.raises(InvalidInput, match="is for INTERACTIONS datasets, not USERS"):
        tenant.create_dataset(name="x", datasetGroupArn=group, schemaArn=tenant.schema(), datasetType="Users")


@pytest.mark.parametrize(
    ("of_group", "of_schema"),
    [
        ({}, {"domain": "ECOMMERCE"}),
        ({"domain": "ECOMMERCE"}, {}),
        ({"domain": "ECOMMERCE"}, {"domain": "VIDEO_ON_DEMAND"}),
    ],
)
def test_the_domains_must_agree(tenant: Tenant, of_group: dict[str, str], of_schema: dict[str, str]) -> None:
    group = tenant.group("g", **of_group)
    schema = tenant.schema("s", **of_schema)
    with pytest.raises(InvalidInput, match="Use a schema that was created"):
        tenant.create_dataset(name="x", datasetGroupArn=group, schemaArn=schema, datasetType="Interactions")


def test_actions_need_a_custom_group(tenant: Tenant) -> None:
    group = tenant.group("g", domain="ECOMMERCE")
    schema = tenant.schema("s", ACTION_INTERACTIONS)
    with pytest.raises(InvalidInput, match="ACTION_INTERACTIONS datasets need a custom group"):
        tenant.create_dataset(name="x", datasetGroupArn=group, schemaArn=schema, datasetType="Action_Interactions")


def test_an_action_interactions_dataset_has_a_tracking_id(tenant: Tenant, group: str) -> None:
    arn = tenant.dataset(group, tenant.schema("s", ACTION_INTERACTIONS), "Action_Interactions")
    assert len(tenant.shown(arn)["trackingId"]) == 36


def test_replacing_a_schema_shows_in_both_statuses(tenant: Tenant, items: str) -> None:
    wider = tenant.schema("wider", WIDER)
    tenant.update_dataset(datasetArn=items, schemaArn=wider)
    shown = tenant.shown(items)
    assert (shown["status"], shown["latestDatasetUpdate"]["status"]) == ("UPDATE PENDING", "UPDATE PENDING")
    assert shown["schemaArn"] != wider
    tenant.begin()
    shown = tenant.shown(items)
    assert (shown["status"], shown["latestDatasetUpdate"]["status"]) == ("UPDATE IN_PROGRESS", "UPDATE IN_PROGRESS")
    tenant.work()
    shown = tenant.shown(items)
    assert (shown["status"], shown["latestDatasetUpdate"]["status"]) == ("ACTIVE", "ACTIVE")
    assert shown["schemaArn"] == shown["latestDatasetUpdate"]["schemaArn"] == wider


def test_the_old_schema_is_free_after_the_replacement(tenant: Tenant, items: str) -> None:
    old, wider = tenant.shown(items)["schemaArn"], tenant.schema("wider", WIDER)
    tenant.update_dataset(datasetArn=items, schemaArn=wider)
    for held in (old, wider):
        with pytest.raises(ResourceInUse):
            tenant.delete_schema(schemaArn=held)
    tenant.work()
    tenant.delete_schema(schemaArn=old)
    with pytest.raises(ResourceInUse):
        tenant.delete_schema(schemaArn=wider)


def test_a_failed_replacement_keeps_the_schema(tenant: Tenant, items: str) -> None:
    old = tenant.shown(items)["schemaArn"]
    tenant.update_dataset(datasetArn=items, schemaArn=tenant.schema("wider", WIDER))
    tenant.fail("No room.")
    shown = tenant.shown(items)
    assert (shown["status"], shown["schemaArn"]) == ("ACTIVE", old)
    assert shown["latestDatasetUpdate"]["failureReason"] == "No room."


def test_the_same_schema_changes_nothing(tenant: Tenant, items: str) -> None:
    with pytest.raises(InvalidInput, match=r"has the schema .* already"):
        tenant.update_dataset(datasetArn=items, schemaArn=tenant.shown(items)["schemaArn"])


def test_a_second_replacement_must_wait(tenant: Tenant, items: str) -> None:
    wider = tenant.schema("wider", WIDER)
    tenant.update_dataset(datasetArn=items, schemaArn=wider)
    with pytest.raises(ResourceInUse, match="UPDATE PENDING"):
        tenant.update_dataset(datasetArn=items, schemaArn=wider)


def test_a_replacement_must_keep_every_field(tenant: Tenant, items: str) -> None:
    narrower = tenant.schema("narrower", schema_text("Items", ("ITEM_ID", "string"), ("PRICE", "float")))
    with pytest.raises(InvalidInput, match="lacks field GENRES"):
        tenant.update_dataset(datasetArn=items, schemaArn=narrower)


def test_the_schema_of_interactions_cannot_be_replaced(tenant: Tenant, group: str) -> None:
    dataset = tenant.dataset(group, tenant.schema())
    with pytest.raises(InvalidInput, match="only Items and Users can"):
        tenant.update_dataset(datasetArn=dataset, schemaArn=tenant.schema("s2"))


def test_an_import_must_end_before_a_replacement(tenant: Tenant, items: str) -> None:
    tenant.create_dataset_import_job(jobName="j", datasetArn=items, dataSource={"dataLocation": "s3://b/k.csv"})
    with pytest.raises(ResourceInUse, match="is importing into"):
        tenant.update_dataset(datasetArn=items, schemaArn=tenant.schema("wider", WIDER))


def test_a_dataset_cannot_go_while_an_import_runs(tenant: Tenant, items: str) -> None:
    tenant.create_dataset_import_job(jobName="j", datasetArn=items, dataSource={"dataLocation": "s3://b/k.csv"})
    with pytest.raises(ResourceInUse, match=r"cannot be deleted while .*dataset-import-job/j is in progress"):
        tenant.delete_dataset(datasetArn=items)


def test_a_dataset_cannot_go_while_a_version_of_its_group_is_trained(tenant: Tenant, group: str, items: str) -> None:
    solution = tenant.solution(group)
    version = tenant.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    with pytest.raises(ResourceInUse, match=version):
        tenant.delete_dataset(datasetArn=items)


def test_deleting_a_dataset_frees_the_names_of_its_imports(tenant: Tenant, group: str, items: str) -> None:
    job = {"jobName": "j", "datasetArn": items, "dataSource": {"dataLocation": "s3://b/k.csv"}}
    tenant.create_dataset_import_job(**job)
    tenant.work()
    tenant.delete_dataset(datasetArn=items)
    tenant.work()
    assert tenant.list_dataset_import_jobs() == {"datasetImportJobs": []}
    assert tenant.dataset(group, tenant.caller.arn("schema/items"), "Items") == items
    tenant.create_dataset_import_job(**job)


def test_the_objects_of_a_dataset_are_named_for_its_deletion(tenant: Tenant, items: str) -> None:
    with tenant.database.read() as connection:
        assert belongings(connection, items) == ("datasets/123456789012/us-east-1/films/ITEMS",)


def test_lists_are_narrowed_by_group(tenant: Tenant, items: str) -> None:
    other = tenant.group("books")
    assert tenant.list_datasets(datasetGroupArn=other) == {"datasets": []}
    (summary,) = tenant.list_datasets()["datasets"]
    assert set(summary) == {"name", "datasetArn", "datasetType", "status", "creationDateTime", "lastUpdatedDateTime"}
