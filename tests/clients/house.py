"""One of everything that a Create operation can make, made as programs do, and the requests that ask about it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError
from tests.clients.data import ACTION_INTERACTIONS, ACTIONS, INTERACTIONS, ITEMS, USERS
from tests.clients.services import OPERATIONS, python_name

from matinee.demo.clients import POLL_SECONDS, Clients, wait_until_active

ROLE = "arn:aws:iam::123456789012:role/personalize"
RECIPES = "arn:aws:personalize:::recipe/"
#: Statuses in which nothing moves any more by itself.
SETTLED = ("ACTIVE", "INACTIVE", "COMPLETED", "CREATE FAILED", "CREATE STOPPED", "FAILED")
_numbers = itertools.count()


@dataclass
class House:
    """What one tenant made: by Create operation, the request and the ARN that it answered."""

    clients: Clients
    bucket: str
    prefix: str
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    arns: dict[str, str] = field(default_factory=dict)
    refused: dict[str, ClientError] = field(default_factory=dict)
    datasets: dict[str, str] = field(default_factory=dict)
    tracking_id: str = ""

    @classmethod
    def build(cls, clients: Clients, bucket: str, prefix: str) -> House:
        """Make one of everything, each name beginning with `prefix`, and wait until all of it has settled.

        `bucket` holds interactions.csv of `tests.clients.data`.
        """
        house = cls(clients, bucket, prefix)
        house._data()
        house._domain()
        house._models()
        house._jobs()
        return house

    def create(self, resource: str, **request: Any) -> str:
        """Make a resource, named here unless the request does that, wait until it has settled, and give its ARN."""
        named = "jobName" if resource.endswith("Job") else "name"
        if resource != "SolutionVersion":
            request = {named: self.new_name(), **request}
        operation = f"Create{resource}"
        answer = getattr(self.clients.control, python_name(operation))(**request)
        arn = str(answer[arn_member(resource)])
        self.requests[operation], self.arns[resource] = request, arn
        self.settle(resource, arn)
        return arn

    def new_name(self) -> str:
        """A name that nothing has."""
        return f"{self.prefix}-{next(_numbers)}"

    def settle(self, resource: str, arn: str) -> str | None:
        """Wait until a resource's status is one that stays; gives it."""
        return settle(self.clients, resource, arn)

    def place(self, key: str) -> str:
        """A place in the house's bucket."""
        return f"s3://{self.bucket}/{key}"

    def fresh_group(self) -> str:
        """An ACTIVE dataset group of its own."""
        arn = str(self.clients.control.create_dataset_group(name=self.new_name())["datasetGroupArn"])
        self.settle("DatasetGroup", arn)
        return arn

    @cached_property
    def ranking_campaign(self) -> str:
        """A campaign that ranks; trained when it is first asked for, which takes some seconds."""
        kept = dict(self.requests), dict(self.arns)
        solution = self.create(
            "Solution",
            datasetGroupArn=self.arns["DatasetGroup"],
            recipeArn=f"{RECIPES}aws-personalized-ranking-v2",
            performAutoTraining=False,
        )
        version = self.create("SolutionVersion", solutionArn=solution)
        arn = self.create("Campaign", solutionVersionArn=version)
        self.requests, self.arns = kept
        return arn

    def _data(self) -> None:
        group = self.create("DatasetGroup", tags=[{"tagKey": "owner", "tagValue": "tests"}])
        texts = {"ITEMS": ITEMS, "USERS": USERS, "ACTIONS": ACTIONS, "ACTION_INTERACTIONS": ACTION_INTERACTIONS}
        for kind, text in (texts | {"INTERACTIONS": INTERACTIONS}).items():
            schema = self.create("Schema", schema=text)
            self.datasets[kind] = self.create("Dataset", datasetGroupArn=group, schemaArn=schema, datasetType=kind)
        self.create(
            "DatasetImportJob",
            datasetArn=self.datasets["INTERACTIONS"],
            dataSource={"dataLocation": self.place("interactions.csv")},
            roleArn=ROLE,
        )
        assert self.settle("DatasetImportJob", self.arns["DatasetImportJob"]) == "ACTIVE"
        tracker = self.create("EventTracker", datasetGroupArn=group)
        self.tracking_id = describe(self.clients, "EventTracker", tracker)["trackingId"]
        self.create(
            "Filter",
            datasetGroupArn=group,
            filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")',
        )
        self.create(
            "MetricAttribution",
            datasetGroupArn=group,
            metrics=[
                {"eventType": "watch", "metricName": name, "expression": "SAMPLECOUNT()"} for name in ("one", "two")
            ],
            metricsOutputConfig={"roleArn": ROLE},
        )

    def _domain(self) -> None:
        """A recommender in a domain group, on the same interactions."""
        control = self.clients.control
        schema = control.create_schema(name=self.new_name(), schema=INTERACTIONS, domain="VIDEO_ON_DEMAND")["schemaArn"]
        group = control.create_dataset_group(name=self.new_name(), domain="VIDEO_ON_DEMAND")["datasetGroupArn"]
        self.settle("DatasetGroup", group)
        dataset = control.create_dataset(
            name="interactions", datasetGroupArn=group, schemaArn=schema, datasetType="Interactions"
        )["datasetArn"]
        self.settle("Dataset", dataset)
        job = control.create_dataset_import_job(
            jobName=self.new_name(),
            datasetArn=dataset,
            dataSource={"dataLocation": self.place("interactions.csv")},
            roleArn=ROLE,
        )["datasetImportJobArn"]
        self.settle("DatasetImportJob", job)
        self.create("Recommender", datasetGroupArn=group, recipeArn=f"{RECIPES}aws-vod-most-popular")

    def _models(self) -> None:
        self.create(
            "Solution",
            datasetGroupArn=self.arns["DatasetGroup"],
            recipeArn=f"{RECIPES}aws-popularity-count",
            performAutoTraining=False,
        )
        self.create("SolutionVersion", solutionArn=self.arns["Solution"])
        wait_until_active(
            lambda: self.clients.control.describe_solution_version(solutionVersionArn=self.arns["SolutionVersion"]),
            "solutionVersion",
        )
        self.create("Campaign", solutionVersionArn=self.arns["SolutionVersion"], minProvisionedTPS=1)

    def _jobs(self) -> None:
        """Jobs that write to S3 or remove users; how they end is for other tests."""
        self.create(
            "DatasetExportJob",
            datasetArn=self.datasets["INTERACTIONS"],
            roleArn=ROLE,
            jobOutput={"s3DataDestination": {"path": self.place("export/")}},
        )
        self.create(
            "DataDeletionJob",
            datasetGroupArn=self.arns["DatasetGroup"],
            dataSource={"dataLocation": self.place("nobody.csv")},
            roleArn=ROLE,
        )
        batch = {
            "jobInput": {"s3DataSource": {"path": self.place("batch.jsonl")}},
            "jobOutput": {"s3DataDestination": {"path": self.place("batch/")}},
            "roleArn": ROLE,
        }
        self.create("BatchInferenceJob", solutionVersionArn=self.arns["SolutionVersion"], **batch)
        self._segment_job(batch)

    def _segment_job(self, batch: Mapping[str, Any]) -> None:
        """A segment job, or the refusal of one where no segment recipe can be trained."""
        control = self.clients.control
        solution = control.create_solution(
            name=self.new_name(),
            datasetGroupArn=self.arns["DatasetGroup"],
            recipeArn=f"{RECIPES}aws-item-affinity",
            performAutoTraining=False,
        )["solutionArn"]
        version = control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
        self.settle("SolutionVersion", version)
        try:
            self.create("BatchSegmentJob", solutionVersionArn=version, **batch)
        except ClientError as refusal:
            self.refused["CreateBatchSegmentJob"] = refusal


