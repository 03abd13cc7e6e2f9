"""Metric attributions: what is counted over the events that recommendations led to. One for each group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matinee.control import quotas, records
from matinee.control.dataset_groups import DATASET_GROUP
from matinee.control.datasets import schemas_of_group
from matinee.control.kind import Answer, Kind, Request, given, members
from matinee.control.locations import check_output
from matinee.control.metric_expressions import parse
from matinee.control.operation import Operation
from matinee.control.paging import paged
from matinee.control.records import Resource, now_ms
from matinee.data.schemas import Schema
from matinee.errors import InvalidInput, ResourceAlreadyExists

METRIC_ATTRIBUTION = Kind(
    word="metric-attribution",
    member="metricAttribution",
    plural="metricAttributions",
    described=members("name metricAttributionArn datasetGroupArn metricsOutputConfig status failureReason"),
    summarised=members("name metricAttributionArn status failureReason"),
    within="datasetGroupArn",
)

MOST_METRICS = 10
_NUMBERS = ("int", "long", "float", "double")

Metric = Mapping[str, Any]


def create_metric_attribution(operation: Operation, request: Request) -> Answer:
    """Count from now on. The metrics are kept in the resource's private part, each with a number of its own and the
    moment from which on it counts."""
    arn = operation.free_arn(f"metric-attribution/{request['name']}")
    group = operation.find_usable(DATASET_GROUP, request["datasetGroupArn"])
    _check_destination(request["metricsOutputConfig"])
    metrics = _numbered(request["metrics"], first=1)
    _check_metrics(metrics, schemas_of_group(operation, group.arn))
    operation.leave_room(quotas.METRIC_ATTRIBUTIONS, group.arn)
    attribution = operation.create(
        METRIC_ATTRIBUTION,
        arn,
        request["name"],
        given(request, "datasetGroupArn", "metricsOutputConfig"),
        parent=group.arn,
        uses={"datasetGroupArn": group.arn},
    )
    records.change(operation.connection, attribution, private={"metrics": metrics})
    return {METRIC_ATTRIBUTION.arn_member: arn}


def describe_metric_attribution(operation: Operation, request: Request) -> Answer:
    """One attribution; its metrics are read with ListMetricAttributionMetrics."""
    return operation.describe(METRIC_ATTRIBUTION, request)


def list_metric_attributions(operation: Operation, request: Request) -> Answer:
    """The caller's attributions, or that of one group."""
    return operation.list(METRIC_ATTRIBUTION, request)


def list_metric_attribution_metrics(operation: Operation, request: Request) -> Answer:
    """The metrics of an attribution, in the order in which they were added."""
    named = request.get("metricAttributionArn")
    if named is None:
        raise InvalidInput("metricAttributionArn is missing. Name the metric attribution whose metrics to list.")
    attribution = records.find(operation.connection, named)
    if attribution is None or not _owned(operation, attribution):
        # The operation declares no ResourceNotFoundException.
        raise InvalidInput(METRIC_ATTRIBUTION.missing.format(arn=named))
    metrics: list[Metric] = attribution.private["metrics"]
    page, following = paged(
        operation.listing("metrics", named),
        request,
        lambda after, limit: [metric for metric in metrics if metric["number"] > after][:limit],
        lambda metric: int(metric["number"]),
        most=MOST_METRICS,
    )
    return {"metrics": [given(metric, "eventType", "metricName", "expression") for metric in page], **following}


def update_metric_attribution(operation: Operation, request: Request) -> Answer:
    """Add and remove metrics or change where reports go, at once."""
    named = request.get("metricAttributionArn")
    if named is None:
        raise InvalidInput("metricAttributionArn is missing. Name the metric attribution to update.")
    attribution = operation.find_usable(METRIC_ATTRIBUTION, named)
    config = request.get("metricsOutputConfig", attribution["metricsOutputConfig"])
    _check_destination(config)
    metrics = _changed(attribution, request.get("addMetrics", ()), request.get("removeMetrics", ()))
    if metrics == attribution.private["metrics"] and config == attribution["metricsOutputConfig"]:
        raise InvalidInput(
            f"The update of {attribution.arn} changes nothing. Give addMetrics, removeMetrics or a metricsOutputConfig "
            "that differs from the present one."
        )
    _check_metrics(metrics, schemas_of_group(operation, attribution["datasetGroupArn"]))
    records.change(
        operation.connection,
        attribution,
        attributes={**attribution.attributes, "metricsOutputConfig": config},
        private={**attribution.private, "metrics": metrics},
    )
    return {METRIC_ATTRIBUTION.arn_member: attribution.arn}


