"""The quotas of the service as one table: the real figures with MATINEE_AWS_QUOTAS, generous ones without."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from matinee.control import records, states
from matinee.control.context import Caller
from matinee.errors import LimitExceeded

_GENEROUS = 100_000
_UNFINISHED = "More than {limit} resources with PENDING or IN_PROGRESS status."


@dataclass(frozen=True)
class Quota:
    """How many resources of a kind one account may have in a region, or in one dataset group.

    Counted are those in the states `only`, or all but those in the states `without`. `sentence` is recorded from the
    service where it is known.
    """

    kind: str
    aws: int
    generous: int
    sentence: str
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = states.DELETING

    def check(self, connection: sa.Connection, caller: Caller, *, real: bool, group: str | None = None) -> None:
        """Raise `LimitExceeded` when one more would be too many. `group` is the ARN of the group that is counted."""
        limit = self.aws if real else self.generous
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


def _in_region(kind: str, aws: int, title: str) -> Quota:
    return Quota(kind, aws, _GENEROUS, f"More than {{limit}} {title} in this region. Delete some and try again.")


def _in_group(kind: str, aws: int, title: str, generous: int = _GENEROUS) -> Quota:
    return Quota(
        kind,
        aws,
        generous,
        f"More than {{limit}} {title} in this dataset group. Delete some and try again.",
        without=(*states.DELETING, "CREATE FAILED"),
    )


def _unfinished(kind: str, aws: int) -> Quota:
    return Quota(kind, aws, _GENEROUS, _UNFINISHED, only=states.BUSY)


#: In a region.
SCHEMAS = _in_region("schema", 500, "schemas")
DATASET_GROUPS = _in_region("dataset-group", 5, "dataset groups")
IMPORT_JOBS = _unfinished("dataset-import-job", 5)
BATCH_INFERENCE_JOBS = _unfinished("batch-inference-job", 5)
BATCH_SEGMENT_JOBS = _unfinished("batch-segment-job", 5)
SOLUTION_VERSIONS = _unfinished("solution-version", 20)

#: In a dataset group.
SOLUTIONS = _in_group("solution", 10, "solutions")
CAMPAIGNS = Quota(
    "campaign",
    5,
    _GENEROUS,
    "Cannot create a campaign. More than {limit} resources in ACTIVE state. Please delete some and try again.",
    without=(*states.DELETING, "CREATE FAILED"),
)
RECOMMENDERS = _in_group("recommender", 5, "recommenders")
FILTERS = _in_group("filter", 30, "filters")
DATA_DELETION_JOBS = _unfinished("data-deletion-job", 5)
#: These two do not grow: what streams in, and what is counted, belongs to the one there is.
EVENT_TRACKERS = _in_group("event-tracker", 1, "event tracker", 1)
METRIC_ATTRIBUTIONS = _in_group("metric-attribution", 1, "metric attribution", 1)


def filter_fields(*, real: bool) -> int:
    """How many distinct fields all filters of a dataset group may name."""
    return 20 if real else _GENEROUS
