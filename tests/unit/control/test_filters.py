"""Filters: checked at creation against the group's schemas."""

from __future__ import annotations

import pytest
from tests.unit.control.tenant import ITEMS, ROLE, Tenant

from matinee.errors import InvalidInput, LimitExceeded, ResourceAlreadyExists, ResourceInUse

WATCHED = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'
CHEAP = "INCLUDE ItemID WHERE Items.PRICE < $MOST"


@pytest.fixture
def group(tenant: Tenant) -> str:
    """An ACTIVE group with Interactions and Items."""
    return with_datasets(tenant)


def with_datasets(tenant: Tenant) -> str:
    """An ACTIVE group with Interactions and Items."""
    group = tenant.group("films")
    tenant.dataset(group, tenant.schema())
    tenant.dataset(group, tenant.schema("items", ITEMS), "Items")
    return group


def test_a_filter_is_kept_as_it_was_written(tenant: Tenant, group: str) -> None:
    text = "  " + WATCHED.lower().replace("itemid", "itemId") + " "
    arn = tenant.create_filter(name="f", datasetGroupArn=group, filterExpression=text)["filterArn"]
    assert tenant.status(arn) == "CREATE PENDING"
    tenant.work()
    shown = tenant.shown(arn)
    assert (shown["status"], shown["filterExpression"], shown["datasetGroupArn"]) == ("ACTIVE", text, group)


def test_the_list_has_a_capital_and_no_expressions(tenant: Tenant, group: str) -> None:
    tenant.create_filter(name="f", datasetGroupArn=group, filterExpression=CHEAP)
    (summary,) = tenant.list_filters(datasetGroupArn=group)["Filters"]
    assert "filterExpression" not in summary


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("INCLUDE ItemID WHERE", "Invalid Expression"),
        ("INCLUDE ItemID WHERE Items.COLOUR IN ($C)", "COLOUR"),
        (
            "EXCLUDE ItemID WHERE Items.GENRES NOT IN ($param)",
            r"Invalid input symbol: \$param\. Placeholders are not allowed with NOT_IN operator\.",
        ),
    ],
)
def test_an_expression_that_does_not_fit_is_refused(tenant: Tenant, group: str, expression: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        tenant.create_filter(name="f", datasetGroupArn=group, filterExpression=expression)


def test_a_pending_group_takes_no_filters(tenant: Tenant) -> None:
    group = tenant.create_dataset_group(name="films")["datasetGroupArn"]
    with pytest.raises(InvalidInput, match="status CREATE PENDING"):
        tenant.create_filter(name="f", datasetGroupArn=group, filterExpression=CHEAP)


def test_a_name_can_be_used_once(tenant: Tenant, group: str) -> None:
    arn = tenant.create_filter(name="f", datasetGroupArn=group, filterExpression=CHEAP)["filterArn"]
    with pytest.raises(ResourceAlreadyExists, match=arn):
        tenant.create_filter(name="f", datasetGroupArn=group, filterExpression=WATCHED)


def test_a_batch_job_keeps_its_filter(tenant: Tenant, group: str) -> None:
    arn = tenant.create_filter(name="f", datasetGroupArn=group, filterExpression=CHEAP)["filterArn"]
    version = tenant.version(tenant.solution(group))
    job = tenant.create_batch_inference_job(
        jobName="j",
        solutionVersionArn=version,
        filterArn=arn,
        jobInput={"s3DataSource": {"path": "s3://b/in.json"}},
        jobOutput={"s3DataDestination": {"path": "s3://b/out/"}},
        roleArn=ROLE,
    )["batchInferenceJobArn"]
    with pytest.raises(ResourceInUse, match=f"while {job} is in progress"):
        tenant.delete_filter(filterArn=arn)
    tenant.work()
    tenant.delete_filter(filterArn=arn)
    tenant.work()
    assert tenant.list_filters() == {"Filters": []}


def test_a_filter_goes_with_its_group(tenant: Tenant) -> None:
    group = with_datasets(tenant)
    tenant.create_filter(name="f", datasetGroupArn=group, filterExpression=CHEAP)
    tenant.work()
    for dataset in tenant.list_datasets()["datasets"]:
        tenant.delete_dataset(datasetArn=dataset["datasetArn"])
    tenant.delete_dataset_group(datasetGroupArn=group)
    tenant.work()
    assert tenant.list_filters() == {"Filters": []}


def test_real_quotas_allow_thirty_filters(limited: Tenant) -> None:
    group = with_datasets(limited)
    for number in range(30):
        limited.create_filter(name=f"f{number}", datasetGroupArn=group, filterExpression=CHEAP)
    with pytest.raises(LimitExceeded, match="More than 30 filters in this dataset group"):
        limited.create_filter(name="f30", datasetGroupArn=group, filterExpression=CHEAP)


def test_real_quotas_allow_twenty_fields_in_all_filters(limited: Tenant) -> None:
    group = limited.group("films")
    columns = ", ".join(f'{{"name": "C{n}", "type": "float"}}' for n in range(21))
    text = f'{{"type": "record", "name": "Items", "fields": [{{"name": "ITEM_ID", "type": "string"}}, {columns}]}}'
    limited.dataset(group, limited.schema("items", text), "Items")
    for number in range(20):
        expression = f"INCLUDE ItemID WHERE Items.C{number} > 0"
        limited.create_filter(name=f"f{number}", datasetGroupArn=group, filterExpression=expression)
    limited.create_filter(name="again", datasetGroupArn=group, filterExpression="INCLUDE ItemID WHERE Items.c3 < 9")
    with pytest.raises(LimitExceeded, match="would name 21 distinct fields; 20 are allowed"):
        limited.create_filter(name="f20", datasetGroupArn=group, filterExpression="INCLUDE ItemID WHERE Items.C20 > 0")
