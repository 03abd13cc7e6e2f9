"""The refusals of what a solution, a campaign or a recommender is configured with, a row each (4.2, 4.6, 6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.contract.refusal_rows import II, IU, Request, Row, campaign, configured, recommender, solution
from tests.unit.control.tenant import RECIPES

_ALGORITHM, _FEATURES = "algorithmHyperParameters", "featureTransformationParameters"
_USER, _USER_V2 = "aws-user-personalization", "aws-user-personalization-v2"

#: 4.2: recipes, member, parameter, and values that lie outside its range or are of another type.
PARAMETERS: tuple[tuple[tuple[str, ...], str, str, tuple[str, ...]], ...] = (
    ((_USER, "aws-personalized-ranking"), _ALGORITHM, "hidden_dimension", ("31", "257", "1e2", "wide")),
    ((_USER, "aws-personalized-ranking"), _ALGORITHM, "bptt", ("1", "33", "2.5", "")),
    ((_USER, "aws-personalized-ranking"), _ALGORITHM, "recency_mask", ("1", "yes")),
    (
        (_USER, "aws-personalized-ranking", "aws-sims"),
        _FEATURES,
        "min_user_history_length_percentile",
        ("-0.1", "1.1", "nan", "half"),
    ),
    (
        (_USER, "aws-personalized-ranking", "aws-sims"),
        _FEATURES,
        "max_user_history_length_percentile",
        ("-0.1", "1.1", "inf"),
    ),
    ((_USER_V2, "aws-personalized-ranking-v2"), _ALGORITHM, "apply_recency_bias", ("1", "on")),
    (("aws-sims",), _ALGORITHM, "popularity_discount_factor", ("-0.1", "1.1")),
    (("aws-sims",), _ALGORITHM, "min_cointeraction_count", ("-1", "11", "0.5")),
    (("aws-sims",), _FEATURES, "min_item_interaction_count_percentile", ("-0.1", "1.1")),
    (("aws-sims",), _FEATURES, "max_item_interaction_count_percentile", ("-0.1", "1.1")),
    (("aws-trending-now",), _FEATURES, "trend_discovery_frequency", ("4 hours", "2", "2 Hours")),
    (("aws-next-best-action",), _FEATURES, "action_optimization_period", ("6", "29", "7.5")),
    (("aws-item-affinity", "aws-item-attribute-affinity"), _ALGORITHM, "hidden_dimension", ("31", "257")),
)
#: 4.2: recipes that have no parameter at all, or none of that name.
UNKNOWN = (
    ("aws-popularity-count", _ALGORITHM, "hidden_dimension"),
    ("aws-semantic-similarity", _ALGORITHM, "hidden_dimension"),
    (_USER_V2, _ALGORITHM, "hidden_dimension"),
    (_USER_V2, _FEATURES, "min_user_history_length_percentile"),
    ("aws-similar-items", _ALGORITHM, "popularity_discount_factor"),
    ("aws-trending-now", _ALGORITHM, "bptt"),
)


def parameters() -> Iterator[Row]:
    """4.2: hyperparameters by name and range, and those of exploration."""
    for recipes, member, name, values in PARAMETERS:
        for recipe in recipes:
            for value in values:
                words = f"'{value}' of {name} is not valid for {recipe}"
                yield Row("4.2", "CreateSolution", configured(recipe, **{member: {name: value}}), II, words)
    for recipe, member, name in UNKNOWN:
        words = f"{recipe} has no parameter '{name}'"
        yield Row("4.2", "CreateSolution", configured(recipe, **{member: {name: "1"}}), II, words)
    for name in ("item_id_hidden_dim", "item_metadata_hidden_dim"):
        request = configured("aws-similar-items", **{_ALGORITHM: {name: "50"}})
        yield Row("4.2", "CreateSolution", request, II, f"{name} .* only as a range")
    swapped = configured(_USER, **{_ALGORITHM: {"min_user_history_length_percentile": "0.1"}})
    yield Row("4.2", "CreateSolution", swapped, II, "belongs in featureTransformationParameters")
    crossed = {"min_user_history_length_percentile": "0.9", "max_user_history_length_percentile": "0.1"}
    yield Row("4.2", "CreateSolution", configured(_USER, **{_FEATURES: crossed}), II, "no history would be left")
    for name, values in {"explorationWeight": ("-0.1", "1.1", "x"), "explorationItemAgeCutOff": ("0", "-1")}.items():
        for value in values:
            config = {"itemExplorationConfig": {name: value}}
            served = campaign(solutionVersionArn="@version.v1", campaignConfig=config)
            yield Row("4.2", "CreateCampaign", served, II, f"'{value}' of {name} is not valid")
            yield Row("4.2", "CreateRecommender", recommender(recommenderConfig=config), II, f"'{value}' of {name}")


def configurations() -> Iterator[Row]:
    """4.6: events, columns, objective, schedule."""

    def refused(words: str, recipe: str, **config: Any) -> Row:
        return Row("4.6", "CreateSolution", configured(recipe, **config), II, words)

    def events(*listed: Request) -> Request:
        return {"eventParametersList": list(listed)}

    yield refused("has no eventType", _USER_V2, eventsConfig=events({"weight": 0.5}))
    twice = events({"eventType": "watch"}, {"eventType": "WATCH"})
    yield refused("'watch' more than once", _USER_V2, eventsConfig=twice)
    yield refused("Every weight .* is 0", _USER_V2, eventsConfig=events({"eventType": "watch", "weight": 0.0}))
    yield refused("eventsConfig replaces", _USER_V2, eventsConfig=events({"eventType": "a"}), eventValueThreshold="1")
    for recipe in (_USER, "aws-personalized-ranking", "aws-similar-items", "aws-popularity-count", "aws-trending-now"):
        yield refused(f"eventsConfig cannot be given for {recipe}", recipe, eventsConfig=events({"eventType": "a"}))
    for value in ("nan", "inf", "", "1,5"):
        yield refused("is not a number", _USER, eventValueThreshold=value)
    for dataset, column in {
        "Interactions": "USER_ID",
        "INTERACTIONS": "ITEM_ID",
        "interactions": "TIMESTAMP",
        "Items": "ITEM_ID",
        "Users": "USER_ID",
    }.items():
        config = {"excludedDatasetColumns": {dataset: [column]}}
        yield refused(f"{column} of {dataset} cannot be excluded", _USER_V2, trainingDataConfig=config)
        words = f"{column} of {dataset} cannot be excluded"
        watched = recommender(recommenderConfig={"trainingDataConfig": config})
        yield Row("4.6", "CreateRecommender", watched, II, words)
    for member in ("excludedDatasetColumns", "includedDatasetColumns"):
        yield refused("'Actions' is no dataset type", _USER_V2, trainingDataConfig={member: {"Actions": ["X"]}})
        yield refused("has no column 'X'", _USER_V2, trainingDataConfig={member: {"Users": ["X"]}})
    both = {"excludedDatasetColumns": {"Items": ["PRICE"]}, "includedDatasetColumns": {"Items": ["GENRES"]}}
    yield refused("both excludes and includes columns of Items", _USER_V2, trainingDataConfig=both)
    for recipe in (_USER_V2, "aws-personalized-ranking-v2", "aws-similar-items", "aws-popularity-count"):
        objective = {"itemAttribute": "PRICE", "objectiveSensitivity": "LOW"}
        yield refused(f"optimizationObjective cannot be given for {recipe}", recipe, optimizationObjective=objective)
    for name in ("GENRES", "NOTHING", "ITEM_ID"):
        objective = {"itemAttribute": name, "objectiveSensitivity": "HIGH"}
        yield refused(f"'{name}' must be a numeric column", _USER, optimizationObjective=objective)
    yield refused("has no itemAttribute", _USER, optimizationObjective={"objectiveSensitivity": "LOW"})
    for group, name, words in (
        ("@group.empty", "PRICE", "needs an Items dataset"),
        ("@group.wide", "YEAR", "'YEAR' must be a numeric column of the Items dataset that cannot be null"),
    ):
        elsewhere = configured(_USER, optimizationObjective={"itemAttribute": name}) | {"datasetGroupArn": group}
        yield Row("4.6", "CreateSolution", elsewhere, II, words)
    for rate in ("rate(0 days)", "rate(31 days)"):
        yield refused("N from 1 to 30", _USER_V2, autoTrainingConfig={"schedulingExpression": rate})


def updates() -> Iterator[Row]:
    """1.9, 6.1, 6.3: what an update may not bring in."""
    config: Request
    for config, words in (
        ({"autoTrainingConfig": {"schedulingExpression": "rate(31 days)"}}, "N from 1 to 30"),
        ({"eventsConfig": {"eventParametersList": []}}, "eventParametersList is empty"),
        ({"eventsConfig": {"eventParametersList": [{"eventType": "a"}, {"eventType": "A"}]}}, "more than once"),
    ):
        yield Row("1.9", "UpdateSolution", {"solutionArn": "@solution.v2", "solutionUpdateConfig": config}, II, words)
    weights = {"solutionUpdateConfig": {"eventsConfig": {"eventParametersList": [{"eventType": "a"}]}}}
    legacy = {"solutionArn": "@solution.v1", **weights}
    yield Row("1.9", "UpdateSolution", legacy, II, f"eventsConfig cannot be given for {_USER}")
    off = {"solutionUpdateConfig": {"autoTrainingConfig": {"schedulingExpression": "rate(3 days)"}}}
    never = {"solutionArn": "@solution.v2", "performAutoTraining": False, **off}
    yield Row("1.9", "UpdateSolution", never, II, "although performAutoTraining is false")
    yield Row("1.9", "UpdateSolution", {"solutionArn": "@solution.v2"}, II, "changes nothing")
    for more, words in (
        ({"campaignConfig": {"syncWithLatestSolutionVersion": True}}, r"to end in /\$LATEST"),
        ({"campaignConfig": {"rankingInfluence": {"FRESHNESS": 0.5}}}, "rankingInfluence cannot be given"),
        ({"campaignConfig": {"itemExplorationConfig": {"explorationWeight": "0.1"}}}, "no exploration to set"),
        ({"solutionVersionArn": "@version.segments"}, "cannot serve aws-item-affinity"),
        ({"solutionVersionArn": "@solution.untrained+/$LATEST"}, "has no ACTIVE version"),
        ({"solutionVersionArn": "@version.v2", "minProvisionedTPS": 1}, "changes nothing"),
        ({}, "changes nothing"),
    ):
        yield Row("6.1", "UpdateCampaign", {"campaignArn": "@campaign.live", **more}, II, words)
    waiting = {"campaignArn": "@campaign.live", "solutionVersionArn": "@solution.training+/$LATEST"}
    yield Row("6.1", "UpdateCampaign", waiting, IU, "is in status CREATE PENDING")
    for config, words in (
        ({"itemExplorationConfig": {"explorationWeight": "2"}}, "'2' of explorationWeight"),
        ({"trainingDataConfig": {"excludedDatasetColumns": {"Interactions": ["EVENT_TYPE"]}}}, "cannot be excluded"),
        ({"trainingDataConfig": {"excludedDatasetColumns": {"Films": ["X"]}}}, "'Films' is no dataset type"),
    ):
        change = {"recommenderArn": "@recommender.active", "recommenderConfig": config}
        yield Row("6.3", "UpdateRecommender", change, II, words)


def unsuitable() -> Iterator[Row]:
    """4.1, 4.5: recipes where they do not belong."""
    for recipe in ("aws-hrnn", "aws-hrnn-metadata", "aws-hrnn-coldstart"):
        yield Row("4.3", "CreateSolution", solution(recipeArn=RECIPES + recipe), II, f"{recipe} is a legacy recipe")
    for name in ("segments", "attributes"):
        served = campaign(solutionVersionArn=f"@version.{name}")
        yield Row("4.1", "CreateCampaign", served, II, "A campaign cannot serve")
    for case in ("because-you-watched-x", "more-like-x", "most-popular", "trending-now"):
        config = {"itemExplorationConfig": {"explorationWeight": "0.5"}}
        request = recommender(recipeArn=f"{RECIPES}aws-vod-{case}", recommenderConfig=config)
        yield Row("6.3", "CreateRecommender", request, II, "has no exploration to set")
