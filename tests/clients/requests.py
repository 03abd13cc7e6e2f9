"""A valid request for each of the 79 operations, about a house that has one of everything."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.clients.data import INTERACTIONS, ITEMS, WIDER_ITEMS
from tests.clients.house import RECIPES, House, arn_member, settle

Request = dict[str, Any]

#: Resources with a Create, a Describe and a List of their own.
RESOURCES = (
    "BatchInferenceJob",
    "BatchSegmentJob",
    "Campaign",
    "DataDeletionJob",
    "Dataset",
    "DatasetExportJob",
    "DatasetGroup",
    "DatasetImportJob",
    "EventTracker",
    "Filter",
    "MetricAttribution",
    "Recommender",
    "Schema",
    "Solution",
    "SolutionVersion",
)


def _again(resource: str) -> Callable[[House], Request]:
    """The request that made the house's own, under a new name."""

    def request(house: House) -> Request:
        made = dict(house.requests.get(f"Create{resource}", {}))
        for named in ("name", "jobName"):
            if named in made:
                made[named] = house.new_name()
        return made

    return request


def _about(resource: str) -> Callable[[House], Request]:
    """The ARN of the house's own."""
    return lambda house: {arn_member(resource): house.arns[resource]}


def _deletable(resource: str) -> Callable[[House], Request]:
    """The ARN of a new one that nothing uses."""
    return lambda house: {arn_member(resource): _NEW[resource](house)}


def _new_dataset(house: House, kind: str = "Interactions", text: str = INTERACTIONS) -> str:
    schema = house.create("Schema", schema=text)
    return house.create("Dataset", datasetGroupArn=house.fresh_group(), schemaArn=schema, datasetType=kind)


def _stopped_recommender(house: House) -> str:
    arn = _NEW["Recommender"](house)
    house.clients.control.stop_recommender(recommenderArn=arn)
    assert settle(house.clients, "Recommender", arn) == "INACTIVE"
    return arn


def _training(house: House) -> str:
    """A version whose training takes some seconds, just begun."""
    solution = house.solution("aws-user-personalization-v2")
    return str(house.clients.control.create_solution_version(solutionArn=solution)["solutionVersionArn"])


_NEW: Mapping[str, Callable[[House], str]] = {
    "Campaign": lambda house: house.create("Campaign", solutionVersionArn=house.arns["SolutionVersion"]),
    "Dataset": _new_dataset,
    "DatasetGroup": House.fresh_group,
    "EventTracker": lambda house: house.create("EventTracker", datasetGroupArn=house.fresh_group()),
    "Filter": lambda house: house.create("Filter", **_unnamed(house, "Filter")),
    "MetricAttribution": lambda house: house.create(
        "MetricAttribution", **_unnamed(house, "MetricAttribution") | {"datasetGroupArn": house.fresh_group()}
    ),
    "Recommender": lambda house: house.create("Recommender", **_unnamed(house, "Recommender")),
    "Schema": lambda house: house.create("Schema", schema=INTERACTIONS),
    "Solution": lambda house: house.solution("aws-popularity-count"),
}


def _unnamed(house: House, resource: str) -> Request:
    return {member: value for member, value in house.requests[f"Create{resource}"].items() if member != "name"}


def _in_new_group(resource: str) -> Callable[[House], Request]:
    """As the house's own, in a group that has none yet."""
    return lambda house: _again(resource)(house) | {"datasetGroupArn": house.fresh_group()}


