"""Metric attribution from beginning to end with boto3: events in, report files in S3 out. Spec 11.1."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.clients.house import ROLE
from tests.clients.lab import Lab, await_that

WINDOW = 900
HEADER = ["METRIC_NAME", "EVENT_TYPE", "VALUE", "MATH_FUNCTION", "EVENT_ATTRIBUTION_SOURCE", "TIMESTAMP"]
#: (metric, event type, function, source, window) to the sum over all files.
Cells = dict[tuple[str, str, str, str, int], float]


@dataclass
class Reports:
    """An attribution of the lab's group, and the bucket that its reports go to."""

    lab: Lab
    bucket: str
    s3_endpoint: str
    arn: str = ""

    def files(self, method: str) -> dict[str, list[list[str]]]:
        """The rows of every report of a method, by the file's name."""
        client = boto3.client("s3", endpoint_url=self.s3_endpoint, region_name="us-east-1")
        found = {}
        for one in client.list_objects_v2(Bucket=self.bucket).get("Contents", ()):
            if f"AggregatedAttributionMetrics - {method} - " in one["Key"]:
                text = client.get_object(Bucket=self.bucket, Key=one["Key"])["Body"].read().decode()
                found[one["Key"]] = list(csv.reader(io.StringIO(text)))
        return found

    def sums(self, method: str) -> Cells:
        """All rows of all files of a method, added up."""
        cells: Cells = {}
        for rows in self.files(method).values():
            assert rows[0] == HEADER
            for metric, kind, value, function, source, begins in rows[1:]:
                key = (metric, kind, function, source, int(begins))
                cells[key] = cells.get(key, 0.0) + float(value)
        return cells


@pytest.fixture
def reports(lab: Lab, bucket: str, s3_endpoint: str) -> Iterator[Reports]:
    """An ACTIVE attribution with three metrics; it is gone after the test, as a group has one at most."""
    made = Reports(lab, bucket, s3_endpoint)
    made.arn = lab.house.create(
        "MetricAttribution",
        datasetGroupArn=lab.group,
        metrics=[
            {"eventType": "click", "metricName": "countClicks", "expression": "SAMPLECOUNT()"},
            {"eventType": "buy", "metricName": "takings", "expression": "SUM(Items.PRICE)"},
            {"eventType": "buy", "metricName": "paid", "expression": "SUM(Interactions.EVENT_VALUE)"},
        ],
        metricsOutputConfig={"roleArn": ROLE, "s3DataDestination": {"path": f"s3://{bucket}/reports/"}},
    )
    yield made
    if not _is_gone(made):
        _delete(made)


def _is_gone(reports: Reports) -> bool:
    try:
        reports.lab.clients.control.describe_metric_attribution(metricAttributionArn=reports.arn)
    except ClientError as error:
        return error.response["Error"]["Code"] == "ResourceNotFoundException"
    return False


def _delete(reports: Reports) -> None:
    reports.lab.clients.control.delete_metric_attribution(metricAttributionArn=reports.arn)
    await_that(lambda: _is_gone(reports))


