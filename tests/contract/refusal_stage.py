"""A service with resources in every state, made once: on it the refusals of the specification are tried with boto3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.unit.api.live import clients, serving
from tests.unit.control.tenant import INTERACTIONS, ITEMS, RECIPES, ROLE, Tenant, schema_text

from matinee.api.application import create_app
from matinee.control import records, solution_versions, solutions
from matinee.settings import Settings
from matinee.storage.metadata import jobs

REGION = "us-east-1"
OUTPUT = {"roleArn": ROLE}
BATCH = {
    "jobInput": {"s3DataSource": {"path": "s3://b/in.json"}},
    "jobOutput": {"s3DataDestination": {"path": "s3://b/out/"}},
    "roleArn": ROLE,
}
SOURCE = {"dataSource": {"dataLocation": "s3://b/data.csv"}, "roleArn": ROLE}
EXPORT = {"jobOutput": {"s3DataDestination": {"path": "s3://b/out/"}}, "roleArn": ROLE}
METRIC = {"eventType": "watch", "metricName": "watches", "expression": "SAMPLECOUNT()"}
USERS = schema_text("Users", ("USER_ID", "string"), ("AGE", "int"))
_ITEM_FIELDS: tuple[Any, ...] = (
    ("ITEM_ID", "string"),
    {"name": "GENRES", "type": "string", "categorical": True},
    ("PRICE", "float"),
    ("CREATION_TIMESTAMP", "long"),
)


@dataclass
class Stage:
    """One tenant's service: a boto3 client of it, and the ARNs of what is there by short name, `campaign.live`."""

    tenant: Tenant
    client: Any
    arns: dict[str, str]

    def filled(self, value: Any) -> Any:
        """A request with `@campaign.live` in the place of an ARN replaced by that; what follows a space is kept."""
        if isinstance(value, dict):
            return {key: self.filled(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.filled(one) for one in value]
        if isinstance(value, str) and value.startswith("@"):
            name, _, suffix = value[1:].partition("+")
            return self.arns[name] + suffix
        return value


@contextmanager
def empty(folder: Path, *, aws_quotas: bool = False) -> Iterator[Stage]:
    """A stage with nothing on it, its own API on a real socket."""
    tenant = Tenant.fresh(folder, aws_quotas=aws_quotas)
    app = create_app(Settings(home=folder), control=tenant.plane.operations(), runtime={}, events={})
    try:
        with serving(app) as url:
            yield Stage(tenant, clients(url, region=REGION, validate=False)["personalize"], {})
    finally:
        tenant.database.close()


@contextmanager
def filled(folder: Path) -> Iterator[Stage]:
    """A stage with resources of every kind, in every state that a refusal asks for."""
    with empty(folder) as stage, pytest.MonkeyPatch.context() as patch:
        # What no model trains here may exist all the same: the refusals do not depend on it.
        patch.setattr(solutions, "check_solution", lambda *_: None)
        patch.setattr(solution_versions, "check_training_mode", lambda *_: None)
        _failed(stage)
        _data(stage)
        _models(stage)
        _domain(stage)
        _under_way(stage)
        yield stage


def _made(stage: Stage, known: str, operation: str, /, **request: Any) -> str:
    """Create something, remember it as `known`, and give its ARN."""
    answer = stage.tenant.call(operation, **stage.filled(request))
    arn: str = next(value for member, value in answer.items() if member.endswith("Arn"))
    stage.arns[known] = arn
    return arn


def _failed(stage: Stage) -> None:
    _made(stage, "group.failed", "CreateDatasetGroup", name="failed")
    stage.tenant.fail("It did not work out.")


def _data(stage: Stage) -> None:
    tenant = stage.tenant
    for name in ("films", "other", "going", "leaving", "empty", "wide"):
        _made(stage, f"group.{name}", "CreateDatasetGroup", name=name)
    _made(stage, "group.vod", "CreateDatasetGroup", name="vod", domain="VIDEO_ON_DEMAND")
    tenant.work()
    wide = (
        *_ITEM_FIELDS,
        ("YEAR", ["int", "null"]),
        {"name": "PLOT", "type": ["string", "null"], "textual": True},
        ("AWARDED", ["boolean", "null"]),
        *((f"C{number}", ["int", "null"]) for number in range(11)),
    )
    schemas = {
        "interactions": INTERACTIONS,
        "typeless": schema_text("Interactions", ("USER_ID", "string"), ("ITEM_ID", "string"), ("TIMESTAMP", "long")),
        "items": ITEMS,
        "items.wide": schema_text("Items", *wide),
        "items.narrow": schema_text("Items", *_ITEM_FIELDS[:2]),
        "items.changed": schema_text("Items", *_ITEM_FIELDS[:2], ("PRICE", "double"), _ITEM_FIELDS[3]),
        "next": schema_text("Items", *wide),
        "items.required": schema_text("Items", *_ITEM_FIELDS, ("YEAR", "int")),
        "users": USERS,
        "actions": schema_text("Actions", ("ACTION_ID", "string"), ("VALUE", ["long", "null"])),
    }
    for name, text in schemas.items():
        _made(stage, f"schema.{name}", "CreateSchema", name=name.replace(".", "-"), schema=text)
    for domain in ("VIDEO_ON_DEMAND", "ECOMMERCE"):
        _made(stage, f"schema.{domain.lower()}", "CreateSchema", name=domain, schema=INTERACTIONS, domain=domain)
    for type_ in ("interactions", "items", "users"):
        _dataset(stage, f"dataset.{type_}", "films", type_)
    _dataset(stage, "dataset.other", "other", "interactions")
    _dataset(stage, "dataset.updating", "other", "items")
    _dataset(stage, "dataset.wide", "wide", "items", "items.wide")
    _dataset(stage, "dataset.typeless", "wide", "interactions", "typeless")
    tenant.work()
    _made(stage, "import.done", "CreateDatasetImportJob", jobName="done", datasetArn="@dataset.items", **SOURCE)
    _made(stage, "tracker.films", "CreateEventTracker", name="films", datasetGroupArn="@group.films")
    stage.arns["dataset.events"] = tenant.caller.arn("dataset/films/EVENT_INTERACTIONS")
    expressions = {"items": "EXCLUDE ItemID WHERE Items.PRICE > 3", "users": "EXCLUDE UserID WHERE Users.AGE < 18"}
    for name, expression in expressions.items():
        _made(
            stage,
            f"filter.{name}",
            "CreateFilter",
            name=name,
            datasetGroupArn="@group.films",
            filterExpression=expression,
        )
    _made(
        stage,
        "filter.other",
        "CreateFilter",
        name="other",
        datasetGroupArn="@group.other",
        filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")',
    )
    _made(
        stage,
        "attribution.films",
        "CreateMetricAttribution",
        name="films",
        datasetGroupArn="@group.films",
        metrics=[METRIC],
        metricsOutputConfig=OUTPUT,
    )
    tenant.work()


def _dataset(stage: Stage, name: str, group: str, type_: str, schema: str = "") -> None:
    _made(
        stage,
        name,
        "CreateDataset",
        name=type_,
        datasetGroupArn=f"@group.{group}",
        schemaArn=f"@schema.{schema or type_}",
        datasetType=type_,
    )


def _solution(stage: Stage, name: str, recipe: str, group: str = "films", **request: Any) -> None:
    _made(
        stage,
        f"solution.{name}",
        "CreateSolution",
        name=name,
        datasetGroupArn=f"@group.{group}",
        recipeArn=f"{RECIPES}{recipe}",
        **request,
    )


def _models(stage: Stage) -> None:
    trained = {
        "v2": "aws-user-personalization-v2",
        "v1": "aws-user-personalization",
        "segments": "aws-item-affinity",
        "trending": "aws-trending-now",
        "similar": "aws-similar-items",
        "actions": "aws-next-best-action",
        "attributes": "aws-item-attribute-affinity",
    }
    _solution(stage, "failing", "aws-sims")
    _made(stage, "version.failed", "CreateSolutionVersion", solutionArn="@solution.failing")
    stage.tenant.fail("It did not work out.")
    for name, recipe in trained.items():
        _solution(stage, name, recipe)
        _made(stage, f"version.{name}", "CreateSolutionVersion", solutionArn=f"@solution.{name}", name=f"first-{name}")
    _solution(stage, "other", trained["v2"], group="other")
    _made(stage, "version.other", "CreateSolutionVersion", solutionArn="@solution.other")
    stage.tenant.work()
    for name in ("live", "updating"):
        _made(stage, f"campaign.{name}", "CreateCampaign", name=name, solutionVersionArn="@version.v2")
    stage.tenant.work()
    for name in ("untrained", "training", "stopping", "renewing"):
        _solution(stage, name, trained["v1"] if name == "untrained" else trained["v2"])


def _domain(stage: Stage) -> None:
    picks = f"{RECIPES}aws-vod-top-picks"
    for name in ("active", "inactive", "changing"):
        _made(
            stage,
            f"recommender.{name}",
            "CreateRecommender",
            name=name,
            datasetGroupArn="@group.vod",
            recipeArn=picks,
        )
    stage.tenant.work()
    stage.tenant.stop_recommender(recommenderArn=stage.arns["recommender.inactive"])
    stage.tenant.work()


def _under_way(stage: Stage) -> None:
    """What has not ended, and never will: nobody works here from now on."""
    tenant, arns = stage.tenant, stage.arns
    _made(stage, "version.stopping", "CreateSolutionVersion", solutionArn="@solution.stopping")
    tenant.begin()
    tenant.stop_solution_version_creation(solutionVersionArn=arns["version.stopping"])
    _made(stage, "group.pending", "CreateDatasetGroup", name="pending")
    tenant.delete_dataset_group(datasetGroupArn=arns["group.going"])
    _dataset(stage, "dataset.pending", "leaving", "interactions")
    tenant.update_dataset(datasetArn=arns["dataset.updating"], schemaArn=arns["schema.next"])
    _made(stage, "import.first", "CreateDatasetImportJob", jobName="first", datasetArn="@dataset.users", **SOURCE)
    _made(stage, "export.first", "CreateDatasetExportJob", jobName="first", datasetArn="@dataset.items", **EXPORT)
    _made(stage, "deletion.first", "CreateDataDeletionJob", jobName="first", datasetGroupArn="@group.films", **SOURCE)
    _made(stage, "version.pending", "CreateSolutionVersion", solutionArn="@solution.training")
    tenant.update_solution(solutionArn=arns["solution.renewing"], performAutoTraining=False)
    _made(stage, "campaign.pending", "CreateCampaign", name="pending", solutionVersionArn="@version.v1")
    tenant.update_campaign(campaignArn=arns["campaign.updating"], minProvisionedTPS=2)
    config = {"minRecommendationRequestsPerSecond": 2}
    tenant.update_recommender(recommenderArn=arns["recommender.changing"], recommenderConfig=config)
    _made(
        stage,
        "batch.first",
        "CreateBatchInferenceJob",
        jobName="first",
        solutionVersionArn="@version.v2",
        filterArn="@filter.items",
        **BATCH,
    )
    _made(
        stage,
        "segment.first",
        "CreateBatchSegmentJob",
        jobName="first",
        solutionVersionArn="@version.segments",
        **BATCH,
    )
    _made(
        stage,
        "filter.pending",
        "CreateFilter",
        name="pending",
        datasetGroupArn="@group.films",
        filterExpression="EXCLUDE ItemID WHERE Items.PRICE > 4",
    )


def least(stage: Stage) -> None:
    """What the requests of quotas name, and no more: two groups, a schema, a dataset, two trained solutions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solutions, "check_solution", lambda *_: None)
        _made(stage, "group.films", "CreateDatasetGroup", name="films")
        _made(stage, "group.vod", "CreateDatasetGroup", name="vod", domain="VIDEO_ON_DEMAND")
        stage.tenant.work()
        _made(stage, "schema.items", "CreateSchema", name="items", schema=ITEMS)
        _dataset(stage, "dataset.items", "films", "items")
        stage.tenant.work()
        for name, recipe in (("v2", "aws-user-personalization-v2"), ("segments", "aws-item-affinity")):
            _solution(stage, name, recipe)
            _made(stage, f"version.{name}", "CreateSolutionVersion", solutionArn=f"@solution.{name}")
        stage.tenant.work()


@contextmanager
def crowd(stage: Stage, kind: str, count: int, *, status: str, group: str | None) -> Iterator[None]:
    """`count` resources of a kind in one state, inside a dataset group if one is given, for as long as this lasts."""
    caller = stage.tenant.caller
    arns = [caller.arn(f"{kind}/crowd-{number}") for number in range(count)]
    with stage.tenant.database.transaction() as connection:
        for number, arn in enumerate(arns):
            expression = f"EXCLUDE ItemID WHERE Items.F{number} > 3"
            records.insert(
                connection,
                arn=arn,
                account=caller.account,
                region=caller.region,
                kind=kind,
                name=f"crowd-{number}",
                parent=group,
                status=status or None,
                attributes={"filterExpression": expression} if kind == "filter" else {},
            )
            if group is not None:
                records.refer(connection, arn, {"datasetGroupArn": group})
    try:
        yield
    finally:
        with stage.tenant.database.transaction() as connection:
            records.remove(connection, arns)


@contextmanager
def twin(stage: Stage, of: str, status: str | None, *, known: str = "twin", **members: str) -> Iterator[str]:
    """A copy of a resource of the stage, in another state, known as `known` for as long as this lasts; gives its ARN.

    `members` replaces attributes. It uses what these name, and nothing else.
    """
    database = stage.tenant.database
    with database.transaction() as connection:
        original = records.find(connection, stage.arns[of])
        assert original is not None
        head, _, tail = original.arn.partition(original.kind.split("-version")[0] + "/")
        first, _, last = tail.partition("/")
        # A dataset is named by its group and its type, a version by its solution and its id.
        name = f"{known}/{last}" if original.kind == "dataset" else f"{first}/{known}" if last else known
        arn = f"{head}{original.kind.split('-version')[0]}/{name}"
        attributes = {**original.attributes, **members}
        described = {name: getattr(original, name) for name in ("account", "region", "kind", "parent")}
        records.insert(connection, arn=arn, name=known, status=status, attributes=attributes, **described)
        records.refer(connection, arn, members)
    stage.arns[known] = arn
    try:
        yield arn
    finally:
        del stage.arns[known]
        with database.transaction() as connection:
            records.remove(connection, [arn])
            connection.execute(sa.delete(jobs).where(jobs.c.arn == arn))
