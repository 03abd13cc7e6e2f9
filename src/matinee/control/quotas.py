"""The quotas of resources: what is counted where, and the sentence of a refusal; `matinee.quotas` has the numbers."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from matinee.control import records, states
from matinee.control.context import Caller
from matinee.errors import LimitExceeded
from matinee.settings import Settings

_UNFINISHED = "More than {limit} resources with PENDING or IN_PROGRESS status."


@dataclass(frozen=True)
class Quota:
    """How many resources of a kind one account may have in a region, or in one dataset group.

    Counted are those in the states `only`, or all but those in the states `without`. `sentence` is recorded from the
    service where it is known. `name` is that of the number in the table; None: one, whatever the settings say.
    """

    kind: str
    name: str | None
    sentence: str
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = states.DELETING

    def check(self, connection: sa.Connection, caller: Caller, settings: Settings, *, group: str | None = None) -> None:
        """Raise `LimitExceeded` when one more would be too many. `group` is the ARN of the group that is counted."""
        limit = 1 if self.name is None else settings.quota(self.name)
        if limit is None:
            return
        counted = records.count(
            connection,
            self.kind,
            account=caller.account,
            region=caller.region,
            using=group,
            only=self.only,
            without=self.without,
        )
        if counted >= limit:
            raise LimitExceeded(self.sentence.format(limit=limit))


def _in_region(kind: str, title: str) -> Quota:
    return Quota(kind, f"{kind}s", f"More than {{limit}} {title} in this region. Delete some and try again.")


def _in_group(kind: str, title: str, name: str | None) -> Quota:
    return Quota(
        kind,
        name,
        f"More than {{limit}} {title} in this dataset group. Delete some and try again.",
        without=(*states.DELETING, "CREATE FAILED"),
    )


def _unfinished(kind: str, name: str) -> Quota:
    return Quota(kind, name, _UNFINISHED, only=states.BUSY)


#: In a region.
SCHEMAS = _in_region("schema", "schemas")
DATASET_GROUPS = _in_region("dataset-group", "dataset groups")
IMPORT_JOBS = _unfinished("dataset-import-job", "import-jobs")
BATCH_INFERENCE_JOBS = _unfinished("batch-inference-job", "batch-inference-jobs")
BATCH_SEGMENT_JOBS = _unfinished("batch-segment-job", "batch-segment-jobs")
SOLUTION_VERSIONS = _unfinished("solution-version", "solution-versions")

#: In a dataset group.
SOLUTIONS = _in_group("solution", "solutions", "solutions")
CAMPAIGNS = Quota(
    "campaign",
    "campaigns",
    "Cannot create a campaign. More than {limit} resources in ACTIVE state. Please delete some and try again.",
    without=(*states.DELETING, "CREATE FAILED"),
)
RECOMMENDERS = _in_group("recommender", "recommenders", "recommenders")
FILTERS = _in_group("filter", "filters", "filters")
DATA_DELETION_JOBS = _unfinished("data-deletion-job", "data-deletion-jobs")
#: These two do not grow: what streams in, and what is counted, belongs to the one there is.
EVENT_TRACKERS = _in_group("event-tracker", "event tracker", None)
METRIC_ATTRIBUTIONS = _in_group("metric-attribution", "metric attribution", None)