def settle(clients: Clients, resource: str, arn: str) -> str | None:
    """Poll as programs do until a resource's status is one that stays; gives it."""
    while True:
        status: str | None = describe(clients, resource, arn).get("status")
        if status is None or status in SETTLED:
            return status
        threading.Event().wait(POLL_SECONDS)


def arn_member(resource: str) -> str:
    """The member that holds a resource's ARN: `solutionVersionArn` for `SolutionVersion`."""
    return f"{member(resource)}Arn"


def member(resource: str) -> str:
    """The key of Describe's answer: `solutionVersion` for `SolutionVersion`."""
    return resource[0].lower() + resource[1:]


def describe(clients: Clients, resource: str, arn: str) -> dict[str, Any]:
    """The object that a resource's Describe operation shows."""
    ask = getattr(clients.control, python_name(f"Describe{resource}"))
    return dict(ask(**{arn_member(resource): arn})[member(resource)])


def listed(clients: Clients, resource: str, **narrowed: Any) -> list[dict[str, Any]]:
    """All summaries of a resource's List operation, page by page."""
    operation = f"List{resource}s"
    shape = OPERATIONS[operation].output_shape
    assert shape is not None
    (key,) = (name for name in shape.members if name != "nextToken")
    found: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        page = getattr(clients.control, python_name(operation))(**narrowed, **token)
        found += page[key]
        if "nextToken" not in page:
            return found
        token = {"nextToken": page["nextToken"]}
