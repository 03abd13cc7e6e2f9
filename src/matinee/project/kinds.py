"""The kinds of resources that a project file manages, and what the service's operations on them are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind. `update` is Describe's member that shows a running update; `mutable`, the Create members that an
    Update takes; `within_group`, whether its List can be limited to a dataset group.
    """

    word: str
    title: str
    snake: str
    member: str
    listed: str
    mutable: tuple[str, ...] = ()
    update: str | None = None
    within_group: bool = False
    taggable: bool = True
    has_status: bool = True

    @property
    def arn(self) -> str:
        """The member that holds the ARN, in requests, answers and summaries."""
        return f"{self.member}Arn"


GROUP = Kind("group", "dataset group", "dataset_group", "datasetGroup", "datasetGroups")
SCHEMA = Kind("schema", "schema", "schema", "schema", "schemas", taggable=False, has_status=False)
DATASET = Kind(
    "dataset",
    "dataset",
    "dataset",
    "dataset",
    "datasets",
    mutable=("schemaArn",),
    update="latestDatasetUpdate",
    within_group=True,
)
TRACKER = Kind("tracker", "event tracker", "event_tracker", "eventTracker", "eventTrackers", within_group=True)
FILTER = Kind("filter", "filter", "filter", "filter", "Filters", within_group=True)
SOLUTION = Kind(
    "solution",
    "solution",
    "solution",
    "solution",
    "solutions",
    mutable=("performAutoTraining", "performIncrementalUpdate", "solutionConfig"),
    update="latestSolutionUpdate",
    within_group=True,
)
CAMPAIGN = Kind(
    "campaign",
    "campaign",
    "campaign",
    "campaign",
    "campaigns",
    mutable=("solutionVersionArn", "minProvisionedTPS", "campaignConfig"),
    update="latestCampaignUpdate",
)
RECOMMENDER = Kind(
    "recommender",
    "recommender",
    "recommender",
    "recommender",
    "recommenders",
    mutable=("recommenderConfig",),
    update="latestRecommenderUpdate",
    within_group=True,
)
#: Work that leaves something behind without being managed by name: imports and trainings.
IMPORT = Kind("import", "import", "dataset_import_job", "datasetImportJob", "datasetImportJobs")
VERSION = Kind("version", "solution version", "solution_version", "solutionVersion", "solutionVersions")

#: In the order in which they can be made; deletion goes the other way round.
MANAGED: tuple[Kind, ...] = (GROUP, SCHEMA, DATASET, TRACKER, FILTER, SOLUTION, CAMPAIGN, RECOMMENDER)

BY_WORD: Mapping[str, Kind] = {kind.word: kind for kind in (*MANAGED, IMPORT, VERSION)}

#: Members of solutionConfig that UpdateSolution takes; the rest is fixed when the solution is made.
MUTABLE_SOLUTION_CONFIG = ("autoTrainingConfig", "eventsConfig")
#: Dataset types to which UpdateDataset gives another schema.
DATASETS_WITH_NEW_SCHEMA = ("ITEMS", "USERS")
