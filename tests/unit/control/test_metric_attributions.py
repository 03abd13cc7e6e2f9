"""Metric attributions: expressions, one in a group, metrics in pages."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.control.tenant import ITEMS, ROLE, Tenant, schema_text

from matinee.errors import InvalidInput, LimitExceeded, ResourceAlreadyExists, ResourceNotFound

OUTPUT = {"roleArn": ROLE, "s3DataDestination": {"path": "s3://bucket/reports/"}}


def metric(name: str, expression: str = "SAMPLECOUNT()") -> dict[str, str]:
    """One metric over watch events."""
    return {"eventType": "watch", "metricName": name, "expression": expression}


@pytest.fixture
def group(tenant: Tenant) -> str:
    """An ACTIVE group with Interactions and Items."""
    group = tenant.group("films")
    tenant.dataset(group, tenant.schema())
    tenant.dataset(group, tenant.schema("items", ITEMS), "Items")
    return group


def create(tenant: Tenant, group: str, *metrics: dict[str, str], **params: Any) -> str:
    """Make an attribution and wait for it."""
    given = {"name": "a", "datasetGroupArn": group, "metricsOutputConfig": OUTPUT, "metrics": list(metrics), **params}
    arn = str(tenant.create_metric_attribution(**given)["metricAttributionArn"])
    tenant.work()
    return arn


def names(tenant: Tenant, arn: str) -> list[str]:
    """The names of an attribution's metrics."""
    listed = tenant.list_metric_attribution_metrics(metricAttributionArn=arn)
    return [metric["metricName"] for metric in listed["metrics"]]


