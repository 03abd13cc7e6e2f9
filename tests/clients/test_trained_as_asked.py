"""Through boto3: event weights, columns, an objective and an update each show in what a training gives."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.clients.house import RECIPES, House, describe, settle


def _version(house: House, recipe: str, config: Any) -> tuple[str, str]:
    """A new solution and its ACTIVE version."""
    control = house.clients.control
    solution = control.create_solution(
        name=house.new_name(),
        datasetGroupArn=house.arns["DatasetGroup"],
        recipeArn=f"{RECIPES}{recipe}",
        performAutoTraining=False,
        solutionConfig=config,
    )["solutionArn"]
    version = control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    assert settle(house.clients, "SolutionVersion", version) == "ACTIVE"
    return solution, version


def test_event_types_of_different_weights_are_trained_on(house: House) -> None:
    events = [{"eventType": "watch", "weight": 0.9}, {"eventType": "click", "weight": 0.2}]
    _, version = _version(house, "aws-user-personalization-v2", {"eventsConfig": {"eventParametersList": events}})
    assert describe(house.clients, "SolutionVersion", version)["solutionConfig"]["eventsConfig"] == {
        "eventParametersList": events
    }
    metrics = house.clients.control.get_solution_metrics(solutionVersionArn=version)["metrics"]
    assert 0 <= metrics["normalized_discounted_cumulative_gain_with_event_weights_at_k"] <= 1


def test_an_objective_an_update_and_left_out_columns(house: House) -> None:
    control, put = house.clients.control, house.clients.events
    tracker, items = house.tracking_id, house.datasets["ITEMS"]
    known: list[Any] = [
        {"itemId": str(number), "properties": json.dumps({**_FILM, "price": float(number)})} for number in range(1, 11)
    ]
    put.put_items(datasetArn=items, items=known)
    config = {
        "optimizationObjective": {"itemAttribute": "PRICE", "objectiveSensitivity": "HIGH"},
        "trainingDataConfig": {"excludedDatasetColumns": {"Items": ["CREATION_TIMESTAMP"]}},
    }
    solution, version = _version(house, "aws-user-personalization", config)
    metrics = control.get_solution_metrics(solutionVersionArn=version)["metrics"]
    assert 0 <= metrics["average_rewards_at_k"] <= 1
    new = house.new_name()
    put.put_items(datasetArn=items, items=[{"itemId": new, "properties": json.dumps({**_FILM, "price": 11.0})}])
    for user in ("1", "2", "3"):
        event: Any = {"eventType": "watch", "itemId": new, "sentAt": int(time.time())}
        put.put_events(trackingId=tracker, userId=user, sessionId=f"s{user}", eventList=[event])
    update = control.create_solution_version(solutionArn=solution, trainingMode="UPDATE")["solutionVersionArn"]
    assert settle(house.clients, "SolutionVersion", update) == "ACTIVE"
    assert describe(house.clients, "SolutionVersion", update)["trainingMode"] == "UPDATE"
    assert control.get_solution_metrics(solutionVersionArn=update)["metrics"] == metrics
    assert _recommended(house, update, new)
    with pytest.raises(ClientError, match="needs new data") as refusal:
        control.create_solution_version(solutionArn=solution, trainingMode="UPDATE")
    assert refusal.value.response["Error"]["Code"] == "InvalidInputException"


_FILM = {"title": "A film", "genres": "Drama", "creationTimestamp": 1_700_000_000}


def _recommended(house: House, version: str, item: str) -> bool:
    """Whether a campaign of the version recommends the item, with a score, to somebody new."""
    campaign = house.create("Campaign", solutionVersionArn=version)
    answer = house.clients.runtime.get_recommendations(campaignArn=campaign, userId="somebody new", numResults=500)
    scores = {entry["itemId"]: entry.get("score") for entry in answer["itemList"]}
    house.clients.control.delete_campaign(campaignArn=campaign)
    return scores.get(item) is not None