def delete_metric_attribution(operation: Operation, request: Request) -> Answer:
    """Stop counting."""
    return operation.delete(METRIC_ATTRIBUTION, request)


def _owned(operation: Operation, resource: Resource) -> bool:
    owner = (operation.caller.account, operation.caller.region, METRIC_ATTRIBUTION.word)
    return (resource.account, resource.region, resource.kind) == owner


def _numbered(metrics: Sequence[Metric], first: int) -> list[Metric]:
    now = now_ms()
    return [{**metric, "number": number, "since": now} for number, metric in enumerate(metrics, start=first)]


def _changed(attribution: Resource, added: Sequence[Metric], removed: Sequence[str]) -> list[Metric]:
    """The metrics after an update: those removed taken out, those added at the end."""
    present: list[Metric] = attribution.private["metrics"]
    names = {metric["metricName"] for metric in present}
    for name in removed:
        if name not in names:
            raise InvalidInput(f"removeMetrics: {attribution.arn} has no metric {name!r}.")
    kept = [metric for metric in present if metric["metricName"] not in removed]
    for metric in added:
        if metric["metricName"] in {other["metricName"] for other in kept}:
            raise ResourceAlreadyExists(f"addMetrics: {attribution.arn} has a metric {metric['metricName']!r} already.")
    return [*kept, *_numbered(added, first=max((metric["number"] for metric in present), default=0) + 1)]


def _check_metrics(metrics: Sequence[Metric], schemas: Mapping[str, Schema]) -> None:
    """1 to 10 metrics with names of their own, each over a numeric column or a plain count."""
    if not 1 <= len(metrics) <= MOST_METRICS:
        raise InvalidInput(f"A metric attribution has 1 to {MOST_METRICS} metrics; this one would have {len(metrics)}.")
    names = [metric["metricName"] for metric in metrics]
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise InvalidInput(f"The metricName {repeated[0]!r} is given more than once. Give each metric its own name.")
    interactions = schemas.get("INTERACTIONS")
    if interactions is not None and interactions.get("EVENT_TYPE") is None:
        raise InvalidInput("The Interactions schema has no EVENT_TYPE column, by which metrics are counted.")
    for metric in metrics:
        _check_expression(metric["expression"], schemas)


def _check_expression(expression: str, schemas: Mapping[str, Schema]) -> None:
    parsed = parse(expression)
    if parsed is None:
        raise InvalidInput(
            f"The expression {expression!r} is not valid: write SUM(Items.COLUMN), SUM(Interactions.COLUMN) or "
            "SAMPLECOUNT()."
        )
    if parsed.dataset is None or parsed.column is None:
        return
    schema = schemas.get(parsed.dataset)
    field = None if schema is None else schema.get(parsed.column.upper()) or schema.get(parsed.column)
    if field is None or field.type not in _NUMBERS:
        raise InvalidInput(
            f"The expression {expression!r} is not valid: {parsed.column} is no numeric column of the group's "
            f"{parsed.dataset.capitalize()} dataset."
        )


def _check_destination(config: Mapping[str, Any]) -> None:
    if "s3DataDestination" in config:
        check_output(config["s3DataDestination"]["path"], "metricsOutputConfig.s3DataDestination.path")


OPERATIONS = (
    create_metric_attribution,
    describe_metric_attribution,
    list_metric_attributions,
    list_metric_attribution_metrics,
    update_metric_attribution,
    delete_metric_attribution,
)
