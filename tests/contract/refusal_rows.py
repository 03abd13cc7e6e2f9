"""The refusals that the specification names, a row each: section, operation, request, exception, words of the message.

`@campaign.live` in a request stands for the ARN that the stage has under that name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.contract.refusal_stage import BATCH, EXPORT, METRIC, OUTPUT, SOURCE
from tests.unit.control.tenant import INTERACTIONS, ITEMS, RECIPES

Request = dict[str, Any]

II, NF, AE = "InvalidInputException", "ResourceNotFoundException", "ResourceAlreadyExistsException"
LE, IU = "LimitExceededException", "ResourceInUseException"
NT, TT, TK = "InvalidNextTokenException", "TooManyTagsException", "TooManyTagKeysException"

NOBODY = "arn:aws:personalize:us-east-1:123456789012:"
V1, V2 = f"{RECIPES}aws-user-personalization", f"{RECIPES}aws-user-personalization-v2"
PICKS = f"{RECIPES}aws-vod-top-picks"


@dataclass(frozen=True)
class Row:
    """One refusal."""

    section: str
    operation: str
    request: Request
    exception: str
    words: str

    def __str__(self) -> str:
        return f"{self.section}-{self.operation}-{self.exception.removesuffix('Exception')}-{self.words[:40]}"


def group(**more: Any) -> Request:
    """A new dataset group."""
    return {"name": "new", **more}


def dataset(**more: Any) -> Request:
    """A new dataset of Actions in the custom group, which has none."""
    return {
        "name": "new",
        "datasetGroupArn": "@group.films",
        "schemaArn": "@schema.actions",
        "datasetType": "Actions",
        **more,
    }


def importing(**more: Any) -> Request:
    """A new import job."""
    return {"jobName": "new", "datasetArn": "@dataset.items", **SOURCE, **more}


def exporting(**more: Any) -> Request:
    """A new export job."""
    return {"jobName": "new", "datasetArn": "@dataset.items", **EXPORT, **more}


def deletion(**more: Any) -> Request:
    """A new data deletion job."""
    return {"jobName": "new", "datasetGroupArn": "@group.films", **SOURCE, **more}


def solution(**more: Any) -> Request:
    """A new solution; a member that is None is left out."""
    request = {"name": "new", "datasetGroupArn": "@group.films", "recipeArn": V2, **more}
    return {name: value for name, value in request.items() if value is not None}


def configured(recipe: str, **config: Any) -> Request:
    """A new solution of a recipe with a solutionConfig."""
    return solution(recipeArn=RECIPES + recipe, solutionConfig=config)


def campaign(**more: Any) -> Request:
    """A new campaign."""
    return {"name": "new", "solutionVersionArn": "@version.v2", **more}


def recommender(**more: Any) -> Request:
    """A new recommender."""
    return {"name": "new", "datasetGroupArn": "@group.vod", "recipeArn": PICKS, **more}


def filtering(expression: str = "EXCLUDE ItemID WHERE Items.PRICE > 3", **more: Any) -> Request:
    """A new filter."""
    return {"name": "new", "datasetGroupArn": "@group.films", "filterExpression": expression, **more}


def attribution(*metrics: Request, **more: Any) -> Request:
    """A new metric attribution, in a group that has none."""
    return {
        "name": "new",
        "datasetGroupArn": "@group.other",
        "metrics": list(metrics),
        "metricsOutputConfig": OUTPUT,
        **more,
    }


def batch(**more: Any) -> Request:
    """A new batch job."""
    return {"jobName": "new", "solutionVersionArn": "@version.v2", **BATCH, **more}


def new() -> dict[str, Request]:
    """A request for each Create operation that would be taken."""
    return {
        "CreateDatasetGroup": group(),
        "CreateSchema": {"name": "new", "schema": ITEMS},
        "CreateDataset": dataset(),
        "CreateDatasetImportJob": importing(),
        "CreateDatasetExportJob": exporting(),
        "CreateDataDeletionJob": deletion(),
        "CreateEventTracker": {"name": "new", "datasetGroupArn": "@group.empty"},
        "CreateSolution": solution(),
        "CreateSolutionVersion": {"solutionArn": "@solution.v2"},
        "CreateCampaign": campaign(),
        "CreateRecommender": recommender(),
        "CreateFilter": filtering(),
        "CreateMetricAttribution": attribution(METRIC),
        "CreateBatchInferenceJob": batch(),
        "CreateBatchSegmentJob": batch(solutionVersionArn="@version.segments"),
    }


def duplicates() -> Iterator[Row]:
    """0.4: names are unique in account and region for a kind, across dataset groups."""
    taken = {
        "group.films": ("CreateDatasetGroup", group(name="films")),
        "schema.items": ("CreateSchema", {"name": "items", "schema": ITEMS}),
        "dataset.items": ("CreateDataset", dataset(schemaArn="@schema.items", datasetType="ITEMS")),
        "import.done": ("CreateDatasetImportJob", importing(jobName="done")),
        "export.first": ("CreateDatasetExportJob", exporting(jobName="first")),
        "deletion.first": ("CreateDataDeletionJob", deletion(jobName="first")),
        "tracker.films": ("CreateEventTracker", {"name": "films", "datasetGroupArn": "@group.other"}),
        "solution.v2": ("CreateSolution", solution(name="v2", datasetGroupArn="@group.other")),
        "version.v2": ("CreateSolutionVersion", {"name": "first-v2", "solutionArn": "@solution.v2"}),
        "campaign.live": ("CreateCampaign", campaign(name="live")),
        "recommender.active": ("CreateRecommender", recommender(name="active")),
        "filter.items": ("CreateFilter", filtering(name="items", datasetGroupArn="@group.other")),
        "attribution.films": ("CreateMetricAttribution", attribution(METRIC, name="films")),
        "batch.first": ("CreateBatchInferenceJob", batch(jobName="first")),
        "segment.first": (
            "CreateBatchSegmentJob",
            batch(jobName="first", solutionVersionArn="@version.segments"),
        ),
    }
    for name, (operation, request) in taken.items():
        yield Row("0.4", operation, request, AE, f"Another resource with Arn @{name} already exists.")
    sentence = "Another resource with Arn @{} already exists."
    going = group(name="going")  # a name is free when the deletion has ended
    yield Row("0.4", "CreateDatasetGroup", going, AE, sentence.format("group.going"))
    again = dataset(schemaArn="@schema.items", datasetType="iTEMS")
    yield Row("1.4", "CreateDataset", again, AE, sentence.format("dataset.items"))


def missing() -> Iterator[Row]:
    """1.1: what does not exist cannot be described, changed, deleted or used."""
    kinds = {
        "DatasetGroup": "dataset-group/no",
        "Schema": "schema/no",
        "Dataset": "dataset/no/ITEMS",
        "DatasetImportJob": "dataset-import-job/no",
        "DatasetExportJob": "dataset-export-job/no",
        "DataDeletionJob": "data-deletion-job/no",
        "EventTracker": "event-tracker/00000000",
        "Solution": "solution/no",
        "SolutionVersion": "solution/no/00000000",
        "Campaign": "campaign/no",
        "Recommender": "recommender/no",
        "Filter": "filter/no",
        "MetricAttribution": "metric-attribution/no",
        "BatchInferenceJob": "batch-inference-job/no",
        "BatchSegmentJob": "batch-segment-job/no",
    }
    undeletable = ("Job", "SolutionVersion")
    for kind, suffix in kinds.items():
        arn = NOBODY + suffix
        member = f"{kind[0].lower()}{kind[1:]}Arn"
        says = "The given dataset group does not exist: " + arn if kind == "DatasetGroup" else f"{arn} does not exist."
        yield Row("1.1", f"Describe{kind}", {member: arn}, NF, says)
        if not kind.endswith(undeletable):
            yield Row("1.1", f"Delete{kind}", {member: arn}, NF, says)
    for kind in ("Recipe", "Algorithm", "FeatureTransformation"):
        word = "feature-transformation" if kind == "FeatureTransformation" else kind.lower()
        member = f"{kind[0].lower()}{kind[1:]}Arn"
        yield Row("1.16", f"Describe{kind}", {member: f"arn:aws:personalize:::{word}/no"}, NF, "does not exist")
    no_group, no_version = NOBODY + "dataset-group/no", NOBODY + "solution/no/00000000"
    uses = {
        "CreateDataset": dataset(datasetGroupArn=no_group),
        "CreateDatasetImportJob": importing(datasetArn=NOBODY + "dataset/no/ITEMS"),
        "CreateDatasetExportJob": exporting(datasetArn=NOBODY + "dataset/no/ITEMS"),
        "CreateDataDeletionJob": deletion(datasetGroupArn=no_group),
        "CreateEventTracker": {"name": "new", "datasetGroupArn": no_group},
        "CreateSolution": solution(datasetGroupArn=no_group),
        "CreateSolutionVersion": {"solutionArn": NOBODY + "solution/no"},
        "CreateCampaign": campaign(solutionVersionArn=no_version),
        "CreateRecommender": recommender(datasetGroupArn=no_group),
        "CreateFilter": filtering(datasetGroupArn=no_group),
        "CreateMetricAttribution": attribution(METRIC, datasetGroupArn=no_group),
        "CreateBatchInferenceJob": batch(solutionVersionArn=no_version),
        "CreateBatchSegmentJob": batch(solutionVersionArn=no_version),
        "ListSolutionVersions": {"solutionArn": NOBODY + "solution/no"},
        "GetSolutionMetrics": {"solutionVersionArn": no_version},
        "StopSolutionVersionCreation": {"solutionVersionArn": no_version},
        "StartRecommender": {"recommenderArn": NOBODY + "recommender/no"},
        "StopRecommender": {"recommenderArn": NOBODY + "recommender/no"},
        "UpdateCampaign": {"campaignArn": NOBODY + "campaign/no", "minProvisionedTPS": 2},
        "UpdateDataset": {"datasetArn": NOBODY + "dataset/no/ITEMS", "schemaArn": "@schema.items"},
        "UpdateSolution": {"solutionArn": NOBODY + "solution/no", "performAutoTraining": False},
        "UpdateRecommender": {"recommenderArn": NOBODY + "recommender/no", "recommenderConfig": {}},
        "UpdateMetricAttribution": {"metricAttributionArn": NOBODY + "metric-attribution/no"},
        "TagResource": {"resourceArn": NOBODY + "campaign/no", "tags": [{"tagKey": "a", "tagValue": "b"}]},
        "UntagResource": {"resourceArn": NOBODY + "campaign/no", "tagKeys": ["a"]},
        "ListTagsForResource": {"resourceArn": NOBODY + "campaign/no"},
    }
    for operation, request in uses.items():
        yield Row("1.1", operation, request, NF, "not exist")
    for kind in kinds:  # an ARN of another kind is none of this one
        other = "@schema.items" if kind == "DatasetGroup" else "@group.films"
        member = f"{kind[0].lower()}{kind[1:]}Arn"
        yield Row("1.1", f"Describe{kind}", {member: other}, NF, "not exist")
    yield Row("1.1", "CreateDataset", dataset(schemaArn=NOBODY + "schema/no"), NF, "schema/no does not exist.")
    yield Row("1.1", "CreateSolution", solution(recipeArn=RECIPES + "no"), NF, "recipe/no does not exist.")
    yield Row("1.1", "CreateRecommender", recommender(recipeArn=RECIPES + "no"), NF, "recipe/no does not exist.")
    yield Row("1.1", "CreateBatchInferenceJob", batch(filterArn=NOBODY + "filter/no"), NF, "filter/no does not exist.")


def tokens() -> Iterator[Row]:
    """1.1: a token that a List did not give."""
    kinds = (
        "DatasetGroups Schemas Datasets DatasetImportJobs DatasetExportJobs DataDeletionJobs EventTrackers Solutions "
        "SolutionVersions Campaigns Recommenders Filters BatchInferenceJobs BatchSegmentJobs MetricAttributions Recipes"
    )
    for kind in kinds.split():
        yield Row("1.1", f"List{kind}", {"nextToken": "made-up"}, NT, "nextToken is not one that this listing gave")
    metrics = {"metricAttributionArn": "@attribution.films", "nextToken": "made-up"}
    yield Row("1.1", "ListMetricAttributionMetrics", metrics, NT, "nextToken is not one that this listing gave")


def not_active() -> Iterator[Row]:
    """1.1: what is used must be ACTIVE: ResourceInUse while it is pending, InvalidInput when it failed."""
    of_group: dict[str, Callable[..., Request]] = {
        "CreateDataset": dataset,
        "CreateDataDeletionJob": deletion,
        "CreateSolution": solution,
        "CreateRecommender": recommender,
        "CreateMetricAttribution": partial(attribution, METRIC),
        "CreateEventTracker": partial(dict, name="new"),
        "CreateFilter": filtering,
    }
    for operation, request in of_group.items():
        pending = II if operation == "CreateFilter" else IU  # the operation declares no ResourceInUse
        for name, exception, words in (
            ("pending", pending, "is in status CREATE PENDING. Wait until it is ACTIVE"),
            ("going", pending, "is in status DELETE PENDING"),
            ("failed", II, "is in status CREATE FAILED and cannot be used"),
        ):
            yield Row("1.1", operation, request(datasetGroupArn=f"@group.{name}"), exception, words)
    wait = "Wait until it is ACTIVE"
    yield Row("1.1", "CreateDatasetImportJob", importing(datasetArn="@dataset.pending"), IU, wait)
    yield Row("1.1", "CreateDatasetExportJob", exporting(datasetArn="@dataset.pending"), IU, wait)
    yield Row("1.4", "CreateDatasetImportJob", importing(datasetArn="@dataset.updating"), IU, wait)
    of_version: dict[str, Callable[..., Request]] = {"CreateCampaign": campaign, "CreateBatchInferenceJob": batch}
    for operation, request in of_version.items():
        yield Row("6.1", operation, request(solutionVersionArn="@version.pending"), IU, wait)
        yield Row("6.1", operation, request(solutionVersionArn="@version.failed"), II, "CREATE FAILED and cannot be")
    yield Row("1.1", "CreateBatchInferenceJob", batch(filterArn="@filter.pending"), IU, wait)


def deletions() -> Iterator[Row]:
    """1.1 and each kind's own section: what cannot be deleted, and why."""
    pending = "is in status CREATE PENDING and cannot be deleted now"
    uses, running = "uses it. Delete that first", "is in progress. Wait until that has ended"
    rows = (
        ("1.1", "DatasetGroup", "group.pending", pending),
        ("1.1", "DatasetGroup", "group.going", "is already being deleted"),
        ("1.1", "Dataset", "dataset.pending", pending),
        ("1.1", "Campaign", "campaign.pending", pending),
        ("1.1", "Filter", "filter.pending", pending),
        ("1.2", "DatasetGroup", "group.films", f"event-tracker/.* {uses}"),
        ("1.2", "DatasetGroup", "group.other", f"solution/other {uses}"),
        ("1.2", "DatasetGroup", "group.vod", f"recommender/active {uses}"),
        ("1.2", "DatasetGroup", "group.leaving", f"dataset/leaving/INTERACTIONS {uses}"),
        ("1.3", "Schema", "schema.items", "dataset/films/ITEMS uses it. Delete that dataset first"),
        ("1.3", "Schema", "schema.next", "dataset/other/ITEMS uses it. Delete that dataset first"),
        ("1.4", "Dataset", "dataset.users", f"dataset-import-job/first {running}"),
        ("1.4", "Dataset", "dataset.interactions", f"solution/(training|stopping)/.* {running}"),
        ("1.4", "Dataset", "dataset.updating", "is in status UPDATE PENDING and cannot be deleted now"),
        ("1.9", "Solution", "solution.v2", f"campaign/live {uses}"),
        ("1.9", "Solution", "solution.training", f"solution/training/.* {running}"),
        ("1.9", "Solution", "solution.renewing", "An update of .* is in progress"),
        ("1.9", "Solution", "solution.segments", f"batch-segment-job/first {running}"),
        ("6.1", "Campaign", "campaign.updating", "An update of .* is in progress"),
        ("6.3", "Recommender", "recommender.changing", "An update of .* is in progress"),
        ("1.13", "Filter", "filter.items", f"batch-inference-job/first {running}"),
    )
    for section, kind, name, words in rows:
        yield Row(section, f"Delete{kind}", {f"{kind[0].lower()}{kind[1:]}Arn": f"@{name}"}, IU, words)


