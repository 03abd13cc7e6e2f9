"""Random sequences of operations and of a worker's steps: no illegal state, no unexpected error, nothing dangling."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.unit.control.tenant import INTERACTIONS, ITEMS, RECIPES, ROLE, V2, Tenant

from matinee.control import lifecycle, states
from matinee.errors import ApiError
from matinee.settings import Settings
from matinee.storage.metadata import references, resources

NAMES = st.sampled_from(["a", "b"])
GROUPS = st.sampled_from(["films", "shop"])
V1, TOP_PICKS = f"{RECIPES}aws-user-personalization", f"{RECIPES}aws-vod-top-picks"
AFFINITY = f"{RECIPES}aws-item-affinity"
DELETABLE = {
    "dataset-group": ("DeleteDatasetGroup", "datasetGroupArn"),
    "dataset": ("DeleteDataset", "datasetArn"),
    "event-tracker": ("DeleteEventTracker", "eventTrackerArn"),
    "solution": ("DeleteSolution", "solutionArn"),
    "campaign": ("DeleteCampaign", "campaignArn"),
    "recommender": ("DeleteRecommender", "recommenderArn"),
    "filter": ("DeleteFilter", "filterArn"),
    "metric-attribution": ("DeleteMetricAttribution", "metricAttributionArn"),
}
CALLS = st.sampled_from(
    [
        "CreateDatasetGroup",
        "CreateDataset",
        "UpdateDataset",
        "CreateSchema",
        "DeleteSchema",
        "CreateDatasetImportJob",
        "CreateDatasetExportJob",
        "CreateDataDeletionJob",
        "CreateEventTracker",
        "CreateSolution",
        "UpdateSolution",
        "CreateSolutionVersion",
        "StopSolutionVersionCreation",
        "CreateCampaign",
        "UpdateCampaign",
        "CreateRecommender",
        "StartRecommender",
        "StopRecommender",
        "UpdateRecommender",
        "CreateFilter",
        "CreateMetricAttribution",
        "UpdateMetricAttribution",
        "CreateBatchInferenceJob",
        "CreateBatchSegmentJob",
        "TagResource",
        "UntagResource",
    ]
)
#: These go when they are deleted; what is not among them goes with what it lives in.
OF_THEIR_OWN = tuple(kind for kind in DELETABLE if kind not in ("filter", "metric-attribution"))
#: Jobs that have ended tell what they used, also when that is gone.
ENDED_JOBS = sa.and_(
    resources.c.kind.like("%-job"), resources.c.status.in_(("ACTIVE", "CREATE FAILED", "COMPLETED", "FAILED"))
)
BATCH: dict[str, Any] = {
    "jobInput": {"s3DataSource": {"path": "s3://b/in.json"}},
    "jobOutput": {"s3DataDestination": {"path": "s3://b/out/"}},
    "roleArn": ROLE,
}
WIDER = ITEMS.replace('"fields": [', '"fields": [{"name": "YEAR", "type": ["int", "null"]}, ')
PICK = st.integers(0, 7)


def prepare(tenant: Tenant) -> None:
    """The schemas that the sequences use."""
    tenant.schema("schema", INTERACTIONS)
    tenant.schema("domain", INTERACTIONS, domain="VIDEO_ON_DEMAND")
    tenant.schema("items", ITEMS)
    tenant.schema("wider", WIDER)


class Sequences(RuleBasedStateMachine):
    """Two groups, two of everything in them, calls and jobs in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.tenant = Tenant.of(Settings(home=Path(self.folder.name), aws_quotas=True), "sqlite://")
        self.seen: dict[str, tuple[str, str, str | None]] = {}
        self.condemned: set[str] = set()
        prepare(self.tenant)

    @initialize(furnished=st.sampled_from([True, True, True, False]))
    def furnish(self, furnished: bool) -> None:
        """Most sequences start where an application is up and running."""
        if furnished:
            films = self.tenant.group("films")
            self.tenant.group("shop", domain="VIDEO_ON_DEMAND")
            self.tenant.dataset(films, self.arn("schema/schema"))
            version = self.tenant.version(self.tenant.solution(films, "a"))
            self.tenant.campaign(version, "a", campaignConfig={"enableMetadataWithRecommendations": True})
            for operation, group in (("CreateRecommender", "shop"), ("CreateEventTracker", "films")):
                self.call(operation, name="a", other="a", group=group, pick=0, choice=True)
            self.tenant.work()
            assert self.tenant.status(self.arn("recommender/a")) == "ACTIVE"

    def teardown(self) -> None:
        """Every sequence ends with the worker at rest, so that what was begun shows its consequences."""
        try:
            self.let_the_worker_finish()
            self.nothing_dangles()
        finally:
            self.tenant.database.close()
            self.folder.cleanup()

    def attempt(self, operation: str, **params: Any) -> bool:
        """Call an operation; a refusal that the model declares is as good an answer as any. Whether it was taken."""
        with suppress(ApiError):
            self.tenant.call(operation, **params)
            return True
        return False

    def arn(self, suffix: str) -> str:
        return self.tenant.caller.arn(suffix)

    def version(self, solution: str, pick: int) -> str:
        """Some version of a solution; one that does not exist when there is none."""
        found = [arn for arn in self.seen if arn.startswith(self.arn(f"solution/{solution}/"))]
        return found[pick % len(found)] if found else self.arn(f"solution/{solution}/00000000")

    def params(self, operation: str, name: str, other: str, group: str, pick: int, choice: bool) -> dict[str, Any]:
        """A request for an operation, made from what was drawn."""
        data = self.data_params(name, other, group, pick, choice)
        return data[operation] if operation in data else self.model_params(name, other, group, pick, choice)[operation]

    def data_params(self, name: str, other: str, group: str, pick: int, choice: bool) -> dict[str, dict[str, Any]]:
        """Requests about data, filters and what is counted."""
        group_arn, dataset = self.arn(f"dataset-group/{group}"), self.arn(f"dataset/{group}/INTERACTIONS")
        items = pick > 4
        schema = "items" if items else "domain" if choice else "schema"
        source = {"dataSource": {"dataLocation": "s3://b/k.csv"}, "roleArn": ROLE}
        metric = {"eventType": "watch", "metricName": f"m{pick}", "expression": "SAMPLECOUNT()"}
        counted = self.arn(f"metric-attribution/{name}")
        changed = {"addMetrics": [metric]} if choice else {"removeMetrics": [f"m{pick}"]}
        return {
            "CreateDatasetGroup": {"name": group, **({"domain": "VIDEO_ON_DEMAND"} if group == "shop" else {})},
            "CreateDataset": {
                "name": "d",
                "datasetGroupArn": group_arn,
                "schemaArn": self.arn(f"schema/{schema}"),
                "datasetType": "items" if items else "interactions",
            },
            "UpdateDataset": {
                "datasetArn": self.arn(f"dataset/{group}/ITEMS"),
                "schemaArn": self.arn(f"schema/{'wider' if choice else 'items'}"),
            },
            "CreateSchema": {"name": "wider", "schema": WIDER},
            "DeleteSchema": {"schemaArn": self.arn(f"schema/{'wider' if choice else schema}")},
            "CreateDatasetImportJob": {
                "jobName": name,
                "datasetArn": dataset,
                "importMode": "FULL" if choice else "INCREMENTAL",
                **source,
            },
            "CreateDatasetExportJob": {
                "jobName": name,
                "datasetArn": dataset,
                "jobOutput": {"s3DataDestination": {"path": "s3://b/out/"}},
                "roleArn": ROLE,
            },
            "CreateDataDeletionJob": {"jobName": name, "datasetGroupArn": group_arn, **source},
            "CreateEventTracker": {"name": name, "datasetGroupArn": group_arn},
            "CreateFilter": {
                "name": name,
                "datasetGroupArn": group_arn,
                "filterExpression": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")',
            },
            "CreateMetricAttribution": {
                "name": name,
                "datasetGroupArn": group_arn,
                "metrics": [metric],
                "metricsOutputConfig": {"roleArn": ROLE},
            },
            "UpdateMetricAttribution": {"metricAttributionArn": counted, **changed},
            "TagResource": {
                "resourceArn": self.arn(f"campaign/{name}"),
                "tags": [{"tagKey": f"k{pick}", "tagValue": other}],
            },
            "UntagResource": {"resourceArn": self.arn(f"campaign/{name}"), "tagKeys": [f"k{pick}"]},
        }

    def model_params(self, name: str, other: str, group: str, pick: int, choice: bool) -> dict[str, dict[str, Any]]:
        """Requests about models and what serves them."""
        group_arn, solution = self.arn(f"dataset-group/{group}"), self.arn(f"solution/{other}")
        recommender, campaign = self.arn(f"recommender/{name}"), self.arn(f"campaign/{name}")
        batch = {"jobName": name, "solutionVersionArn": self.version(other, pick), **BATCH}
        filtered = {"filterArn": self.arn(f"filter/{name}")} if choice else {}
        recipe = AFFINITY if pick > 5 else V2 if choice else V1
        return {
            "CreateSolution": {"name": other, "datasetGroupArn": group_arn, "recipeArn": recipe},
            "CreateBatchInferenceJob": {**batch, **filtered},
            "CreateBatchSegmentJob": batch,
            "UpdateSolution": {"solutionArn": solution, "performAutoTraining": choice},
            "CreateSolutionVersion": {"solutionArn": solution, "trainingMode": "FULL" if choice else "UPDATE"},
            "StopSolutionVersionCreation": {"solutionVersionArn": self.version(other, pick)},
            "CreateCampaign": {
                "name": name,
                "solutionVersionArn": f"{solution}/$LATEST",
                "campaignConfig": {"syncWithLatestSolutionVersion": choice},
            },
            "UpdateCampaign": {
                "campaignArn": campaign,
                "solutionVersionArn": self.version(other, pick),
                "minProvisionedTPS": 1 + choice,
            },
            "CreateRecommender": {"name": name, "datasetGroupArn": group_arn, "recipeArn": TOP_PICKS},
            "StartRecommender": {"recommenderArn": recommender},
            "StopRecommender": {"recommenderArn": recommender},
            "UpdateRecommender": {
                "recommenderArn": recommender,
                "recommenderConfig": {"minRecommendationRequestsPerSecond": 1 + choice},
            },
        }

    # One rule for all operations: Hypothesis leaves whole rules out of a sequence, and would leave out most.
    @rule(operation=CALLS, name=NAMES, other=NAMES, group=GROUPS, pick=PICK, choice=st.booleans())
    def call(self, operation: str, name: str, other: str, group: str, pick: int, choice: bool) -> None:
        """Make or change something."""
        self.attempt(operation, **self.params(operation, name, other, group, pick, choice))

    @rule(kind=st.sampled_from(sorted(DELETABLE)), pick=PICK)
    def delete(self, kind: str, pick: int) -> None:
        """Delete one of the resources of a kind."""
        found = [arn for arn, (word, _, _) in self.seen.items() if word == kind]
        if found:
            operation, member = DELETABLE[kind]
            arn = found[pick % len(found)]
            if self.attempt(operation, **{member: arn}):
                self.condemned.add(arn)

    @rule(pick=PICK, end=st.sampled_from(["begin", "succeed", "fail", "crash"]))
    def step(self, pick: int, end: str) -> None:
        """A worker takes up one of the jobs, and carries it through, fails at it, or dies."""
        waiting = self.tenant.pending()
        if not waiting:
            return
        with self.tenant.database.transaction() as connection:
            job = lifecycle.begin(connection, waiting[pick % len(waiting)])
        self.every_change_is_legal()
        if job is not None and end == "succeed":
            self.tenant.end_well(job)
        elif job is not None and end == "fail":
            with self.tenant.database.transaction() as connection:
                lifecycle.fail(connection, job, "It did not work out.")

    @rule()
    def let_the_worker_finish(self) -> None:
        """After everything waiting is done, nothing is left in a state of work."""
        self.tenant.work_one_by_one(self.every_change_is_legal)
        assert not {status for _, status, _ in self.seen.values()} & {*states.BUSY, *states.DELETING}

    @invariant()
    def every_change_is_legal(self) -> None:
        with self.tenant.database.read() as connection:
            rows = connection.execute(sa.select(resources).where(resources.c.status.is_not(None))).all()
        now = {row.arn: (row.kind, str(row.status), row.parent) for row in rows}
        for arn, (kind, status, parent) in self.seen.items():
            if arn in now:
                became = now[arn][1]
                assert became == status or became in states.TRANSITIONS[kind][status], f"{arn}: {status} to {became}"
            else:
                # What a failed deletion gave back still goes with what it lives in.
                may_go_along = kind not in OF_THEIR_OWN or arn in self.condemned
                went_along = parent is not None and parent not in now and may_go_along
                assert went_along or status in states.DELETING, f"{arn} went from {status}"
        self.seen = now
        self.condemned &= set(now)

    @invariant()
    def nothing_dangles(self) -> None:
        """What a resource uses is there, unless the resource is on its way out itself."""
        used = resources.alias()
        target = sa.select(used.c.arn).where(used.c.arn == references.c.target)
        query = (
            sa.select(references.c.source, references.c.target)
            .join(resources, resources.c.arn == references.c.source)
            .where(resources.c.status.not_in(states.DELETING), ~ENDED_JOBS, ~target.exists())
        )
        with self.tenant.database.read() as connection:
            assert connection.execute(query).all() == []


Sequences.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
TestSequences = Sequences.TestCase
