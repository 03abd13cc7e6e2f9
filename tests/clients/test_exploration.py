"""Exploration as programs use it: its age cut-off is kept, and what was explored judges versions."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.clients.data import INTERACTIONS, ITEMS
from tests.clients.house import RECIPES, ROLE, House, describe
from tests.unit.api.waiting import until
from typer.testing import CliRunner

from matinee.cli.app import app
from matinee.demo.clients import Clients
from matinee.demo.embedded import EmbeddedServer

DAY = 86_400
OLD, NEW = "two-months-old", "a-day-old"


def _campaign(house: House, config: dict[str, str]) -> tuple[str, str]:
    """A campaign that explores as the configuration says; also its group's Items dataset, which is empty."""
    group = house.fresh_group()
    interactions, items = (
        house.create(
            "Dataset", datasetGroupArn=group, schemaArn=house.create("Schema", schema=schema), datasetType=kind
        )
        for kind, schema in (("INTERACTIONS", INTERACTIONS), ("ITEMS", ITEMS))
    )
    source = {"dataLocation": house.place("interactions.csv")}
    house.create("DatasetImportJob", datasetArn=interactions, dataSource=source, roleArn=ROLE)
    recipe = f"{RECIPES}aws-user-personalization"
    solution = house.create("Solution", datasetGroupArn=group, recipeArn=recipe, performAutoTraining=False)
    version = house.create("SolutionVersion", solutionArn=solution)
    campaign = house.create("Campaign", solutionVersionArn=version, campaignConfig={"itemExplorationConfig": config})
    return campaign, items


def _put(house: House, dataset: str, item: str, created: int) -> None:
    properties = {"title": item, "genres": "Drama", "price": 1.5, "creationTimestamp": created}
    house.clients.events.put_items(datasetArn=dataset, items=[{"itemId": item, "properties": json.dumps(properties)}])


def _shown(house: House, campaign: str, times: int) -> set[str]:
    """What the first ten places of so many answers showed."""
    ask: dict[str, Any] = {"campaignArn": campaign, "userId": "1", "numResults": 10}
    answers = (house.clients.runtime.get_recommendations(**ask)["itemList"] for _ in range(times))
    return {one["itemId"] for answer in answers for one in answer}


def test_what_is_older_than_the_cut_off_is_not_explored(
    clients: Clients, films_bucket: str, films_folder: Path
) -> None:
    house = House(clients, films_bucket, "exploring")
    campaign, items = _campaign(house, {"explorationWeight": "1", "explorationItemAgeCutOff": "30"})
    newest = int(pl.read_csv(films_folder / "interactions.csv")["TIMESTAMP"].to_numpy().max())
    for item, days in ((OLD, 60), (NEW, 1)):
        _put(house, items, item, newest - days * DAY)
    until(lambda: NEW in _shown(house, campaign, 1))
    assert OLD not in _shown(house, campaign, 40)

    config = {"explorationWeight": "1", "explorationItemAgeCutOff": "90"}
    clients.control.update_campaign(campaignArn=campaign, campaignConfig={"itemExplorationConfig": config})
    until(lambda: describe(clients, "Campaign", campaign)["latestCampaignUpdate"]["status"] == "ACTIVE")
    assert describe(clients, "Campaign", campaign)["campaignConfig"]["itemExplorationConfig"] == config
    until(lambda: {OLD, NEW} <= _shown(house, campaign, 1))

    none = {"explorationWeight": "0", "explorationItemAgeCutOff": "90"}
    clients.control.update_campaign(campaignArn=campaign, campaignConfig={"itemExplorationConfig": none})
    until(lambda: describe(clients, "Campaign", campaign)["latestCampaignUpdate"]["status"] == "ACTIVE")
    assert {OLD, NEW}.isdisjoint(_shown(house, campaign, 20))


def test_what_was_explored_judges_a_version_before_it_is_deployed(
    clients: Clients, films_bucket: str, server: EmbeddedServer
) -> None:
    house = House(clients, films_bucket, "judged")
    campaign, items = _campaign(house, {"explorationWeight": "0.5", "explorationItemAgeCutOff": "10000"})
    version = describe(clients, "Campaign", campaign)["solutionVersionArn"]
    words = ["counterfactual", "--campaign", campaign, "--solution-version", version, "--home", str(server.home)]
    refused = CliRunner().invoke(app, [*words, "--json"])
    assert refused.exit_code == 1
    assert "no logged answers" in refused.stderr
    group = describe(clients, "Dataset", items)["datasetGroupArn"]
    tracker = describe(clients, "EventTracker", house.create("EventTracker", datasetGroupArn=group))["trackingId"]
    for number in range(20):
        user = f"judge-{number}"
        answer = clients.runtime.get_recommendations(campaignArn=campaign, userId=user, numResults=5)
        event: Any = {
            "eventType": "click",
            "itemId": answer["itemList"][0]["itemId"],
            "sentAt": int(time.time()),
            "recommendationId": answer["recommendationId"],
        }
        clients.events.put_events(trackingId=tracker, userId=user, sessionId=user, eventList=[event])

    def told() -> Any:
        done = CliRunner().invoke(app, [*words, "--json"])
        return json.loads(done.stdout) if done.exit_code == 0 else {}

    until(lambda: told().get("answers") == 20)
    report = told()
    assert (report["users"], report["decisions"], report["clicks"]) == (20, 100, 20)
    assert report["estimates"]["shown now"]["mean"] == pytest.approx(0.2)
    robust = report["estimates"]["doubly robust"]
    assert robust["low"] <= robust["mean"] <= robust["high"]
