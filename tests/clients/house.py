"""One of everything that a Create operation can make, made as programs do, and the requests that ask about it."""

from __future__ import annotations

import itertools
import json
import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.clients.data import ACTION_INTERACTIONS, ACTIONS, INTERACTIONS, ITEMS, USERS
from tests.clients.services import OPERATIONS, python_name

from matinee.demo.clients import POLL_SECONDS, Clients

ROLE = "arn:aws:iam::123456789012:role/personalize"
RECIPES = "arn:aws:personalize:::recipe/"
#: Statuses in which nothing moves any more by itself.
SETTLED = ("ACTIVE", "INACTIVE", "COMPLETED", "CREATE FAILED", "CREATE STOPPED", "FAILED")
OWNER = [{"tagKey": "owner", "tagValue": "tests"}]
SCHEMAS = {
    "INTERACTIONS": INTERACTIONS,
    "ITEMS": ITEMS,
    "USERS": USERS,
    "ACTIONS": ACTIONS,
    "ACTION_INTERACTIONS": ACTION_INTERACTIONS,
}
_numbers = itertools.count()


@dataclass
class House:
    """What one tenant made. `requests` by Create operation and `arns` by resource are of the first of each kind."""

    clients: Clients
    bucket: str
    prefix: str
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    arns: dict[str, str] = field(default_factory=dict)
    datasets: dict[str, str] = field(default_factory=dict)
    tracking_id: str = ""
    _begun: list[tuple[str, str]] = field(default_factory=list)
    _ranking_version: str = ""
    _affinity_version: str = ""

    @classmethod
    def build(cls, clients: Clients, bucket: str, prefix: str) -> House:
        """Make one of everything, each name beginning with `prefix`, and wait until all of it has settled.

        `bucket` holds interactions.csv of `tests.clients.data`.
        """
        house = cls(clients, bucket, prefix)
        group, video = house.begin("DatasetGroup", tags=OWNER), house.begin("DatasetGroup", domain="VIDEO_ON_DEMAND")
        house.settle_all()
        watched = house._datasets(group, video)
        house.settle_all()
        house._imports_and_filters(group, watched)
        house.settle_all()
        house._trainings(group, video)
        house.settle_all()
        house._campaign_and_jobs(group)
        house.settle_all()
        return house

    def begin(self, resource: str, **request: Any) -> str:
        """Make a resource, named here unless the request does that, and give its ARN at once."""
        named = "jobName" if resource.endswith("Job") else "name"
        if resource != "SolutionVersion":
            request = {named: self.new_name(), **request}
        operation = f"Create{resource}"
        answer = getattr(self.clients.control, python_name(operation))(**request)
        arn = str(answer[arn_member(resource)])
        if resource not in self.arns:
            self.requests[operation], self.arns[resource] = request, arn
        self._begun.append((resource, arn))
        return arn

    def settle_all(self) -> None:
        """Wait until all that was begun has settled."""
        while self._begun:
            settle(self.clients, *self._begun.pop())

    def create(self, resource: str, **request: Any) -> str:
        """Make a resource, wait until it has settled, and give its ARN."""
        arn = self.begin(resource, **request)
        self.settle_all()
        return arn

    def new_name(self) -> str:
        """A name that nothing has."""
        return f"{self.prefix}-{next(_numbers)}"

    def place(self, key: str) -> str:
        """A place in the house's bucket."""
        return f"s3://{self.bucket}/{key}"

    def fresh_group(self) -> str:
        """An ACTIVE dataset group of its own."""
        return self.create("DatasetGroup")

    def solution(self, recipe: str) -> str:
        """A new solution of the house's group."""
        group = self.arns["DatasetGroup"]
        return self.create("Solution", datasetGroupArn=group, recipeArn=f"{RECIPES}{recipe}", performAutoTraining=False)

    def begin_ranking(self) -> None:
        """Let a version that ranks be trained, which takes some seconds."""
        self._ranking_version = self.begin("SolutionVersion", solutionArn=self.solution("aws-personalized-ranking-v2"))
        self._begun.clear()

    @cached_property
    def ranking_campaign(self) -> str:
        """A campaign that ranks, once its version is trained."""
        assert settle(self.clients, "SolutionVersion", self._ranking_version) == "ACTIVE"
        return self.create("Campaign", solutionVersionArn=self._ranking_version)

    @cached_property
    def action_campaign(self) -> str:
        """A campaign that recommends actions, of which there is one."""
        properties = json.dumps({"value": 3})
        self.clients.events.put_actions(
            datasetArn=self.datasets["ACTIONS"], actions=[{"actionId": "call", "properties": properties}]
        )
        version = self.create("SolutionVersion", solutionArn=self.solution("aws-next-best-action"))
        return self.create("Campaign", solutionVersionArn=version)

    def _datasets(self, group: str, video: str) -> str:
        """All five types in the custom group, interactions in the domain group; gives the ARN of the latter."""
        for kind, text in SCHEMAS.items():
            schema = self.begin("Schema", schema=text)
            self.datasets[kind] = self.begin("Dataset", datasetGroupArn=group, schemaArn=schema, datasetType=kind)
        schema = self.begin("Schema", schema=INTERACTIONS, domain="VIDEO_ON_DEMAND")
        return self.begin("Dataset", datasetGroupArn=video, schemaArn=schema, datasetType="INTERACTIONS")

    def _imports_and_filters(self, group: str, watched: str) -> None:
        source = {"dataLocation": self.place("interactions.csv")}
        for dataset in (self.datasets["INTERACTIONS"], watched):
            self.begin("DatasetImportJob", datasetArn=dataset, dataSource=source, roleArn=ROLE)
        tracker = self.begin("EventTracker", datasetGroupArn=group)
        self.tracking_id = describe(self.clients, "EventTracker", tracker)["trackingId"]
        unseen = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'
        self.begin("Filter", datasetGroupArn=group, filterExpression=unseen)
        self.begin(
            "MetricAttribution",
            datasetGroupArn=group,
            metrics=[
                {"eventType": "watch", "metricName": name, "expression": "SAMPLECOUNT()"} for name in ("one", "two")
            ],
            metricsOutputConfig={"roleArn": ROLE},
        )

    def _trainings(self, group: str, video: str) -> None:
        self.begin("SolutionVersion", solutionArn=self.solution("aws-popularity-count"))
        self._affinity_version = self.begin("SolutionVersion", solutionArn=self.solution("aws-item-affinity"))
        self.begin("Recommender", datasetGroupArn=video, recipeArn=f"{RECIPES}aws-vod-most-popular")

    def _campaign_and_jobs(self, group: str) -> None:
        """A campaign, and jobs that write to S3 or remove users; how those end is for other tests."""
        version, role = self.arns["SolutionVersion"], {"roleArn": ROLE}
        self.begin("Campaign", solutionVersionArn=version, minProvisionedTPS=1)
        output = {"s3DataDestination": {"path": self.place("export/")}}
        self.begin("DatasetExportJob", datasetArn=self.datasets["INTERACTIONS"], jobOutput=output, **role)
        users = {"dataLocation": self.place("nobody.csv")}
        self.begin("DataDeletionJob", datasetGroupArn=group, dataSource=users, **role)
        batch = {
            "jobInput": {"s3DataSource": {"path": self.place("batch.jsonl")}},
            "jobOutput": {"s3DataDestination": {"path": self.place("batch/")}},
            **role,
        }
        self.begin("BatchInferenceJob", solutionVersionArn=version, **batch)
        self.begin("BatchSegmentJob", solutionVersionArn=self._affinity_version, **batch)


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
