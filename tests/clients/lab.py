"""A server on which a campaign has two versions that recommend different films, for attribution and experiments."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

from tests.clients.data import ITEMS, schema_text
from tests.clients.house import ROLE, House
from typer.testing import CliRunner, Result

from matinee.cli.app import app
from matinee.demo.clients import Clients
from matinee.demo.embedded import EmbeddedServer

#: What such a server needs beside the usual: attribution looks each second, and nothing is trained by itself.
ENVIRONMENT = {
    "MATINEE_ATTRIBUTION_SECONDS": "1",
    "MATINEE_AUTO_TRAINING": "off",
    "MATINEE_AUTO_UPDATE_SECONDS": "0",
    "MATINEE_DELIVERY_LONGEST_WAIT": "1",
}
INTERACTIONS = schema_text(
    "Interactions",
    ("USER_ID", "string"),
    ("ITEM_ID", "string"),
    ("TIMESTAMP", "long"),
    ("EVENT_TYPE", "string"),
    ("EVENT_VALUE", ["null", "float"]),
    ("EVENT_ATTRIBUTION_SOURCE", ["null", "string"]),
)
_PATIENCE = 90.0


@dataclass
class Lab:
    """A running server, and ARNs of what is on it: `versions` are the campaign's and one that ranks the other way."""

    server: EmbeddedServer
    house: House
    group: str
    interactions: str
    campaign: str
    versions: tuple[str, str]
    tracking_id: str

    @classmethod
    def build(cls, server: EmbeddedServer, bucket: str, put: Callable[[str, str, bytes], str]) -> Lab:
        """Import, train, import other events, train again, deploy the first version."""
        house = House(Clients.of(server.url), bucket, "lab")
        group = house.create("DatasetGroup", name="lab")
        datasets = {
            kind: house.create(
                "Dataset",
                datasetGroupArn=group,
                datasetType=kind,
                schemaArn=house.begin("Schema", schema=schema),
            )
            for kind, schema in (("INTERACTIONS", INTERACTIONS), ("ITEMS", ITEMS))
        }
        tracker = house.create("EventTracker", datasetGroupArn=group)
        items = "".join(f"i{n},Film {n},Drama,{n}.5,1600000000\n" for n in range(1, 6))
        _import(house, datasets["ITEMS"], put(bucket, "lab/items.csv", _ITEM_HEADER + items.encode()))
        solution = house.create(
            "Solution",
            name="lab-popular",
            datasetGroupArn=group,
            recipeArn="arn:aws:personalize:::recipe/aws-popularity-count",
            performAutoTraining=False,
        )
        versions = []
        for number, best in enumerate(("i1", "i2")):
            place = put(bucket, f"lab/interactions-{number}.csv", _events(best))
            _import(house, datasets["INTERACTIONS"], place)
            versions.append(house.create("SolutionVersion", solutionArn=solution))
        campaign = house.create("Campaign", name="lab-home", solutionVersionArn=versions[0])
        described = house.clients.control.describe_event_tracker(eventTrackerArn=tracker)["eventTracker"]
        return cls(
            server,
            house,
            group,
            datasets["INTERACTIONS"],
            campaign,
            (versions[0], versions[1]),
            described["trackingId"],
        )

    @property
    def clients(self) -> Clients:
        """boto3 clients of the server."""
        return self.house.clients

    def restart(self) -> None:
        """Kill the server and start another one on the same data."""
        self.server.kill()
        self.server.__enter__()
        self.house.clients = Clients.of(self.server.url)

    def recommend(self, user: str, results: int = 5, **more: Any) -> tuple[str, list[str]]:
        """The recommendationId and the items of one answer of the campaign."""
        answer = self.clients.runtime.get_recommendations(
            campaignArn=more.pop("campaign", self.campaign), userId=user, numResults=results, **more
        )
        return answer["recommendationId"], [item["itemId"] for item in answer["itemList"]]

    def put_event(self, user: str, item: str, kind: str, at: float, **more: Any) -> None:
        """One event of a user by PutEvents."""
        event = {"eventType": kind, "sentAt": at, "itemId": item, **more}
        self.clients.events.put_events(
            trackingId=self.tracking_id,
            userId=user,
            sessionId=user,
            eventList=[event],  # type: ignore[list-item]
        )

    def matinee(self, *arguments: str, expect: int = 0) -> Result:
        """Run a command of the program beside the server, on its home folder."""
        result = CliRunner().invoke(app, [*arguments, "--home", str(self.server.home)])
        assert result.exit_code == expect, f"{arguments}: {result.output}\n{result.exception!r}"
        return result

    def said(self, *arguments: str) -> Any:
        """What a command prints with --json."""
        return json.loads(self.matinee(*arguments, "--json").stdout)


_ITEM_HEADER = b"ITEM_ID,TITLE,GENRES,PRICE,CREATION_TIMESTAMP\n"


def _events(best: str) -> bytes:
    """1,010 watches of 101 users and five films, of which all watched `best` and some each of the others."""
    lines = ["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE,EVENT_ATTRIBUTION_SOURCE"]
    for number in range(1010):
        user = number % 101
        item = best if number < 505 else f"i{user % 5 + 1}"
        lines.append(f"u{user},{item},{1_700_000_000 + number},watch,,")
    return ("\n".join(lines) + "\n").encode()


def _import(house: House, dataset: str, place: str) -> None:
    house.create(
        "DatasetImportJob", datasetArn=dataset, dataSource={"dataLocation": place}, roleArn=ROLE, importMode="FULL"
    )


def await_that(condition: Callable[[], bool], told: Callable[[], str] = lambda: "") -> None:
    """Wait until a condition holds."""
    waited = 0.0
    while not condition():
        assert waited < _PATIENCE, f"waited in vain {told()}"
        Event().wait(0.1)
        waited += 0.1
