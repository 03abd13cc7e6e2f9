"""Wrong states, every one of them: what an operation asks of its resource, of what it names, of what uses it.

The tables are the specification's: 0.5 for the states of each kind, 1.1 and each kind's own section for the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from tests.contract import refusal_rows as rows
from tests.contract.refusal_rows import II, IU, Request
from tests.contract.refusal_stage import METRIC

_CREATE = ("CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE", "CREATE FAILED")
_DELETE = ("DELETE PENDING", "DELETE IN_PROGRESS")
_JOB = _CREATE

#: 0.5. A solution is configuration only, so that it is never seen being made (0.5, 16 of the survey of programs).
LIFECYCLES: Mapping[str, tuple[str, ...]] = {
    "dataset-group": (*_CREATE, *_DELETE),
    "dataset": (*_CREATE, "UPDATE PENDING", "UPDATE IN_PROGRESS", *_DELETE),
    "dataset-import-job": _JOB,
    "dataset-export-job": _JOB,
    "data-deletion-job": ("PENDING", "IN_PROGRESS", "COMPLETED", "FAILED"),
    "solution": ("ACTIVE", "CREATE FAILED", *_DELETE),
    "solution-version": (*_CREATE, "CREATE STOPPING", "CREATE STOPPED"),
    "campaign": (*_CREATE, *_DELETE),
    "event-tracker": (*_CREATE, *_DELETE),
    "filter": (*_CREATE, *_DELETE),
    "metric-attribution": (*_CREATE, *_DELETE),
    "recommender": (
        *_CREATE,
        "STOP PENDING",
        "STOP IN_PROGRESS",
        "INACTIVE",
        "START PENDING",
        "START IN_PROGRESS",
        *_DELETE,
    ),
    "batch-inference-job": _JOB,
    "batch-segment-job": _JOB,
}
#: Work that has ended badly: waiting for it would not help.
_FAILED = ("CREATE FAILED", "CREATE STOPPED", "FAILED")
_ENDED = ("ACTIVE", "INACTIVE", "COMPLETED", *_FAILED, *_DELETE)
#: What stands for each kind on the stage.
SAMPLES: Mapping[str, str] = {
    "dataset-group": "group.films",
    "dataset": "dataset.items",
    "dataset-import-job": "import.done",
    "dataset-export-job": "export.first",
    "data-deletion-job": "deletion.first",
    "solution": "solution.v2",
    "solution-version": "version.v2",
    "campaign": "campaign.live",
    "event-tracker": "tracker.films",
    "filter": "filter.items",
    "metric-attribution": "attribution.films",
    "recommender": "recommender.active",
    "batch-inference-job": "batch.first",
    "batch-segment-job": "segment.first",
    "schema": "schema.items",
}


@dataclass(frozen=True)
class Case:
    """An operation on, or with, a resource of a kind in a state, and what it is refused with.

    `@twin` in the request stands for that resource.
    """

    section: str
    operation: str
    kind: str
    status: str
    request: Request
    exception: str
    words: str

    def __str__(self) -> str:
        member = next(member for member, value in self.request.items() if value == "@twin")
        return f"{self.section}-{self.operation}-{member}-{self.status}"


@dataclass(frozen=True)
class Use:
    """A resource of `kind` whose `user` is in a state: whether that forbids deleting it."""

    section: str
    kind: str
    user: str
    status: str
    forbids: bool

    def __str__(self) -> str:
        return f"{self.section}-{self.kind}-{self.user}-{self.status}"


def arn_member(kind: str) -> str:
    """`solutionVersionArn` of `solution-version`."""
    first, *rest = kind.split("-")
    return first + "".join(word.capitalize() for word in rest) + "Arn"


def _named(kind: str) -> str:
    return "".join(word.capitalize() for word in kind.split("-"))


def _others(
    section: str, operation: str, kind: str, allowed: tuple[str, ...], request: Request, **of_state: str
) -> Iterator[Case]:
    """A refusal in each state of a kind but the allowed; ResourceInUse unless `of_state` says another for a state."""
    for status in LIFECYCLES[kind]:
        if status not in allowed:
            exception = of_state.get(status.replace(" ", "_"), IU)
            yield Case(section, operation, kind, status, request, exception, rf"status (is )?{status}\b")


def own_states() -> Iterator[Case]:
    """What an operation asks of the resource that it is about."""
    sections = {
        "dataset-group": "1.2",
        "dataset": "1.4",
        "event-tracker": "1.8",
        "solution": "1.9",
        "campaign": "6.1",
        "recommender": "6.3",
        "filter": "1.13",
        "metric-attribution": "1.15",
    }
    for kind, section in sections.items():
        deletable = ("ACTIVE", "CREATE FAILED", "INACTIVE")
        yield from _others(section, f"Delete{_named(kind)}", kind, deletable, {arn_member(kind): "@twin"})
    replaced = {"datasetArn": "@twin", "schemaArn": "@schema.items.wide"}
    yield from _others("1.4", "UpdateDataset", "dataset", ("ACTIVE",), replaced, CREATE_FAILED=II)
    yield from _others(
        "1.9",
        "UpdateSolution",
        "solution",
        ("ACTIVE",),
        {"solutionArn": "@twin", "performAutoTraining": False},
        CREATE_FAILED=II,
    )
    faster = {"campaignArn": "@twin", "minProvisionedTPS": 9}
    yield from _others("6.1", "UpdateCampaign", "campaign", ("ACTIVE", "CREATE FAILED"), faster)
    config = {"recommenderConfig": {"minRecommendationRequestsPerSecond": 9}}
    for operation, more, allowed in (
        ("UpdateRecommender", config, ("ACTIVE", "INACTIVE")),
        ("StartRecommender", {}, ("INACTIVE",)),
        ("StopRecommender", {}, ("ACTIVE",)),
    ):
        yield from _others("6.3", operation, "recommender", allowed, {"recommenderArn": "@twin", **more})
    added = {"metricAttributionArn": "@twin", "addMetrics": [{**METRIC, "metricName": "another"}]}
    yield from _others("1.15", "UpdateMetricAttribution", "metric-attribution", ("ACTIVE",), added, CREATE_FAILED=II)
    version = {"solutionVersionArn": "@twin"}
    yield from _others("1.10", "GetSolutionMetrics", "solution-version", ("ACTIVE",), version)
    for status, exception, words in (
        ("CREATE STOPPING", IU, "is stopping already"),
        ("ACTIVE", II, "cannot be stopped: its status is ACTIVE"),
        ("CREATE FAILED", II, "cannot be stopped: its status is CREATE FAILED"),
        ("CREATE STOPPED", II, "cannot be stopped: its status is CREATE STOPPED"),
    ):
        yield Case("1.10", "StopSolutionVersionCreation", "solution-version", status, version, exception, words)
    for kind, states in LIFECYCLES.items():
        if kind != "metric-attribution" and "DELETE PENDING" in states:
            tagging = {"resourceArn": "@twin", "tags": [{"tagKey": "a", "tagValue": "b"}]}
            for status in _DELETE:
                yield Case("1.17", "TagResource", kind, status, tagging, IU, f"in status {status}")
                untagging = {"resourceArn": "@twin", "tagKeys": ["a"]}
                yield Case("1.17", "UntagResource", kind, status, untagging, IU, f"in status {status}")


def named_states() -> Iterator[Case]:
    """1.1: what a request names must be ACTIVE: ResourceInUse while it is coming or going, InvalidInput when it
    failed."""
    of_group: dict[str, Callable[..., Request]] = {
        "CreateDataset": rows.dataset,
        "CreateDataDeletionJob": rows.deletion,
        "CreateEventTracker": partial(dict, name="new"),
        "CreateSolution": rows.solution,
        "CreateRecommender": rows.recommender,
        "CreateFilter": rows.filtering,
        "CreateMetricAttribution": partial(rows.attribution, METRIC),
    }
    segments = partial(rows.batch, solutionVersionArn="@version.segments")
    uses: list[tuple[str, str, str, Request]] = [
        *((operation, "dataset-group", "datasetGroupArn", request()) for operation, request in of_group.items()),
        ("CreateDatasetImportJob", "dataset", "datasetArn", rows.importing()),
        ("CreateDatasetExportJob", "dataset", "datasetArn", rows.exporting()),
        ("CreateSolutionVersion", "solution", "solutionArn", {}),
        ("CreateCampaign", "solution-version", "solutionVersionArn", rows.campaign()),
        ("UpdateCampaign", "solution-version", "solutionVersionArn", {"campaignArn": "@campaign.live"}),
        ("CreateBatchInferenceJob", "solution-version", "solutionVersionArn", rows.batch()),
        ("CreateBatchSegmentJob", "solution-version", "solutionVersionArn", segments()),
        ("CreateBatchInferenceJob", "filter", "filterArn", rows.batch()),
        ("CreateBatchSegmentJob", "filter", "filterArn", segments()),
    ]
    for operation, kind, member, request in uses:
        for status in LIFECYCLES[kind]:
            if status != "ACTIVE":
                waiting = II if operation == "CreateFilter" else IU  # the operation declares no ResourceInUse
                exception = II if status in _FAILED else waiting
                yield Case("1.1", operation, kind, status, {**request, member: "@twin"}, exception, status)


def uses() -> Iterator[Use]:
    """What keeps a resource from being deleted: live users, or for some only those whose work has not ended.

    4 of the survey of programs: what is being deleted itself does not.
    """
    live = {
        "1.2": ("dataset-group", ("event-tracker", "solution", "dataset", "recommender")),
        "1.3": ("schema", ("dataset",)),
        "1.9": ("solution", ("campaign",)),
    }
    for section, (kind, users) in live.items():
        for user in users:
            for status in LIFECYCLES[user]:
                yield Use(section, kind, user, status, forbids=status not in _DELETE)
    busy = {
        "1.4": ("dataset", ("dataset-import-job", "solution-version", "recommender")),
        "1.9": ("solution", ("solution-version",)),
        "1.13": ("filter", ("batch-inference-job",)),
    }
    for section, (kind, users) in busy.items():
        for user in users:
            for status in LIFECYCLES[user]:
                yield Use(section, kind, user, status, forbids=status not in _ENDED)
