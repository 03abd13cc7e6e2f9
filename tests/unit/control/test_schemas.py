"""Schemas: no status, verbatim text, refusals."""

from __future__ import annotations

import pytest
from tests.unit.control.tenant import INTERACTIONS, Tenant, schema_text

from matinee.control import records
from matinee.errors import InvalidInput, LimitExceeded, ResourceAlreadyExists, ResourceInUse, ResourceNotFound


def test_a_schema_is_there_at_once_and_verbatim(tenant: Tenant) -> None:
    text = "  " + INTERACTIONS + "\n"
    arn = tenant.schema("s", text)
    shown = tenant.shown(arn)
    assert shown["schema"] == text
    assert set(shown) == {"name", "schemaArn", "schema", "creationDateTime", "lastUpdatedDateTime"}


def test_a_domain_is_shown(tenant: Tenant) -> None:
    arn = tenant.schema("s", domain="VIDEO_ON_DEMAND")
    assert tenant.shown(arn)["domain"] == "VIDEO_ON_DEMAND"
    assert tenant.list_schemas()["schemas"][0]["domain"] == "VIDEO_ON_DEMAND"


def test_a_schema_is_checked_by_the_rules_of_its_domain(tenant: Tenant) -> None:
    plain = schema_text("Interactions", ("USER_ID", "string"), ("ITEM_ID", "string"), ("TIMESTAMP", "long"))
    tenant.schema("custom", plain)
    with pytest.raises(InvalidInput, match="EVENT_TYPE"):
        tenant.schema("domain", plain, domain="ECOMMERCE")


def test_a_name_can_be_used_once(tenant: Tenant) -> None:
    arn = tenant.schema("s")
    with pytest.raises(ResourceAlreadyExists, match=f"Another resource with Arn {arn} already exists."):
        tenant.schema("s")


def test_a_schema_is_gone_at_once(tenant: Tenant) -> None:
    arn = tenant.schema("s")
    tenant.delete_schema(schemaArn=arn)
    with pytest.raises(ResourceNotFound) as refusal:
        tenant.describe_schema(schemaArn=arn)
    assert refusal.value.message == f"Resource Arn {arn} does not exist."


def test_a_schema_in_use_cannot_be_deleted(tenant: Tenant) -> None:
    schema = tenant.schema()
    dataset = tenant.dataset(tenant.group(), schema)
    with pytest.raises(ResourceInUse, match=dataset):
        tenant.delete_schema(schemaArn=schema)


def test_a_dataset_being_deleted_no_longer_holds_its_schema(tenant: Tenant) -> None:
    schema = tenant.schema()
    dataset = tenant.dataset(tenant.group(), schema)
    tenant.delete_dataset(datasetArn=dataset)
    tenant.delete_schema(schemaArn=schema)
    tenant.work()
    assert tenant.list_schemas() == {"schemas": []}


def test_real_quotas_allow_five_hundred_schemas(limited: Tenant) -> None:
    with limited.database.transaction() as connection:
        for number in range(499):
            name = f"s{number}"
            records.insert(
                connection,
                arn=limited.caller.arn(f"schema/{name}"),
                account=limited.caller.account,
                region=limited.caller.region,
                kind="schema",
                name=name,
                parent=None,
                status=None,
                attributes={"schema": INTERACTIONS},
            )
    limited.schema("s499")
    with pytest.raises(LimitExceeded, match="More than 500 schemas"):
        limited.schema("s500")
