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
from tests.unit.control.tenant import INTERACTIONS, RECIPES, V2, Tenant

from matinee.control import lifecycle, states
from matinee.errors import ApiError
from matinee.settings import Settings
from matinee.storage.metadata import references, resources

NAMES = st.sampled_from(["a", "b"])
GROUPS = st.sampled_from(["films", "shop"])
KINDS_OF_RECIPE = st.sampled_from([V2, f"{RECIPES}aws-user-personalization"])
DELETABLE = {
    "dataset-group": ("DeleteDatasetGroup", "datasetGroupArn"),
    "dataset": ("DeleteDataset", "datasetArn"),
    "event-tracker": ("DeleteEventTracker", "eventTrackerArn"),
    "solution": ("DeleteSolution", "solutionArn"),
    "campaign": ("DeleteCampaign", "campaignArn"),
    "recommender": ("DeleteRecommender", "recommenderArn"),
}
#: These go when they are deleted; what is not among them goes with what it lives in.
OF_THEIR_OWN = tuple(DELETABLE)
PICK = st.integers(0, 7)


class Sequences(RuleBasedStateMachine):
    """Two groups, two of everything in them, calls and jobs in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.tenant = Tenant.of(Settings(home=Path(self.folder.name), aws_quotas=True), "sqlite://")
        self.seen: dict[str, tuple[str, str, str | None]] = {}
        self.tenant.schema("schema", INTERACTIONS)
        self.tenant.schema("domain", INTERACTIONS, domain="VIDEO_ON_DEMAND")

    @initialize(furnished=st.sampled_from([True, True, True, False]))
    def furnish(self, furnished: bool) -> None:
        """Most sequences start where an application is up and running."""
        if furnished:
            films = self.tenant.group("films")
            self.tenant.group("shop", domain="VIDEO_ON_DEMAND")
            self.tenant.dataset(films, self.arn("schema/schema"))
            version = self.tenant.version(self.tenant.solution(films, "a"))
            self.tenant.campaign(version, "a", campaignConfig={"enableMetadataWithRecommendations": True})
            self.create_recommender("a")
            self.create_tracker("films", "a")
            self.tenant.work()
            assert self.tenant.status(self.arn("recommender/a")) == "ACTIVE"

    def teardown(self) -> None:
        """Every sequence ends with the worker at rest, so that what was begun shows its consequences."""
        self.let_the_worker_finish()
        self.nothing_dangles()
        self.tenant.database.close()
        self.folder.cleanup()

    def attempt(self, operation: str, **params: Any) -> None:
        """Call an operation; a refusal that the model declares is as good an answer as any."""
        with suppress(ApiError):
            self.tenant.call(operation, **params)

    def arn(self, suffix: str) -> str:
        return self.tenant.caller.arn(suffix)

    def version(self, solution: str, pick: int) -> str:
        """Some version of a solution; one that does not exist when there is none."""
        found = [arn for arn in self.seen if arn.startswith(self.arn(f"solution/{solution}/"))]
        return found[pick % len(found)] if found else self.arn(f"solution/{solution}/00000000")

    @rule(name=GROUPS)
    def create_group(self, name: str) -> None:
        domain = {"domain": "VIDEO_ON_DEMAND"} if name == "shop" else {}
        self.attempt("CreateDatasetGroup", name=name, **domain)

    @rule(group=GROUPS, schema=st.sampled_from(["schema", "domain"]))
    def create_dataset(self, group: str, schema: str) -> None:
        self.attempt(
            "CreateDataset",
            name="d",
            datasetGroupArn=self.arn(f"dataset-group/{group}"),
            schemaArn=self.arn(f"schema/{schema}"),
            datasetType="interactions",
        )

    @rule(group=GROUPS, name=NAMES, mode=st.sampled_from(["FULL", "INCREMENTAL"]))
    def import_data(self, group: str, name: str, mode: str) -> None:
        self.attempt(
            "CreateDatasetImportJob",
            jobName=name,
            datasetArn=self.arn(f"dataset/{group}/INTERACTIONS"),
            dataSource={"dataLocation": "s3://b/k.csv"},
            importMode=mode,
        )

    @rule(group=GROUPS, name=NAMES)
    def create_tracker(self, group: str, name: str) -> None:
        self.attempt("CreateEventTracker", name=name, datasetGroupArn=self.arn(f"dataset-group/{group}"))

    @rule(group=GROUPS, name=NAMES, recipe=KINDS_OF_RECIPE)
    def create_solution(self, group: str, name: str, recipe: str) -> None:
        self.attempt("CreateSolution", name=name, datasetGroupArn=self.arn(f"dataset-group/{group}"), recipeArn=recipe)

    @rule(name=NAMES, automatic=st.booleans())
    def update_solution(self, name: str, automatic: bool) -> None:
        self.attempt("UpdateSolution", solutionArn=self.arn(f"solution/{name}"), performAutoTraining=automatic)

    @rule(solution=NAMES, mode=st.sampled_from(["FULL", "UPDATE"]))
    def create_version(self, solution: str, mode: str) -> None:
        self.attempt("CreateSolutionVersion", solutionArn=self.arn(f"solution/{solution}"), trainingMode=mode)

    @rule(solution=NAMES, pick=PICK)
    def stop_version(self, solution: str, pick: int) -> None:
        self.attempt("StopSolutionVersionCreation", solutionVersionArn=self.version(solution, pick))

    @rule(name=NAMES, solution=NAMES, sync=st.booleans())
    def create_campaign(self, name: str, solution: str, sync: bool) -> None:
        self.attempt(
            "CreateCampaign",
            name=name,
            solutionVersionArn=self.arn(f"solution/{solution}/$LATEST"),
            campaignConfig={"syncWithLatestSolutionVersion": sync},
        )

    @rule(name=NAMES, solution=NAMES, pick=PICK, tps=st.integers(1, 2))
    def update_campaign(self, name: str, solution: str, pick: int, tps: int) -> None:
        self.attempt(
            "UpdateCampaign",
            campaignArn=self.arn(f"campaign/{name}"),
            solutionVersionArn=self.version(solution, pick),
            minProvisionedTPS=tps,
        )

    @rule(name=NAMES)
    def create_recommender(self, name: str) -> None:
        self.attempt(
            "CreateRecommender",
            name=name,
            datasetGroupArn=self.arn("dataset-group/shop"),
            recipeArn=f"{RECIPES}aws-vod-top-picks",
        )

    @rule(name=NAMES, operation=st.sampled_from(["StartRecommender", "StopRecommender"]))
    def switch_recommender(self, name: str, operation: str) -> None:
        self.attempt(operation, recommenderArn=self.arn(f"recommender/{name}"))

    @rule(name=NAMES, requests=st.integers(1, 2))
    def update_recommender(self, name: str, requests: int) -> None:
        config = {"minRecommendationRequestsPerSecond": requests}
        self.attempt("UpdateRecommender", recommenderArn=self.arn(f"recommender/{name}"), recommenderConfig=config)

    @rule(kind=st.sampled_from(sorted(DELETABLE)), pick=PICK)
    def delete(self, kind: str, pick: int) -> None:
        """Delete one of the resources of a kind."""
        found = [arn for arn, (word, _, _) in self.seen.items() if word == kind]
        if found:
            operation, member = DELETABLE[kind]
            self.attempt(operation, **{member: found[pick % len(found)]})

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
                went_along = parent is not None and parent not in now and kind not in OF_THEIR_OWN
                assert went_along or status in states.DELETING, f"{arn} went from {status}"
        self.seen = now

    @invariant()
    def nothing_dangles(self) -> None:
        """What a resource uses is there, unless the resource is on its way out itself."""
        used = resources.alias()
        target = sa.select(used.c.arn).where(used.c.arn == references.c.target)
        query = (
            sa.select(references.c.source, references.c.target)
            .join(resources, resources.c.arn == references.c.source)
            .where(resources.c.status.not_in(states.DELETING), ~target.exists())
        )
        with self.tenant.database.read() as connection:
            assert connection.execute(query).all() == []


Sequences.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
TestSequences = Sequences.TestCase