def test_an_attribution_shows_where_reports_go(tenant: Tenant, group: str) -> None:
    arn = create(tenant, group, metric("watches"), metric("takings", "SUM(Items.PRICE)"))
    shown = tenant.shown(arn)
    assert (shown["status"], shown["metricsOutputConfig"], shown["datasetGroupArn"]) == ("ACTIVE", OUTPUT, group)
    assert names(tenant, arn) == ["watches", "takings"]
    assert len(tenant.list_metric_attributions(datasetGroupArn=group)["metricAttributions"]) == 1


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("AVG(Items.PRICE)", "write SUM"),
        ("SUM(Items.GENRES)", "GENRES is no numeric column of the group's Items dataset"),
        ("SUM(Users.AGE)", "write SUM"),
        ("SUM(Interactions.NOTHING)", "NOTHING is no numeric column"),
    ],
)
def test_an_expression_that_cannot_be_counted_is_refused(
    tenant: Tenant, group: str, expression: str, sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        create(tenant, group, metric("m", expression))


@pytest.mark.parametrize("expression", ["SUM(Interactions.EVENT_VALUE)", "sum(items.price)", "SAMPLECOUNT()"])
def test_expressions_in_use_are_accepted(tenant: Tenant, group: str, expression: str) -> None:
    assert names(tenant, create(tenant, group, metric("m", expression))) == ["m"]


def test_metrics_have_names_of_their_own(tenant: Tenant, group: str) -> None:
    with pytest.raises(InvalidInput, match="'m' is given more than once"):
        create(tenant, group, metric("m"), metric("m"))


def test_there_is_at_least_one_metric(tenant: Tenant, group: str) -> None:
    with pytest.raises(InvalidInput, match="this one would have 0"):
        create(tenant, group)


def test_events_must_have_types(tenant: Tenant) -> None:
    group = tenant.group("plain")
    plain = schema_text("Interactions", ("USER_ID", "string"), ("ITEM_ID", "string"), ("TIMESTAMP", "long"))
    tenant.dataset(group, tenant.schema("plain", plain))
    with pytest.raises(InvalidInput, match="has no EVENT_TYPE column"):
        create(tenant, group, metric("m"))


def test_reports_go_to_a_folder(tenant: Tenant, group: str) -> None:
    with pytest.raises(InvalidInput, match=r"^Invalid S3 output path\."):
        create(
            tenant,
            group,
            metric("m"),
            metricsOutputConfig={"roleArn": ROLE, "s3DataDestination": {"path": "http://x/"}},
        )


def test_one_attribution_in_a_group(tenant: Tenant, group: str) -> None:
    arn = create(tenant, group, metric("m"))
    with pytest.raises(ResourceAlreadyExists, match=arn):
        create(tenant, group, metric("m"))
    with pytest.raises(LimitExceeded, match="More than 1 metric attribution in this dataset group"):
        create(tenant, group, metric("m"), name="b")


def test_metrics_are_added_and_removed(tenant: Tenant, group: str) -> None:
    arn = create(tenant, group, metric("a"), metric("b"))
    before = tenant.shown(arn)["lastUpdatedDateTime"]
    tenant.update_metric_attribution(metricAttributionArn=arn, addMetrics=[metric("c")], removeMetrics=["a"])
    assert names(tenant, arn) == ["b", "c"]
    assert tenant.shown(arn)["lastUpdatedDateTime"] > before


def test_reports_can_go_elsewhere(tenant: Tenant, group: str) -> None:
    arn = create(tenant, group, metric("a"))
    tenant.update_metric_attribution(metricAttributionArn=arn, metricsOutputConfig={"roleArn": ROLE})
    assert tenant.shown(arn)["metricsOutputConfig"] == {"roleArn": ROLE}


def test_updates_that_cannot_be_made(tenant: Tenant, group: str) -> None:
    arn = create(tenant, group, *(metric(f"m{number}") for number in range(10)))
    with pytest.raises(InvalidInput, match="changes nothing"):
        tenant.update_metric_attribution(metricAttributionArn=arn)
    with pytest.raises(InvalidInput, match="has no metric 'x'"):
        tenant.update_metric_attribution(metricAttributionArn=arn, removeMetrics=["x"])
    with pytest.raises(ResourceAlreadyExists, match="has a metric 'm0' already"):
        tenant.update_metric_attribution(metricAttributionArn=arn, addMetrics=[metric("m0")])
    with pytest.raises(InvalidInput, match="this one would have 11"):
        tenant.update_metric_attribution(metricAttributionArn=arn, addMetrics=[metric("x")])
    with pytest.raises(InvalidInput, match="metricAttributionArn is missing"):
        tenant.update_metric_attribution(addMetrics=[metric("x")])


def test_pages_neither_skip_nor_repeat_while_metrics_change(tenant: Tenant, group: str) -> None:
    arn = create(tenant, group, metric("a"), metric("b"), metric("c"))
    first = tenant.list_metric_attribution_metrics(metricAttributionArn=arn, maxResults=2)
    tenant.update_metric_attribution(metricAttributionArn=arn, addMetrics=[metric("d")], removeMetrics=["a"])
    rest = tenant.list_metric_attribution_metrics(metricAttributionArn=arn, nextToken=first["nextToken"])
    assert [m["metricName"] for page in (first, rest) for m in page["metrics"]] == ["a", "b", "c", "d"]


def test_metrics_of_a_missing_attribution_are_not_listed(tenant: Tenant) -> None:
    with pytest.raises(InvalidInput, match="does not exist"):
        tenant.list_metric_attribution_metrics(metricAttributionArn=tenant.caller.arn("metric-attribution/none"))
    with pytest.raises(InvalidInput, match="metricAttributionArn is missing"):
        tenant.list_metric_attribution_metrics()


def test_an_attribution_is_deleted(tenant: Tenant, group: str) -> None:
    arn = create(tenant, group, metric("a"))
    tenant.delete_metric_attribution(metricAttributionArn=arn)
    assert tenant.status(arn) == "DELETE PENDING"
    tenant.work()
    with pytest.raises(ResourceNotFound):
        tenant.describe_metric_attribution(metricAttributionArn=arn)
