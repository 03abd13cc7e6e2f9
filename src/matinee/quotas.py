"""The quotas of Amazon Personalize that a server can keep: one table, from which settings take the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from matinee.errors import SettingsProblem

_MANY = 100_000
_MB, _GB = 10**6, 10**9


@dataclass(frozen=True)
class Quota:
    """One quota: the service's number (None: it publishes none), and the one without MATINEE_AWS_QUOTAS (None: none).

    `about` says what is counted, and what happens to one too many.
    """

    name: str
    aws: int | None
    generous: int | None
    about: str


class Limit(NamedTuple):
    """A number that takes the place of a quota's; reads `name=number`."""

    name: str
    number: int

    def __str__(self) -> str:
        return f"{self.name}={self.number}"


_TABLE = (
    # Resources: LimitExceededException.
    Quota("schemas", 500, _MANY, "Schemas in a region: LimitExceededException."),
    Quota("dataset-groups", 5, _MANY, "Dataset groups in a region: LimitExceededException."),
    Quota("import-jobs", 5, _MANY, "Import jobs in a region that have not ended: LimitExceededException."),
    Quota("batch-inference-jobs", 5, _MANY, "Likewise for batch inference jobs."),
    Quota("batch-segment-jobs", 5, _MANY, "Likewise for batch segment jobs."),
    Quota("solution-versions", 20, _MANY, "Likewise for solution versions."),
    Quota("solutions", 10, _MANY, "Solutions of a dataset group: LimitExceededException."),
    Quota("campaigns", 5, _MANY, "Campaigns of a dataset group: LimitExceededException."),
    Quota("recommenders", 5, _MANY, "Recommenders of a dataset group: LimitExceededException."),
    Quota("filters", 30, _MANY, "Filters of a dataset group: LimitExceededException."),
    Quota("filter-fields", 20, _MANY, "Distinct fields in all filters of a dataset group: LimitExceededException."),
    Quota("data-deletion-jobs", 5, _MANY, "Data deletion jobs of a group, not ended: LimitExceededException."),
    # Sizes: the job's failureReason, or what a training leaves out.
    Quota("full-import-bytes", 100 * _GB, None, "Bytes of all files of a FULL import: the job fails."),
    Quota("incremental-import-bytes", _GB, None, "Bytes of all files of an INCREMENTAL import: the job fails."),
    Quota("data-deletion-bytes", 100 * _MB, _GB, "Bytes of all files of a data deletion: the job fails."),
    Quota("batch-files", 1000, None, "Input files of a batch job: the job fails."),
    Quota("batch-bytes", _GB, None, "Bytes of all input files of a batch job: the job fails."),
    Quota("batch-records", 50_000_000, None, "Lines of one input file of batch inference: the job fails."),
    Quota("themed-records", 100, None, "Likewise with themes."),
    Quota("item-affinity-queries", 500, None, "Lines of one input file of aws-item-affinity: the job fails."),
    Quota(
        "attribute-affinity-queries", 10, None, "Lines of one input file of aws-item-attribute-affinity: the job fails."
    ),
    Quota(
        "event-features", 10, 100, "Distinct event types and optional columns of Interactions together: training fails."
    ),
    Quota("interactions", 500_000_000, None, "Interactions that a training considers, the newest."),
    Quota("v2-interactions", 3_000_000_000, None, "Likewise for recipes whose name ends in -v2."),
    Quota("items", 750_000, None, "Items that a training considers, those created or interacted with last."),
    Quota("v2-items", 5_000_000, None, "Likewise for recipes whose name ends in -v2."),
    Quota("semantic-items", 10_000_000, None, "Likewise for aws-semantic-similarity."),
    Quota("event-bytes", 10_000, None, "Bytes of one event of PutEvents, as JSON: InvalidInputException."),
    # Rates: ThrottlingException.
    Quota("control-rate", None, None, "Control-plane calls a second of an account: ThrottlingException."),
    Quota("put-events-rate", 1000, None, "PutEvents calls a second for a dataset group: ThrottlingException."),
    Quota("put-items-rate", 10, None, "PutItems calls a second for a dataset group: ThrottlingException."),
    Quota("put-users-rate", 10, None, "PutUsers calls a second for a dataset group: ThrottlingException."),
    Quota("put-actions-rate", 10, None, "PutActions calls a second for a dataset group: ThrottlingException."),
    Quota(
        "put-action-interactions-rate",
        None,
        None,
        "PutActionInteractions calls a second for a dataset group: ThrottlingException.",
    ),
    Quota("runtime-rate", 2500, None, "Runtime calls a second of an account: ThrottlingException."),
    Quota(
        "campaign-rate",
        500,
        None,
        "Calls a second of one runtime operation to a campaign or recommender: ThrottlingException.",
    ),
)

#: Every quota by its name.
QUOTAS: Mapping[str, Quota] = MappingProxyType({quota.name: quota for quota in _TABLE})


def limits_of(variable: str, text: str) -> tuple[Limit, ...]:
    """Limits from `name=number,name=number`. Raises `SettingsProblem` that names the variable."""
    found: dict[str, Limit] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = (part.strip() for part in pair.partition("="))
        if name not in QUOTAS:
            raise SettingsProblem(f"{variable}: there is no quota {name!r}; there are {', '.join(QUOTAS)}.")
        if not number.isdecimal():
            raise SettingsProblem(f"{variable}: {pair!r} must read name=number, the number a whole one from 0.")
        found[name] = Limit(name, int(number))
    return tuple(found.values())
