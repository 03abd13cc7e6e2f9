"""The same random sequence of operations on SQLite and on PostgreSQL: the same answers, refusals and rows."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from tests.unit.control.tenant import Tenant
from tests.unit.control.test_random_sequences import CALLS, DELETABLE, GROUPS, NAMES, PICK, Sequences, prepare

from matinee.control import lifecycle
from matinee.errors import ApiError
from matinee.settings import Settings
from matinee.storage.metadata import jobs, references, resources, tables

#: What differs from one service to the next: tracking IDs, the digits that end some ARNs, times.
_CHOSEN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=/)[0-9a-f]{8}\b")
_TIME = re.compile(r"\b1[0-9]{12}\b")


class Twin(Sequences):
    """One of the two services, empty, with the two schemas."""

    def __init__(self, tenant: Tenant) -> None:
        RuleBasedStateMachine.__init__(self)
        self.tenant = tenant
        self._chosen: dict[str, str] = {}
        with tenant.database.transaction() as connection:
            for table in tables.sorted_tables:
                connection.execute(table.delete())
        prepare(tenant)

    def plain(self, answer: object) -> str:
        """An answer with chosen identifiers numbered in the order in which they appear, and without times."""
        text = _TIME.sub("time", json.dumps(answer, sort_keys=True, default=str))
        return _CHOSEN.sub(lambda found: self._chosen.setdefault(found[0], f"chosen{len(self._chosen)}"), text)

    def arns(self, kind: str) -> list[str]:
        """The resources of a kind, oldest first."""
        query = sa.select(resources.c.arn).where(resources.c.kind == kind).order_by(resources.c.seq)
        with self.tenant.database.read() as connection:
            return list(connection.scalars(query))

    def version(self, solution: str, pick: int) -> str:
        """Some version of a solution; one that does not exist when there is none."""
        found = [arn for arn in self.arns("solution-version") if f"/{solution}/" in arn]
        return found[pick % len(found)] if found else self.arn(f"solution/{solution}/00000000")

    def answer(self, operation: str, **params: Any) -> str:
        """The answer of an operation, or its refusal."""
        try:
            return self.plain(self.tenant.call(operation, **params))
        except ApiError as refusal:
            return self.plain([type(refusal).__name__, str(refusal)])

    def called(self, operation: str, name: str, other: str, group: str, pick: int, choice: bool) -> str:
        """Call an operation that makes or changes something."""
        return self.answer(operation, **self.params(operation, name, other, group, pick, choice))

    def deleted(self, kind: str, pick: int) -> str:
        """Delete one of the resources of a kind."""
        operation, member = DELETABLE[kind]
        found = self.arns(kind)
        return self.answer(operation, **{member: found[pick % len(found)]}) if found else ""

    def worked(self, pick: int, good: bool) -> str:
        """Carry out one of the waiting jobs."""
        query = sa.select(jobs.c.id, jobs.c.kind, jobs.c.arn).where(jobs.c.id.in_(self.tenant.pending()))
        with self.tenant.database.read() as connection:
            waiting = sorted((self.plain([row.arn, row.kind]), str(row.id)) for row in connection.execute(query))
        if not waiting:
            return ""
        place, job_id = waiting[pick % len(waiting)]
        with self.tenant.database.transaction() as connection:
            job = lifecycle.begin(connection, job_id)
        if job is not None and good:
            self.tenant.end_well(job)
        elif job is not None:
            with self.tenant.database.transaction() as connection:
                lifecycle.fail(connection, job, "It did not work out.")
        return place

    def look(self) -> list[str]:
        """Every resource, oldest first, and who uses whom."""
        c = resources.c
        rows = sa.select(c.arn, c.kind, c.parent, c.status, c.failure_reason, c.attributes).order_by(c.seq)
        with self.tenant.database.read() as connection:
            made = [self.plain(list(row)) for row in connection.execute(rows)]
            return made + sorted(self.plain(list(row)) for row in connection.execute(sa.select(references)))

    def told(self) -> list[str]:
        """What Describe shows of every resource, and every List page by page."""
        answers = [self.plain(self.tenant.shown(arn)) for kind in LISTED for arn in self.arns(kind)]
        for operation in LISTED.values():
            page: dict[str, Any] = {}
            while "nextToken" in (page := self.tenant.call(operation, maxResults=2, **_next(page))):
                answers.append(self.plain({**page, "nextToken": ""}))
            answers.append(self.plain(page))
        return answers


#: Kinds that the sequences make, and their Lists.
LISTED = {
    "dataset-group": "ListDatasetGroups",
    "schema": "ListSchemas",
    "dataset": "ListDatasets",
    "dataset-import-job": "ListDatasetImportJobs",
    "event-tracker": "ListEventTrackers",
    "solution": "ListSolutions",
    "solution-version": "ListSolutionVersions",
    "campaign": "ListCampaigns",
    "recommender": "ListRecommenders",
    "filter": "ListFilters",
    "dataset-export-job": "ListDatasetExportJobs",
    "data-deletion-job": "ListDataDeletionJobs",
    "metric-attribution": "ListMetricAttributions",
    "batch-inference-job": "ListBatchInferenceJobs",
    "batch-segment-job": "ListBatchSegmentJobs",
}


def _next(page: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in page.items() if name == "nextToken"}


Step = Callable[[Twin], str]


def _call(operation: str, name: str, other: str, group: str, pick: int, choice: bool) -> Step:
    return lambda twin: twin.called(operation, name, other, group, pick, choice)


_STEPS = st.one_of(
    st.builds(_call, CALLS, NAMES, NAMES, GROUPS, PICK, st.booleans()),
    st.builds(_call, CALLS, NAMES, NAMES, GROUPS, PICK, st.booleans()),
    st.builds(lambda kind, pick: lambda twin: twin.deleted(kind, pick), st.sampled_from(sorted(DELETABLE)), PICK),
    st.builds(lambda pick, good: lambda twin: twin.worked(pick, good), PICK, st.sampled_from([True, True, False])),
)
#: Where an application is up and running.
_FURNISHED: list[Step] = [
    _call("CreateDatasetGroup", "a", "a", "films", 0, True),
    _call("CreateDatasetGroup", "a", "a", "shop", 0, True),
    *[lambda twin: twin.worked(0, True)] * 2,
    _call("CreateDataset", "a", "a", "films", 0, False),
    _call("CreateSolution", "a", "a", "films", 0, True),
    _call("CreateRecommender", "a", "a", "shop", 0, True),
    _call("CreateSolutionVersion", "a", "a", "films", 0, True),
    *[lambda twin: twin.worked(0, True)] * 3,
    _call("CreateCampaign", "a", "a", "films", 0, True),
]


def test_both_databases_answer_alike(shared_postgres: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        kept = Settings(home=Path(folder), aws_quotas=True)
        tenants = [Tenant.of(kept, url) for url in ("sqlite://", shared_postgres)]

        @settings(
            max_examples=12,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )
        @given(steps=st.lists(_STEPS, min_size=10, max_size=40))
        def alike(steps: list[Step]) -> None:
            one, other = (Twin(tenant) for tenant in tenants)
            for step in [*_FURNISHED, *steps]:
                assert step(one) == step(other)
                assert one.look() == other.look()
            assert one.told() == other.told()

        alike()
        for tenant in tenants:
            tenant.database.close()
