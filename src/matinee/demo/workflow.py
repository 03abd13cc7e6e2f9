"""The Personalize workflow as boto3 calls: data in, three solutions trained, campaigns, recommendations, events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from matinee.demo.clients import Clients, Seen, wait_until_active, wait_until_gone
from matinee.demo.narrator import Narrator, Step

#: The role that a program for the real service would pass; an embedded Matinee has no IAM to check it with.
ROLE_ARN = "arn:aws:iam::123456789012:role/PersonalizeRole"

#: Recipes of the demo: the short name of each solution and its recipe.
RECIPES = {
    "popularity": "aws-popularity-count",
    "similar": "aws-sims",
    "personal": "aws-user-personalization-v2",
}

#: What the demo asks of a recipe beyond its defaults. SIMS leaves the most watched tenth of the items out of training
#: unless told otherwise; a film shop wants to know what is like Star Wars.
SOLUTION_CONFIGS: dict[str, Any] = {
    "similar": {"featureTransformationParameters": {"max_item_interaction_count_percentile": "1.0"}}
}


@dataclass
class Movies:
    """What the workflow made: ARNs by name, and what was measured on the way."""

    group_arn: str = ""
    dataset_arns: dict[str, str] = field(default_factory=dict)
    schema_arns: dict[str, str] = field(default_factory=dict)
    solution_arns: dict[str, str] = field(default_factory=dict)
    campaign_arns: dict[str, str] = field(default_factory=dict)
    tracker_arn: str = ""
    tracking_id: str = ""
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    training_seconds: dict[str, float] = field(default_factory=dict)


class Workflow:
    """The steps of the movie project, in order. Every effect goes through boto3."""

    def __init__(self, clients: Clients, narrator: Narrator) -> None:
        self.clients = clients
        self.narrator = narrator
        self.made = Movies()

    def run(self, folder: Path) -> Movies:
        """Take the converted data in `folder` (see `matinee convert movielens`) to three campaigns."""
        self.create_group()
        for kind in ("interactions", "items", "users"):
            if (folder / f"{kind}.csv").exists():
                self.load_dataset(kind, folder)
        for name in RECIPES:
            self.train(name)
        for name in RECIPES:
            self.deploy(name)
        self.create_tracker()
        return self.made

    def create_group(self) -> None:
        """A VIDEO_ON_DEMAND dataset group."""
        control = self.clients.control
        with self.narrator.step("dataset group") as step:
            self.made.group_arn = control.create_dataset_group(name="movies", domain="VIDEO_ON_DEMAND")[
                "datasetGroupArn"
            ]
            wait_until_active(
                lambda: control.describe_dataset_group(datasetGroupArn=self.made.group_arn),
                "datasetGroup",
                _show(step),
            )

    def load_dataset(self, kind: str, folder: Path) -> None:
        """Schema, dataset and import job of one kind (`interactions`, `items`, `users`)."""
        control = self.clients.control
        with self.narrator.step(f"schema, dataset and import of {kind}") as step:
            schema_arn = control.create_schema(
                name=f"movies-{kind}",
                schema=(folder / f"{kind}.schema.json").read_text(encoding="utf-8"),
                domain="VIDEO_ON_DEMAND",
            )["schemaArn"]
            self.made.schema_arns[kind] = schema_arn
            dataset_arn = control.create_dataset(
                name=f"movies-{kind}", schemaArn=schema_arn, datasetGroupArn=self.made.group_arn, datasetType=kind
            )["datasetArn"]
            self.made.dataset_arns[kind] = dataset_arn
            wait_until_active(lambda: control.describe_dataset(datasetArn=dataset_arn), "dataset", _show(step))
            job_arn = control.create_dataset_import_job(
                jobName=f"movies-{kind}",
                datasetArn=dataset_arn,
                dataSource={"dataLocation": (folder / f"{kind}.csv").absolute().as_uri()},
                roleArn=ROLE_ARN,
            )["datasetImportJobArn"]
            wait_until_active(
                lambda: control.describe_dataset_import_job(datasetImportJobArn=job_arn),
                "datasetImportJob",
                _show(step),
            )

    def train(self, name: str) -> None:
        """Create one solution, train a version of it and read its metrics."""
        control = self.clients.control
        recipe = RECIPES[name]
        started = time.monotonic()
        with self.narrator.step(f"training of {recipe}") as step:
            solution_arn = control.create_solution(
                name=f"movies-{name}",
                datasetGroupArn=self.made.group_arn,
                recipeArn=f"arn:aws:personalize:::recipe/{recipe}",
                performAutoTraining=False,
                solutionConfig=SOLUTION_CONFIGS.get(name, {}),
            )["solutionArn"]
            self.made.solution_arns[name] = solution_arn
            version_arn = control.create_solution_version(solutionArn=solution_arn)["solutionVersionArn"]
            wait_until_active(
                lambda: control.describe_solution_version(solutionVersionArn=version_arn),
                "solutionVersion",
                _show(step),
            )
            self.made.metrics[recipe] = dict(control.get_solution_metrics(solutionVersionArn=version_arn)["metrics"])
        self.made.training_seconds[recipe] = round(time.monotonic() - started, 2)

    def deploy(self, name: str) -> None:
        """A campaign on the newest version of one solution."""
        control = self.clients.control
        with self.narrator.step(f"campaign for {RECIPES[name]}") as step:
            campaign_arn = control.create_campaign(
                name=f"movies-{name}", solutionVersionArn=f"{self.made.solution_arns[name]}/$LATEST"
            )["campaignArn"]
            self.made.campaign_arns[name] = campaign_arn
            wait_until_active(lambda: control.describe_campaign(campaignArn=campaign_arn), "campaign", _show(step))

    def create_tracker(self) -> None:
        """The event tracker through which PutEvents reaches the group."""
        control = self.clients.control
        with self.narrator.step("event tracker") as step:
            created = control.create_event_tracker(name="movies", datasetGroupArn=self.made.group_arn)
            self.made.tracker_arn, self.made.tracking_id = created["eventTrackerArn"], created["trackingId"]
            wait_until_active(
                lambda: control.describe_event_tracker(eventTrackerArn=self.made.tracker_arn),
                "eventTracker",
                _show(step),
            )

    # -- what an application asks -----------------------------------------------------------------------------------

    def recommend(self, user_id: str, count: int) -> list[str]:
        """Item IDs for one user, best first."""
        answer = self.clients.runtime.get_recommendations(
            campaignArn=self.made.campaign_arns["personal"], userId=user_id, numResults=count
        )
        return [item["itemId"] for item in answer["itemList"]]

    def similar(self, item_id: str, count: int) -> list[str]:
        """Item IDs most alike one item, best first."""
        answer = self.clients.runtime.get_recommendations(
            campaignArn=self.made.campaign_arns["similar"], itemId=item_id, numResults=count
        )
        return [item["itemId"] for item in answer["itemList"]]

    def watch(self, user_id: str, items: Sequence[str]) -> None:
        """Send one `watch` event for each item, as a player would."""
        now = int(time.time())
        events: list[Any] = [
            {"eventType": "watch", "itemId": item, "sentAt": now - len(items) + place}
            for place, item in enumerate(items)
        ]
        for start in range(0, len(events), 10):
            self.clients.events.put_events(
                trackingId=self.made.tracking_id,
                userId=user_id,
                sessionId=f"demo-{user_id}",
                eventList=events[start : start + 10],
            )

    # -- the end ----------------------------------------------------------------------------------------------------

    def destroy(self) -> None:
        """Delete everything in the order that the service asks for: users of a resource before the resource."""
        with self.narrator.step("everything deleted again"):
            for kind, arns in self._deletions():
                _delete_all(kind, arns)
            for arn in self.made.schema_arns.values():
                self.clients.control.delete_schema(schemaArn=arn)

    def _deletions(self) -> Iterator[tuple[_Kind, Sequence[str]]]:
        control, made = self.clients.control, self.made
        yield (
            _Kind(control.delete_campaign, control.describe_campaign, "campaignArn"),
            list(made.campaign_arns.values()),
        )
        yield (
            _Kind(control.delete_event_tracker, control.describe_event_tracker, "eventTrackerArn"),
            [made.tracker_arn] if made.tracker_arn else [],
        )
        yield (
            _Kind(control.delete_solution, control.describe_solution, "solutionArn"),
            list(made.solution_arns.values()),
        )
        yield _Kind(control.delete_dataset, control.describe_dataset, "datasetArn"), self._datasets()
        yield (
            _Kind(control.delete_dataset_group, control.describe_dataset_group, "datasetGroupArn"),
            [made.group_arn] if made.group_arn else [],
        )

    def _datasets(self) -> list[str]:
        """The group's datasets: those made here, and the one in which the event tracker kept its events."""
        if not self.made.group_arn:
            return []
        return [
            dataset["datasetArn"]
            for page in self.clients.control.get_paginator("list_datasets").paginate(
                datasetGroupArn=self.made.group_arn
            )
            for dataset in page["datasets"]
        ]


@dataclass(frozen=True)
class _Kind:
    """How one kind of resource is deleted and looked at."""

    delete: Any
    describe: Any
    member: str


def _delete_all(kind: _Kind, arns: Sequence[str]) -> None:
    """Delete all of `arns`, then wait until none of them can be described any more."""
    for arn in arns:
        kind.delete(**{kind.member: arn})
    for arn in arns:
        wait_until_gone(partial(kind.describe, **{kind.member: arn}))


def _show(step: Step) -> Callable[[Seen], None]:
    def look(seen: Seen) -> None:
        step.update(seen.fraction, seen.message or seen.status.lower())

    return look