def tags() -> Iterator[Row]:
    """1.1: fifty tags, reserved keys, kinds without tags."""
    many = [{"tagKey": f"k{number}", "tagValue": "v"} for number in range(51)]
    one = [{"tagKey": "a", "tagValue": "b"}]
    yield Row("1.1", "CreateDatasetGroup", group(tags=many), TT, "would have 51 tags; a resource may have 50")
    yield Row("1.1", "TagResource", {"resourceArn": "@campaign.live", "tags": many}, TT, "would have 51 tags")
    for operation, request in new().items():
        if operation not in ("CreateSchema", "CreateMetricAttribution", "CreateDatasetGroup"):
            yield Row("1.1", operation, {**request, "tags": many}, TT, "would have 51 tags; a resource may have 50")
            reserved = [{"tagKey": "AWS:x", "tagValue": "v"}]
            yield Row("1.1", operation, {**request, "tags": reserved}, II, "must not begin with aws:")
    reserved = [{"tagKey": "aws:x", "tagValue": "v"}]
    yield Row("1.1", "TagResource", {"resourceArn": "@campaign.live", "tags": reserved}, II, "must not begin with aws:")
    yield Row(
        "1.1", "CreateDatasetGroup", group(tags=[{"tagKey": "aws:x", "tagValue": "v"}]), II, "must not begin with aws:"
    )
    yield Row("1.1", "TagResource", {"resourceArn": "@campaign.live", "tags": one * 2}, II, "given more than once")
    for name in ("schema.items", "attribution.films"):
        yield Row("1.1", "TagResource", {"resourceArn": f"@{name}", "tags": one}, II, "cannot be tagged")
        yield Row("1.1", "UntagResource", {"resourceArn": f"@{name}", "tagKeys": ["a"]}, II, "cannot be tagged")
        yield Row("1.1", "ListTagsForResource", {"resourceArn": f"@{name}"}, II, "cannot be tagged")
    keys = {"resourceArn": "@campaign.live", "tagKeys": [f"k{number}" for number in range(51)]}
    yield Row("1.1", "UntagResource", keys, TK, "51 tag keys are given")
    yield Row("1.1", "TagResource", {"resourceArn": "@group.going", "tags": one}, IU, "is in status DELETE PENDING")