REQUESTS: Mapping[str, Callable[[House], Request]] = {
    **{f"Create{resource}": _again(resource) for resource in RESOURCES},
    **{f"Describe{resource}": _about(resource) for resource in RESOURCES},
    **{f"List{resource}s": lambda _: {} for resource in RESOURCES},
    **{f"Delete{resource}": _deletable(resource) for resource in _NEW},
    # One dataset of a type, one tracker and one attribution in a group.
    "CreateDataset": _in_new_group("Dataset"),
    "CreateEventTracker": _in_new_group("EventTracker"),
    "CreateMetricAttribution": _in_new_group("MetricAttribution"),
    "DescribeAlgorithm": lambda _: {"algorithmArn": "arn:aws:personalize:::algorithm/aws-sims"},
    "DescribeFeatureTransformation": lambda _: {
        "featureTransformationArn": "arn:aws:personalize:::feature-transformation/JSON-percentile-filtering"
    },
    "DescribeRecipe": lambda _: {"recipeArn": f"{RECIPES}aws-sims"},
    "ListRecipes": lambda _: {"recipeProvider": "SERVICE"},
    "ListMetricAttributionMetrics": _about("MetricAttribution"),
    "GetSolutionMetrics": _about("SolutionVersion"),
    "StopSolutionVersionCreation": lambda house: {"solutionVersionArn": _training(house)},
    "StartRecommender": lambda house: {"recommenderArn": _stopped_recommender(house)},
    "StopRecommender": lambda house: {"recommenderArn": _NEW["Recommender"](house)},
    "TagResource": lambda house: {
        "resourceArn": house.arns["Campaign"],
        "tags": [{"tagKey": "colour", "tagValue": "blue"}],
    },
    "UntagResource": lambda house: {"resourceArn": house.arns["Campaign"], "tagKeys": ["shape"]},
    "ListTagsForResource": lambda house: {"resourceArn": house.arns["DatasetGroup"]},
    "UpdateCampaign": lambda house: {"campaignArn": _NEW["Campaign"](house), "minProvisionedTPS": 2},
    "UpdateDataset": lambda house: {
        "datasetArn": _new_dataset(house, "Items", ITEMS),
        "schemaArn": house.create("Schema", schema=WIDER_ITEMS),
    },
    "UpdateMetricAttribution": lambda house: {
        "metricAttributionArn": house.arns["MetricAttribution"],
        "addMetrics": [{"eventType": "watch", "metricName": house.new_name(), "expression": "SAMPLECOUNT()"}],
    },
    "UpdateRecommender": lambda house: {
        "recommenderArn": _NEW["Recommender"](house),
        "recommenderConfig": {"minRecommendationRequestsPerSecond": 2},
    },
    "UpdateSolution": lambda house: {
        "solutionArn": house.solution("aws-popularity-count"),
        "performAutoTraining": True,
    },
    "GetRecommendations": lambda house: {"campaignArn": house.arns["Campaign"], "userId": "1", "numResults": 5},
    "GetPersonalizedRanking": lambda house: {
        "campaignArn": house.ranking_campaign,
        "userId": "1",
        "inputList": ["1", "2"],
    },
    "GetActionRecommendations": lambda house: {"campaignArn": house.action_campaign, "userId": "1", "numResults": 3},
    "PutEvents": lambda house: {
        "trackingId": house.tracking_id,
        "userId": "1",
        "sessionId": "evening",
        "eventList": [{"eventType": "watch", "itemId": "1", "sentAt": 1_700_000_000}],
    },
    "PutItems": lambda house: {
        "datasetArn": house.datasets["ITEMS"],
        "items": [
            {
                "itemId": "1",
                "properties": json.dumps(
                    {"title": "Dawn", "genres": "Drama", "price": 5.5, "creationTimestamp": 1_600_000_000}
                ),
            }
        ],
    },
    "PutUsers": lambda house: {
        "datasetArn": house.datasets["USERS"],
        "users": [{"userId": "1", "properties": json.dumps({"age": 41})}],
    },
    "PutActions": lambda house: {
        "datasetArn": house.datasets["ACTIONS"],
        "actions": [{"actionId": "call", "properties": json.dumps({"value": 3})}],
    },
    "PutActionInteractions": lambda house: {
        "trackingId": house.clients.control.describe_dataset(datasetArn=house.datasets["ACTION_INTERACTIONS"])[
            "dataset"
        ]["trackingId"],
        "actionInteractions": [
            {
                "actionId": "call",
                "userId": "1",
                "sessionId": "evening",
                "eventType": "TAKEN",
                "timestamp": 1_700_000_000,
            }
        ],
    },
}
