"""`matinee serve --workers 2`: two API processes on one port, for boto3 one service."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.clients.data import INTERACTIONS
from tests.clients.house import RECIPES, ROLE, settle
from tests.unit.api.live import get

from matinee.demo.clients import Clients
from matinee.demo.embedded import EmbeddedServer


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory, server_environment: dict[str, str]) -> Iterator[EmbeddedServer]:
    home = tmp_path_factory.mktemp("together") / "home"
    with EmbeddedServer(home, server_environment, ["--workers", "2"]) as running:
        yield running


def _version(clients: Clients, group: str, recipe: str) -> str:
    solution = clients.control.create_solution(
        name=recipe, datasetGroupArn=group, recipeArn=f"{RECIPES}{recipe}", performAutoTraining=False
    )["solutionArn"]
    assert settle(clients, "Solution", solution) == "ACTIVE"
    version = clients.control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    assert settle(clients, "SolutionVersion", version) == "ACTIVE"
    return str(version)


def _group(clients: Clients, bucket: str) -> str:
    control = clients.control
    group = control.create_dataset_group(name="films")["datasetGroupArn"]
    schema = control.create_schema(name="films", schema=INTERACTIONS)["schemaArn"]
    settle(clients, "DatasetGroup", group)
    dataset = control.create_dataset(name="films", schemaArn=schema, datasetGroupArn=group, datasetType="Interactions")[
        "datasetArn"
    ]
    settle(clients, "Dataset", dataset)
    source: Any = {"dataLocation": f"s3://{bucket}/interactions.csv"}
    imported = control.create_dataset_import_job(jobName="films", datasetArn=dataset, dataSource=source, roleArn=ROLE)[
        "datasetImportJobArn"
    ]
    assert settle(clients, "DatasetImportJob", imported) == "ACTIVE"
    return str(group)


def test_an_update_under_load_fails_no_request_and_events_are_seen_by_all(
    together: EmbeddedServer, films_bucket: str, tmp_path: Path
) -> None:
    clients = Clients.of(together.url)
    group = _group(clients, films_bucket)
    first = _version(clients, group, "aws-popularity-count")
    second = str(clients.control.create_solution_version(solutionArn=first.rsplit("/", 1)[0])["solutionVersionArn"])
    assert settle(clients, "SolutionVersion", second) == "ACTIVE"
    campaign = clients.control.create_campaign(name="live", solutionVersionArn=first)["campaignArn"]
    assert settle(clients, "Campaign", campaign) == "ACTIVE"
    unseen = clients.control.create_filter(
        name="unseen",
        datasetGroupArn=group,
        filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")',
    )["filterArn"]
    assert settle(clients, "Filter", unseen) == "ACTIVE"
    tracker = clients.control.create_event_tracker(name="events", datasetGroupArn=group)["trackingId"]
    failures: list[Exception] = []
    answered = [0, 0]
    stop = threading.Event()

    def ask(me: int) -> None:
        mine = Clients.of(together.url)  # connections of its own
        watched = 0
        while not stop.is_set():
            try:
                items = _unseen(mine, campaign, unseen, f"user-{me}")
                if watched < 8:
                    event: Any = {"eventType": "watch", "sentAt": 1_750_000_000 + watched, "itemId": items[0]}
                    mine.events.put_events(
                        trackingId=tracker, userId=f"user-{me}", sessionId=str(me), eventList=[event]
                    )
                    for _ in range(4):
                        # A client of its own has a connection of its own: whichever process takes it.
                        assert items[0] not in _unseen(Clients.of(together.url), campaign, unseen, f"user-{me}")
                    watched += 1
                answered[me] += 1
            except Exception as failure:
                failures.append(failure)
                return

    threads = [threading.Thread(target=ask, args=(me,)) for me in range(2)]
    for thread in threads:
        thread.start()
    try:
        clients.control.update_campaign(campaignArn=campaign, solutionVersionArn=second)
        while clients.control.describe_campaign(campaignArn=campaign)["campaign"]["solutionVersionArn"] != second:
            assert not failures
            stop.wait(0.05)
        since = list(answered)
        while not failures and any(now < before + 12 for now, before in zip(answered, since, strict=True)):
            stop.wait(0.05)
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    assert failures == []
    assert get(together.url, "/readyz")[0] == 200
    shown = get(together.url, "/metrics")[2].decode()
    assert 'matinee_answers_total{source="computed"}' in shown
    assert "matinee_capacity_utilisation{" in shown


def _unseen(clients: Clients, campaign: str, unseen: str, user: str) -> list[str]:
    answer = clients.runtime.get_recommendations(campaignArn=campaign, filterArn=unseen, userId=user, numResults=10)
    return [item["itemId"] for item in answer["itemList"]]