def shapes() -> Iterator[Row]:
    """0.3: the shared shapes (every constraint of every operation is tried in tests/clients/test_invalid_input.py)."""
    breaks = "failed to satisfy constraint"
    yield Row("0.3", "CreateDatasetGroup", group(name="-films"), II, breaks)
    yield Row("0.3", "CreateDatasetGroup", group(name="f" * 64), II, breaks)
    yield Row("0.3", "CreateDatasetGroup", group(domain="MUSIC"), II, breaks)
    yield Row("0.3", "CreateDatasetGroup", group(roleArn="arn:aws:iam::1:role/x"), II, breaks)
    yield Row("0.3", "CreateDatasetGroup", {}, II, "name")
    yield Row("0.3", "ListSchemas", {"maxResults": 101}, II, breaks)
    yield Row("0.3", "ListSchemas", {"maxResults": 0}, II, breaks)
    yield Row("0.3", "DescribeCampaign", {"campaignArn": "live"}, II, breaks)
    yield Row("0.3", "CreateSchema", {"name": "new", "schema": INTERACTIONS + " " * 20_000}, II, breaks)
    yield Row("0.3", "CreateCampaign", campaign(minProvisionedTPS=0), II, breaks)
    yield Row("0.3", "CreateDatasetImportJob", importing(importMode="DELTA"), II, breaks)
    yield Row("0.3", "CreateFilter", filtering("I" * 2501), II, breaks)
