"""The two-hourly update with a real worker: an item put after the training is recommended, and nothing else shows."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.clients.data import INTERACTIONS, ITEMS
from tests.clients.house import ROLE, House, describe

from matinee.demo.clients import POLL_SECONDS, Clients
from matinee.demo.embedded import EmbeddedServer

_PATIENCE = 60.0


@pytest.fixture(scope="module")
def often(tmp_path_factory: pytest.TempPathFactory, server_environment: dict[str, str]) -> Iterator[EmbeddedServer]:
    """A server whose two hours are one second."""
    environment = {**server_environment, "MATINEE_AUTO_UPDATE_SECONDS": "1"}
    with EmbeddedServer(tmp_path_factory.mktemp("often") / "home", environment) as running:
        yield running


def _deployed(house: House) -> tuple[str, str]:
    """A version of a recipe that is updated, and a campaign that serves it."""
    group = house.create("DatasetGroup")
    for kind, text in {"Interactions": INTERACTIONS, "Items": ITEMS}.items():
        schema = house.create("Schema", schema=text)
        dataset = house.create("Dataset", datasetGroupArn=group, schemaArn=schema, datasetType=kind)
        house.datasets[kind.upper()] = dataset
        source = {"dataLocation": house.place(f"{kind.lower()}.csv")}
        house.create("DatasetImportJob", datasetArn=dataset, dataSource=source, roleArn=ROLE)
    version = house.create("SolutionVersion", solutionArn=house.solution("aws-user-personalization"))
    # Exploration finds new items at once; without it they wait for the update.
    config = {"itemExplorationConfig": {"explorationWeight": "0"}}
    return version, house.create("Campaign", solutionVersionArn=version, campaignConfig=config)


def _shown(clients: Clients, version: str, campaign: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What Describe shows of both, their dates too."""
    return describe(clients, "SolutionVersion", version), describe(clients, "Campaign", campaign)


def _score(clients: Clients, campaign: str, item: str) -> float | None:
    """The item's score among all items for somebody; None when it has none or is not there."""
    answer = clients.runtime.get_recommendations(campaignArn=campaign, userId="1", numResults=500)
    return next((one.get("score") for one in answer["itemList"] if one["itemId"] == item), None)


def test_an_item_put_after_the_training_is_recommended_after_the_update(
    often: EmbeddedServer, films_bucket: str
) -> None:
    clients = Clients.of(often.url)
    house = House(clients, films_bucket, "updated")
    version, campaign = _deployed(house)
    metrics = clients.control.get_solution_metrics(solutionVersionArn=version)["metrics"]
    before = _shown(clients, version, campaign)
    assert _score(clients, campaign, "new") is None

    film = {"title": "New", "genres": "Drama", "price": 5.0, "creationTimestamp": int(time.time())}
    clients.events.put_items(
        datasetArn=house.datasets["ITEMS"], items=[{"itemId": "new", "properties": json.dumps(film)}]
    )
    end = time.monotonic() + _PATIENCE
    while _score(clients, campaign, "new") is None:
        assert time.monotonic() < end, often.log_path.read_text()[-2000:]
        threading.Event().wait(POLL_SECONDS)

    (told,) = [line for line in often.log_path.read_text().splitlines() if "deployed models take in new data" in line]
    assert version in told
    assert _shown(clients, version, campaign) == before
    assert clients.control.get_solution_metrics(solutionVersionArn=version)["metrics"] == metrics
    versions = clients.control.list_solution_versions(solutionArn=house.arns["Solution"])["solutionVersions"]
    assert [one["solutionVersionArn"] for one in versions] == [version]