def _closed(windows_ago: int) -> int:
    """The beginning of a window of which reports tell already: those that ended 15 minutes ago or earlier."""
    return (int(time.time()) // WINDOW - windows_ago) * WINDOW


def test_events_are_counted_by_metric_source_and_window(reports: Reports) -> None:
    lab, begins = reports.lab, _closed(4)
    followed, _ = lab.recommend("u1")
    named = {"metricAttribution": {"eventAttributionSource": "newsletter"}}
    lab.put_event("u1", "i3", "click", begins + 1, recommendationId=followed)
    lab.put_event("u1", "i3", "Click", begins + 2, recommendationId=followed, **named)
    lab.put_event("u1", "i3", "buy", begins + 3, eventValue=7.25, **named)
    lab.put_event("u2", "i4", "buy", begins + 899)
    lab.put_event("u2", "i4", "browse", begins + 4, **named)
    expected: Cells = {
        ("COUNTCLICKS", "CLICK", "samplecount", lab.campaign, begins): 1.0,
        ("COUNTCLICKS", "CLICK", "samplecount", "newsletter", begins): 1.0,
        ("TAKINGS", "BUY", "sum", "newsletter", begins): 3.5,
        ("TAKINGS", "BUY", "sum", "SOURCE_NAME_UNDEFINED", begins): 4.5,
        ("PAID", "BUY", "sum", "newsletter", begins): 7.25,
    }
    await_that(lambda: reports.sums("PutEvents") == expected, lambda: str(reports.sums("PutEvents")))


def test_the_metrics_and_the_attribution_are_read_back(reports: Reports) -> None:
    control = reports.lab.clients.control
    described = control.describe_metric_attribution(metricAttributionArn=reports.arn)["metricAttribution"]
    assert (described["status"], described["datasetGroupArn"]) == ("ACTIVE", reports.lab.group)
    assert described["metricsOutputConfig"]["s3DataDestination"]["path"] == f"s3://{reports.bucket}/reports/"
    pages = control.get_paginator("list_metric_attribution_metrics").paginate(
        metricAttributionArn=reports.arn, PaginationConfig={"PageSize": 2}
    )
    metrics = [(one["metricName"], one["eventType"], one["expression"]) for page in pages for one in page["metrics"]]
    assert metrics == [
        ("countClicks", "click", "SAMPLECOUNT()"),
        ("takings", "buy", "SUM(Items.PRICE)"),
        ("paid", "buy", "SUM(Interactions.EVENT_VALUE)"),
    ]
    (listed,) = control.list_metric_attributions(datasetGroupArn=reports.lab.group)["metricAttributions"]
    assert listed["metricAttributionArn"] == reports.arn


def test_late_events_are_a_further_row_of_their_own_window(reports: Reports) -> None:
    lab, begins = reports.lab, _closed(6)
    lab.put_event("u1", "i3", "click", begins)
    cell = ("COUNTCLICKS", "CLICK", "samplecount", "SOURCE_NAME_UNDEFINED", begins)
    await_that(lambda: reports.sums("PutEvents") == {cell: 1.0}, lambda: str(reports.sums("PutEvents")))
    lab.put_event("u1", "i4", "click", begins + 5)
    lab.put_event("u1", "i5", "click", begins + 6)
    await_that(lambda: reports.sums("PutEvents") == {cell: 3.0}, lambda: str(reports.sums("PutEvents")))
    assert len(reports.files("PutEvents")) >= 2


def test_events_of_two_weeks_ago_and_of_before_the_attribution_do_not_count(lab: Lab, reports: Reports) -> None:
    begins = _closed(5)
    lab.put_event("u1", "i3", "click", time.time() - 15 * 86_400)
    lab.put_event("u1", "i4", "click", begins)
    cell = ("COUNTCLICKS", "CLICK", "samplecount", "SOURCE_NAME_UNDEFINED", begins)
    await_that(lambda: reports.sums("PutEvents") == {cell: 1.0}, lambda: str(reports.sums("PutEvents")))


def test_an_import_writes_its_own_report(reports: Reports, put: Callable[[str, str, bytes], str]) -> None:
    begins = _closed(4)
    lines = ["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE,EVENT_ATTRIBUTION_SOURCE"]
    lines += [f"v{n},i{n % 5 + 1},{begins + n % 900},click,,batch" for n in range(1000)]
    lines += [f"v1,i2,{begins},buy,1.5,batch"]
    place = put(reports.bucket, "in/more.csv", ("\n".join(lines) + "\n").encode())
    reports.lab.house.create(
        "DatasetImportJob",
        datasetArn=reports.lab.interactions,
        dataSource={"dataLocation": place},
        roleArn=ROLE,
        importMode="INCREMENTAL",
        publishAttributionMetricsToS3=True,
    )
    assert reports.sums("INCREMENTAL") == {
        ("COUNTCLICKS", "CLICK", "samplecount", "batch", begins): 1000.0,
        ("TAKINGS", "BUY", "sum", "batch", begins): 2.5,
        ("PAID", "BUY", "sum", "batch", begins): 1.5,
    }


def test_after_its_deletion_another_attribution_begins_at_nothing(reports: Reports) -> None:
    lab, begins = reports.lab, _closed(7)
    lab.put_event("u1", "i3", "click", begins)
    cell = ("COUNTCLICKS", "CLICK", "samplecount", "SOURCE_NAME_UNDEFINED", begins)
    await_that(lambda: reports.sums("PutEvents") == {cell: 1.0}, lambda: str(reports.sums("PutEvents")))
    _delete(reports)
    with pytest.raises(ClientError) as refused:
        lab.clients.control.list_metric_attribution_metrics(metricAttributionArn=reports.arn)
    assert refused.value.response["Error"]["Code"] == "InvalidInputException"
    lab.put_event("u1", "i3", "click", begins + 1)
    reports.arn = lab.house.create(
        "MetricAttribution",
        datasetGroupArn=lab.group,
        metrics=[{"eventType": "click", "metricName": "again", "expression": "SAMPLECOUNT()"}],
        metricsOutputConfig={"roleArn": ROLE, "s3DataDestination": {"path": f"s3://{reports.bucket}/reports/"}},
    )
    lab.put_event("u1", "i3", "click", begins + 2)
    await_that(
        lambda: any(key[0] == "AGAIN" for key in reports.sums("PutEvents")), lambda: str(reports.sums("PutEvents"))
    )
    assert reports.sums("PutEvents")[("AGAIN", *cell[1:])] == 1.0
