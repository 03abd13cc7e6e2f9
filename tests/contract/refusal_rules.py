"""The refusals of domain rules, immutable members and wrong states, a row each, by sections of the specification."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.contract.refusal_rows import (
    AE,
    II,
    IU,
    LE,
    NF,
    V2,
    Row,
    attribution,
    batch,
    campaign,
    configured,
    dataset,
    deletion,
    exporting,
    filtering,
    group,
    importing,
    recommender,
    solution,
)
from tests.contract.refusal_stage import METRIC
from tests.unit.control.tenant import ITEMS, RECIPES, ROLE

KEY = "arn:aws:kms:us-east-1:123456789012:key/k"


def data() -> Iterator[Row]:
    """1.2 to 1.8, 3: groups, datasets, imports, exports, deletions, trackers."""
    yield Row("1.2", "CreateDatasetGroup", group(kmsKeyArn=KEY), II, "kmsKeyArn is given without roleArn")
    yield Row("1.4", "CreateDataset", dataset(datasetType="Films"), II, "datasetType 'Films' is not known")
    yield Row("1.4", "CreateDataset", dataset(schemaArn="@schema.items"), II, "is for ITEMS datasets, not ACTIONS")
    in_video = {"datasetGroupArn": "@group.vod"}
    yield Row("1.4", "CreateDataset", dataset(**in_video), II, "ACTIONS datasets need a custom group")
    items = dataset(**in_video, schemaArn="@schema.items", datasetType="Items")
    yield Row("1.3", "CreateDataset", items, II, "Use a schema that was created with domain VIDEO_ON_DEMAND")
    for place, type_, domain, words in (
        ("films", "Action_Interactions", "video_on_demand", "Use a schema that was created without a domain"),
        ("vod", "Interactions", "ecommerce", "Use a schema that was created with domain VIDEO_ON_DEMAND"),
    ):
        other = {"datasetGroupArn": f"@group.{place}", "schemaArn": f"@schema.{domain}"}
        yield Row("1.3", "CreateDataset", dataset(**other, datasetType=type_), II, words)
    answers = dataset(**in_video, datasetType="Action_Interactions")
    yield Row("1.4", "CreateDataset", answers, II, "ACTION_INTERACTIONS datasets need a custom group")
    streamed = dataset(datasetType="Event_Interactions")
    yield Row("1.4", "CreateDataset", streamed, II, "datasetType 'Event_Interactions' is not known")
    yield Row("1.8", "CreateDatasetImportJob", importing(datasetArn="@dataset.events"), II, "holds streamed events")
    events = {"datasetArn": "@dataset.events", "schemaArn": "@schema.items"}
    yield Row("1.8", "UpdateDataset", events, II, "holds streamed events and has no schema")
    for schema, words in {
        "items.narrow": "lacks field PRICE",
        "items.changed": "Field PRICE differs",
        "items.required": "Added field YEAR must be nullable",
        "items": "has the schema .* already",
        "users": "The new schema is for USERS",
    }.items():
        yield Row("1.4", "UpdateDataset", {"datasetArn": "@dataset.items", "schemaArn": f"@schema.{schema}"}, II, words)
    watched = {"datasetArn": "@dataset.interactions", "schemaArn": "@schema.items"}
    yield Row("1.4", "UpdateDataset", watched, II, "INTERACTIONS datasets cannot be replaced: only Items and Users")
    again = {"datasetArn": "@dataset.updating", "schemaArn": "@schema.items"}
    yield Row("1.4", "UpdateDataset", again, IU, "is in status UPDATE PENDING")
    nowhere = {"dataSource": {"dataLocation": "https://b/data.csv"}}
    yield Row("3.4", "CreateDatasetImportJob", importing(**nowhere), II, "Invalid Data location.")
    yield Row("3.4", "CreateDatasetImportJob", importing(dataSource={}), II, "Invalid Data location.")
    yield Row("3.8", "CreateDataDeletionJob", deletion(**nowhere), II, "Invalid Data location.")
    bad = {"s3DataDestination": {"path": "https://b/out"}}
    yield Row("3.7", "CreateDatasetExportJob", exporting(jobOutput=bad), II, "Invalid S3 output path")
    first = importing(datasetArn="@dataset.interactions", importMode="INCREMENTAL")
    yield Row("3.2", "CreateDatasetImportJob", first, II, "must be FULL")
    waiting = importing(datasetArn="@dataset.users", importMode="INCREMENTAL")
    yield Row("3.2", "CreateDatasetImportJob", waiting, IU, "The first import of .* is in progress")
    second = {"name": "second", "datasetGroupArn": "@group.films"}
    yield Row("1.8", "CreateEventTracker", second, LE, "More than 1 event tracker")
    yield Row("1.15", "CreateMetricAttribution", attribution(METRIC, datasetGroupArn="@group.films"), LE, "More than 1")


def training() -> Iterator[Row]:
    """1.9, 1.10, 4: solutions and versions."""
    yield Row("1.9", "CreateSolution", solution(recipeArn=None), II, "recipeArn is missing")
    yield Row("1.9", "CreateSolution", solution(performAutoML=True), II, "recipeArn is given although performAutoML")
    yield Row("1.9", "CreateSolution", solution(performIncrementalUpdate=True), II, "aws-semantic-similarity only")
    yield Row("4.1", "CreateSolution", solution(recipeArn=f"{RECIPES}aws-hrnn"), II, "legacy")
    picks = solution(recipeArn=f"{RECIPES}aws-vod-top-picks")
    yield Row("4.1", "CreateSolution", picks, II, "Use it with CreateRecommender")
    user = "aws-user-personalization"
    for section, recipe, config, words in (
        ("4.2", user, {"algorithmHyperParameters": {"depth": "3"}}, "has no parameter 'depth'"),
        ("4.2", user, {"algorithmHyperParameters": {"bptt": "33"}}, "'33' of bptt is not valid"),
        ("4.2", user, {"algorithmHyperParameters": {"bptt": "many"}}, "'many' of bptt is not valid"),
        ("4.2", "aws-similar-items", {"algorithmHyperParameters": {"item_id_hidden_dim": "50"}}, "only as a range"),
        ("4.2", "aws-sims", {"featureTransformationParameters": {"min_user_history_length_percentile": "2"}}, "'2' of"),
        ("4.6", user, {"eventValueThreshold": "high"}, "eventValueThreshold 'high' is not a number"),
        ("4.6", "aws-sims", {"eventsConfig": {"eventParametersList": [{"eventType": "a"}]}}, "eventsConfig cannot be"),
        ("4.6", f"{user}-v2", {"eventsConfig": {"eventParametersList": []}}, "eventParametersList is empty"),
        ("4.6", f"{user}-v2", {"autoTrainingConfig": {"schedulingExpression": "rate(31 days)"}}, "N from 1 to 30"),
        ("4.6", f"{user}-v2", {"trainingDataConfig": {"excludedDatasetColumns": {"Items": ["X"]}}}, "no column 'X'"),
        (
            "4.6",
            f"{user}-v2",
            {"trainingDataConfig": {"excludedDatasetColumns": {"Interactions": ["EVENT_TYPE"]}}},
            "EVENT_TYPE of Interactions cannot be excluded",
        ),
        ("4.6", "aws-sims", {"optimizationObjective": {"itemAttribute": "PRICE"}}, "cannot be given for aws-sims"),
        ("4.6", user, {"optimizationObjective": {"itemAttribute": "GENRES"}}, "must be a numeric column"),
        ("4.6", user, {"hpoConfig": {"hpoResourceConfig": {"maxNumberOfTrainingJobs": "41"}}}, "from 1 to 40"),
        ("4.6", user, {"hpoConfig": {"hpoResourceConfig": {"maxParallelTrainingJobs": "11"}}}, "from 1 to 10"),
    ):
        yield Row(section, "CreateSolution", configured(recipe, **config), II, words)
    both = {"eventsConfig": {"eventParametersList": [{"eventType": "a"}]}}
    yield Row("4.6", "CreateSolution", solution(eventType="a", solutionConfig=both), II, "eventsConfig replaces")
    rate = {"autoTrainingConfig": {"schedulingExpression": "rate(7 days)"}}
    off = solution(performAutoTraining=False, solutionConfig=rate)
    yield Row("4.6", "CreateSolution", off, II, "although performAutoTraining is false")
    running = {"solutionArn": "@solution.renewing", "performAutoTraining": True}
    yield Row("1.9", "UpdateSolution", running, IU, "An update of .* is in progress")
    same = {"solutionArn": "@solution.v2", "performAutoTraining": True}
    yield Row("1.9", "UpdateSolution", same, II, "changes nothing")
    yield Row("1.9", "UpdateSolution", {**same, "performIncrementalUpdate": True}, II, "aws-semantic-similarity only")
    automatic = {"solutionArn": "@solution.v2", "trainingMode": "AUTOTRAIN"}
    yield Row("1.10", "CreateSolutionVersion", automatic, II, "marks automatic trainings")
    update = {"solutionArn": "@solution.v2", "trainingMode": "UPDATE"}
    yield Row("1.10", "CreateSolutionVersion", update, II, "UPDATE cannot be used with aws-user-personalization-v2")
    early = {"solutionArn": "@solution.untrained", "trainingMode": "UPDATE"}
    yield Row("1.10", "CreateSolutionVersion", early, II, "needs an ACTIVE FULL version")
    for name, exception, words in (
        ("stopping", IU, "is stopping already"),
        ("v2", II, "cannot be stopped: its status is ACTIVE"),
        ("failed", II, "cannot be stopped: its status is CREATE FAILED"),
    ):
        request = {"solutionVersionArn": f"@version.{name}"}
        yield Row("1.10", "StopSolutionVersionCreation", request, exception, words)
    for name in ("pending", "failed", "stopping"):
        yield Row("1.10", "GetSolutionMetrics", {"solutionVersionArn": f"@version.{name}"}, IU, "has no metrics")


def serving() -> Iterator[Row]:
    """1.11, 1.12, 6: campaigns and recommenders."""
    yield Row("1.11", "CreateCampaign", campaign(solutionVersionArn="@solution.v2"), NF, "does not exist")
    untrained = campaign(solutionVersionArn="@solution.untrained+/$LATEST")
    yield Row("6.1", "CreateCampaign", untrained, II, "has no ACTIVE version")
    waiting = campaign(solutionVersionArn="@solution.training+/$LATEST")
    yield Row("6.1", "CreateCampaign", waiting, IU, "is in status CREATE PENDING")
    yield Row("4.1", "CreateCampaign", campaign(solutionVersionArn="@version.segments"), II, "cannot serve")
    for config, words in (
        ({"syncWithLatestSolutionVersion": True}, r"needs solutionVersionArn to end in /\$LATEST"),
        ({"itemExplorationConfig": {"explorationWeight": "0.5"}}, "has no exploration to set"),
        ({"rankingInfluence": {"POPULARITY": 0.5}}, "rankingInfluence cannot be given"),
    ):
        yield Row("6.1", "CreateCampaign", campaign(campaignConfig=config), II, words)
    for name, value in (("explorationWeight", "1.5"), ("explorationItemAgeCutOff", "0"), ("curiosity", "1")):
        config = {"itemExplorationConfig": {name: value}}
        request = campaign(solutionVersionArn="@version.v1", campaignConfig=config)
        yield Row("4.2", "CreateCampaign", request, II, name)
    for name, more, exception, words in (
        ("pending", {"minProvisionedTPS": 2}, IU, "is in status CREATE PENDING"),
        ("updating", {"minProvisionedTPS": 3}, IU, "An update of .* is in progress"),
        ("live", {"minProvisionedTPS": 1}, II, "changes nothing"),
        ("live", {"solutionVersionArn": "@version.other"}, II, "same dataset group"),
        ("live", {"solutionVersionArn": "@version.pending"}, IU, "Wait until it is ACTIVE"),
        ("live", {"solutionVersionArn": "@solution.v2"}, NF, "does not exist"),
    ):
        yield Row("6.1", "UpdateCampaign", {"campaignArn": f"@campaign.{name}", **more}, exception, words)
    custom = "Please use a domains-specific Dataset Group to create the Recommender"
    yield Row("1.12", "CreateRecommender", recommender(datasetGroupArn="@group.films"), II, custom)
    shop = recommender(recipeArn=f"{RECIPES}aws-ecomm-recommended-for-you")
    yield Row("6.3", "CreateRecommender", shop, II, "for domain ECOMMERCE")
    yield Row("6.3", "CreateRecommender", recommender(recipeArn=V2), II, "is not a use case")
    exploring = recommender(
        recipeArn=f"{RECIPES}aws-vod-most-popular",
        recommenderConfig={"itemExplorationConfig": {"explorationWeight": "0.5"}},
    )
    yield Row("6.3", "CreateRecommender", exploring, II, "has no exploration to set")
    for operation, name, words in (
        ("StartRecommender", "active", "is in status ACTIVE and cannot be started now"),
        ("StopRecommender", "inactive", "is in status INACTIVE and cannot be stopped now"),
        ("StopRecommender", "changing", "An update of .* is in progress"),
    ):
        yield Row("6.3", operation, {"recommenderArn": f"@recommender.{name}"}, IU, words)
    same = {"recommenderConfig": {"minRecommendationRequestsPerSecond": 1}}
    for name, exception, words in (("changing", IU, "is in progress"), ("active", II, "changes nothing")):
        yield Row("6.3", "UpdateRecommender", {"recommenderArn": f"@recommender.{name}", **same}, exception, words)


def filters() -> Iterator[Row]:
    """1.13, 3.4: expressions are parsed and type-checked at creation (all of them: tests/unit/filters)."""
    for expression, words in (
        ("EXCLUDE ItemID WHERE", "Invalid"),
        ("EXCLUDE ItemID WHERE Items.NOTHING > 3", "has no field NOTHING"),
        ("EXCLUDE ItemID WHERE Items.GENRES > 3", "holds strings; > compares numbers"),
        ("EXCLUDE ItemID WHERE Users.AGE > 3", "cannot filter ItemID"),
        (
            "EXCLUDE ItemID WHERE Items.GENRES NOT IN ($param)",
            r"Invalid input symbol: \$param. Placeholders are not allowed with NOT_IN operator.",
        ),
        ('EXCLUDE ItemID WHERE Items.GENRES IN ("*")', "with EVENT_TYPE only"),
        ('EXCLUDE ItemID WHERE Interactions.ITEM_ID IN ("a")', "can be filtered by EVENT_TYPE only"),
        ("EXCLUDE ItemID WHERE Actions.VALUE > 3", "cannot filter ItemID"),
        ("EXCLUDE ActionID WHERE Actions.VALUE > 3", "has no ACTIONS dataset; create it first"),
        ("EXCLUDE ItemID WHERE Items.PRICE > CurrentItem.GENRES", "cannot be compared"),
        ("EXCLUDE ItemID WHERE Items.PRICE > 3 IF Items.PRICE > 3", "Invalid Expression"),
        ("EXCLUDE ItemID WHERE Items.CREATION_TIMESTAMP < NOW()", "Invalid Expression"),
        ("EXCLUDE ItemID WHERE Items.PRICE > 3 | EXCLUDE UserID WHERE Users.AGE > 3", "the same target"),
        ('EXCLUDE ItemID WHERE Items.PRICE > "dear"', "holds numbers, 'dear' is not one"),
        ('EXCLUDE ItemID WHERE Items.PRICE > 3 AND Interactions.EVENT_TYPE IN ("a")', "cannot be mixed"),
        ("EXCLUDE UserID WHERE Items.PRICE > 3", "cannot filter UserID"),
    ):
        yield Row("1.13", "CreateFilter", filtering(expression), II, words)
    many = " OR ".join(f"Items.C{number} > 3" for number in range(11))
    for condition, words in (
        (many, "names 11 distinct fields; at most 10"),
        ('Items.PLOT IN ("a")', "Invalid Expression .* is textual and cannot be used in filters"),
        ('Items.AWARDED = "true"', "Invalid Expression .* is boolean and cannot be used in filters"),
    ):
        wide = filtering(f"EXCLUDE ItemID WHERE {condition}", datasetGroupArn="@group.wide")
        yield Row("8.2", "CreateFilter", wide, II, words)


def batches() -> Iterator[Row]:
    """10: batch inference and segments."""
    inference, segment = "CreateBatchInferenceJob", "CreateBatchSegmentJob"
    same = {"s3DataDestination": {"path": "s3://b/in.json"}}
    source = {"s3DataSource": {"path": "http://b/in.json"}}
    themed, similar = {"batchInferenceJobMode": "THEME_GENERATION"}, {"solutionVersionArn": "@version.similar"}

    def named(column: str) -> dict[str, Any]:
        return {"fieldsForThemeGeneration": {"itemName": column}}

    for more, words in (
        ({"jobInput": source}, "Invalid S3 input path"),
        ({"jobOutput": {"s3DataDestination": {"path": "http://b/out"}}}, "Invalid S3 output path"),
        ({"jobOutput": same}, "Invalid S3 output path. The output must be a different place"),
        ({"numResults": 0}, "numResults is 0; it must be from 1 to 500"),
        ({"solutionVersionArn": "@version.actions"}, "aws-next-best-action does not support batch inference"),
        ({"solutionVersionArn": "@version.attributes"}, "Use CreateBatchSegmentJob"),
        ({"batchInferenceJobConfig": {"rankingInfluence": {"POPULARITY": 0.5}}}, "rankingInfluence cannot be given"),
        ({"numResults": 501}, "numResults is 501; it must be from 1 to 500"),
        ({"solutionVersionArn": "@version.trending"}, "aws-trending-now does not support batch inference"),
        ({"solutionVersionArn": "@version.segments"}, "Use CreateBatchSegmentJob"),
        ({"filterArn": "@filter.other"}, "Use a filter of the same dataset group"),
        ({"filterArn": "@filter.users"}, "this job needs one of ItemID"),
        (themed, "aws-user-personalization-v2 makes no themes"),
        ({"themeGenerationConfig": named("GENRES")}, "for batchInferenceJobMode THEME_GENERATION only"),
        ({**themed, **similar}, "needs themeGenerationConfig"),
        ({**themed, **similar, "themeGenerationConfig": named("NOTHING")}, "no text column of the Items dataset"),
        ({**themed, **similar, "themeGenerationConfig": named("GENRES")}, "needs a textual column"),
        ({"batchInferenceJobConfig": {"itemExplorationConfig": {"explorationWeight": "1"}}}, "no exploration to set"),
    ):
        yield Row("10.1", inference, batch(**more), II, words)
    yield Row("10.3", segment, batch(), II, "makes no user segments")
    segments = {"solutionVersionArn": "@version.segments"}
    yield Row("10.3", segment, batch(**segments, numResults=5_000_001), II, "it must be from 1 to 5000000")
    yield Row("10.3", segment, batch(**segments, filterArn="@filter.items"), II, "this job needs one of UserID")
    yield Row("10.3", segment, batch(**segments, filterArn="@filter.other"), II, "Use a filter of the same dataset")
    yield Row("10.3", segment, batch(**segments, jobInput=source), II, "Invalid S3 input path")
    yield Row("10.3", segment, batch(**segments, jobOutput=same), II, "Invalid S3 output path")


def attributions() -> Iterator[Row]:
    """1.15, 11.1: metrics and their expressions."""
    create, update = "CreateMetricAttribution", "UpdateMetricAttribution"
    named = [{**METRIC, "metricName": f"m{number}"} for number in range(11)]
    yield Row("11.1", create, attribution(), II, "1 to 10 metrics")
    yield Row("11.1", create, attribution(*named), II, "10")
    yield Row("11.1", create, attribution(METRIC, METRIC), II, "given more than once")
    for expression, words in (
        ("AVG(Items.PRICE)", "write SUM"),
        ("SUM(Items.GENRES)", "no numeric column"),
        ("SUM(Interactions.NOTHING)", "no numeric column"),
        ("SUM(Users.AGE)", "write SUM"),
        ("SUM(PRICE)", "write SUM"),
        ("COUNT()", "write SUM"),
    ):
        yield Row("11.1", create, attribution({**METRIC, "expression": expression}), II, words)
    lost = {"roleArn": ROLE, "s3DataDestination": {"path": "http://b/out"}}
    yield Row("11.1", create, attribution(METRIC, metricsOutputConfig=lost), II, "Invalid S3 output path")
    films = {"metricAttributionArn": "@attribution.films"}
    yield Row("1.15", update, films, II, "changes nothing")
    yield Row("1.15", update, {}, II, "metricAttributionArn is missing")
    nothing = {**METRIC, "metricName": "more", "expression": "SUM(Items.NOTHING)"}
    yield Row("1.15", update, {**films, "addMetrics": [nothing]}, II, "no numeric column")
    yield Row("1.15", update, {**films, "metricsOutputConfig": lost}, II, "Invalid S3 output path")
    typeless = attribution(METRIC, datasetGroupArn="@group.wide")
    yield Row("11.1", create, typeless, II, "has no EVENT_TYPE column")
    yield Row("1.15", update, {**films, "removeMetrics": ["x"]}, II, "has no metric 'x'")
    yield Row("1.15", update, {**films, "removeMetrics": ["watches"]}, II, "1 to 10 metrics")
    yield Row("1.15", update, {**films, "addMetrics": [METRIC]}, AE, "has a metric 'watches' already")
    yield Row("1.15", update, {**films, "addMetrics": named[:10]}, II, "would have 11")


#: Quotas of 11.2: kind and number in the crowd, its state, whether it is counted in the group, operation, request.
QUOTAS: tuple[tuple[str, int, str, bool, str, dict[str, Any], str], ...] = (
    ("dataset-group", 3, "ACTIVE", False, "CreateDatasetGroup", group(), "More than 5 dataset groups"),
    ("schema", 499, "", False, "CreateSchema", {"name": "new", "schema": ITEMS}, "More than 500 schemas"),
    (
        "dataset-import-job",
        5,
        "CREATE IN_PROGRESS",
        False,
        "CreateDatasetImportJob",
        importing(),
        "More than 5 resources with PENDING or IN_PROGRESS status.",
    ),
    (
        "data-deletion-job",
        5,
        "PENDING",
        True,
        "CreateDataDeletionJob",
        deletion(),
        "More than 5 resources with PENDING",
    ),
    ("solution", 9, "ACTIVE", True, "CreateSolution", solution(), "More than 10 solutions"),
    (
        "solution-version",
        20,
        "CREATE PENDING",
        False,
        "CreateSolutionVersion",
        {"solutionArn": "@solution.v2"},
        "More than 20 resources with PENDING",
    ),
    (
        "campaign",
        5,
        "ACTIVE",
        True,
        "CreateCampaign",
        campaign(),
        "Cannot create a campaign. More than 5 resources in ACTIVE state. Please delete some and try again.",
    ),
    ("recommender", 5, "ACTIVE", True, "CreateRecommender", recommender(), "More than 5 recommenders"),
    ("filter", 30, "ACTIVE", True, "CreateFilter", filtering(), "More than 30 filters"),
    ("filter", 20, "ACTIVE", True, "CreateFilter", filtering(), "would name 21 distinct fields; 20 are allowed"),
    ("batch-inference-job", 5, "CREATE PENDING", False, "CreateBatchInferenceJob", batch(), "More than 5 resources"),
    (
        "batch-segment-job",
        5,
        "CREATE PENDING",
        False,
        "CreateBatchSegmentJob",
        batch(solutionVersionArn="@version.segments"),
        "More than 5 resources",
    ),
)
