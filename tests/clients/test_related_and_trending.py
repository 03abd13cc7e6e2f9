"""Similar items, semantic similarity, trends, HRNN names and all ten use cases, through boto3."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from botocore.exceptions import ClientError
from tests.clients.data import INTERACTIONS, schema_text
from tests.clients.house import RECIPES, ROLE, describe, settle

from matinee.data.sample import generate_sample
from matinee.demo.clients import Clients

if TYPE_CHECKING:
    from mypy_boto3_personalize.literals import DomainType
    from mypy_boto3_personalize_events.type_defs import EventTypeDef, ItemTypeDef

ITEMS = schema_text(
    "Items",
    ("ITEM_ID", "string"),
    {"name": "TITLE", "type": "string", "itemName": True},
    {"name": "STORY", "type": "string", "textual": True},
    {"name": "GENRES", "type": "string", "categorical": True},
)
DOMAIN_ITEMS = schema_text(
    "Items",
    ("ITEM_ID", "string"),
    {"name": "GENRES", "type": "string", "categorical": True},
    ("CREATION_TIMESTAMP", "long"),
    ("PRICE", "float"),
    {"name": "CATEGORY_L1", "type": "string", "categorical": True},
)
#: Two films that nobody has seen, and one that is put after the trainings.
CARS, SHIPS = "cold-cars", "cold-ships"
WORDS = {"Cars": "racing cars engines drivers speed", "Ships": "sailing ships oceans captains storms"}


@dataclass(frozen=True)
class Shop:
    """A dataset group with what is imported into it."""

    clients: Clients
    group: str
    datasets: dict[str, str]

    def create(self, resource: str, **request: Any) -> str:
        """Make a resource and wait until it has settled."""
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in f"create{resource}")
        answer: dict[str, Any] = getattr(self.clients.control, name)(**request)
        (arn,) = (value for key, value in answer.items() if key.endswith("Arn"))
        settle(self.clients, resource, arn)
        return str(arn)

    def solution(self, recipe: str, **more: Any) -> str:
        """A solution of the group."""
        return self.create(
            "Solution",
            name=f"{recipe}-{len(more)}",
            datasetGroupArn=self.group,
            recipeArn=f"{RECIPES}{recipe}",
            performAutoTraining=False,
            **more,
        )

    def campaign(self, recipe: str, campaign: dict[str, Any] | None = None, **solution: Any) -> str:
        """A campaign of a new solution, trained."""
        version = self.create("SolutionVersion", solutionArn=self.solution(recipe, **solution))
        shown = describe(self.clients, "SolutionVersion", version)
        assert shown["status"] == "ACTIVE", shown
        return self.create("Campaign", name=recipe, solutionVersionArn=version, campaignConfig=campaign or {})

    def items(self, **request: Any) -> list[str]:
        """The items of an answer; none has a score."""
        answer = self.clients.runtime.get_recommendations(**request)["itemList"]
        assert all("score" not in item for item in answer)
        return [item["itemId"] for item in answer]


def _events(event_type: str, count: int, seed: int) -> pl.DataFrame:
    return generate_sample(users=40, films=60, ratings=count, seed=seed).ratings.select(
        USER_ID=pl.format("u{}", "userId"),
        ITEM_ID=pl.format("i{}", "movieId"),
        TIMESTAMP="timestamp",
        EVENT_TYPE=pl.lit(event_type),
    )


def _custom_items(events: pl.DataFrame) -> pl.DataFrame:
    """Films of even numbers are about cars, odd ones about ships."""
    ids = [*events["ITEM_ID"].unique().sort(), CARS, SHIPS]
    kinds = ["Cars" if item == CARS or (item[0] == "i" and int(item[1:]) % 2 == 0) else "Ships" for item in ids]
    return pl.DataFrame(
        {
            "ITEM_ID": ids,
            "TITLE": [f"{kind} {at}" for at, kind in enumerate(kinds)],
            "STORY": [f"A tale of {WORDS[kind]}." for kind in kinds],
            "GENRES": kinds,
        }
    )


def _shop(
    clients: Clients,
    put: Callable[[str, str, bytes], str],
    name: str,
    domain: DomainType | None,
    files: dict[str, tuple[str, pl.DataFrame]],
) -> Shop:
    own: dict[str, Any] = {} if domain is None else {"domain": domain}
    shop = Shop(clients, "", {})
    group = shop.create("DatasetGroup", name=name, **own)
    for kind, (text, frame) in files.items():
        schema = clients.control.create_schema(name=f"{name}-{kind}", schema=text, **own)["schemaArn"]
        shop.datasets[kind] = dataset = shop.create(
            "Dataset", name=f"{name}-{kind}", datasetGroupArn=group, schemaArn=schema, datasetType=kind
        )
        source = {"dataLocation": put("related-tests", f"{name}-{kind}.csv", frame.write_csv().encode())}
        job = shop.create(
            "DatasetImportJob", jobName=f"{name}-{kind}", datasetArn=dataset, dataSource=source, roleArn=ROLE
        )
        assert describe(clients, "DatasetImportJob", job)["status"] == "ACTIVE"
    return Shop(clients, group, shop.datasets)


@pytest.fixture(scope="module")
def shop(clients: Clients, put: Callable[[str, str, bytes], str]) -> Shop:
    """A custom group."""
    events = _events("Watch", 1400, 5)
    files = {"Interactions": (INTERACTIONS, events), "Items": (ITEMS, _custom_items(events))}
    return _shop(clients, put, "related", None, files)


def _of(shown: list[str], kind: str) -> float:
    """The share of films of a kind."""
    even = [item == CARS or (item[0] == "i" and int(item[1:]) % 2 == 0) for item in shown]
    return sum(one == (kind == "Cars") for one in even) / len(shown)


def test_a_film_that_nobody_saw_has_similar_items_by_metadata(shop: Shop) -> None:
    campaign = shop.campaign("aws-similar-items")
    assert _of(shop.items(campaignArn=campaign, itemId=CARS, numResults=10), "Cars") == 1.0
    assert _of(shop.items(campaignArn=campaign, itemId=SHIPS, numResults=10), "Ships") == 1.0
    assert CARS in shop.items(campaignArn=campaign, itemId="i2", numResults=100)
    assert len(shop.items(campaignArn=campaign, itemId="never-heard-of", numResults=10)) == 10
    with pytest.raises(ClientError, match="itemId") as refusal:
        shop.items(campaignArn=campaign, userId="u1")
    assert refusal.value.response["Error"]["Code"] == "InvalidInputException"


def test_texts_make_films_alike_and_new_ones_are_taken_in(shop: Shop) -> None:
    campaign = shop.campaign("aws-semantic-similarity", performIncrementalUpdate=True)
    assert _of(shop.items(campaignArn=campaign, itemId=CARS, numResults=10), "Cars") == 1.0
    put = {"title": "Cars again", "story": "More racing cars and drivers.", "genres": "Cars"}
    item: ItemTypeDef = {"itemId": "i1000", "properties": json.dumps(put)}
    shop.clients.events.put_items(datasetArn=shop.datasets["Items"], items=[item])
    assert _of(shop.items(campaignArn=campaign, itemId="i1000", numResults=10), "Cars") == 1.0
    assert "i1000" in shop.items(campaignArn=campaign, itemId=CARS, numResults=60)


def test_trends_are_what_grows_now(shop: Shop) -> None:
    tracker = shop.clients.control.create_event_tracker(name="related", datasetGroupArn=shop.group)
    tracking = tracker["trackingId"]
    settle(shop.clients, "EventTracker", tracker["eventTrackerArn"])
    for at in range(2):
        events: list[EventTypeDef] = [
            {"eventType": "Watch", "itemId": "i7", "sentAt": datetime.now(UTC) - timedelta(seconds=60 + n)}
            for n in range(10)
        ]
        shop.clients.events.put_events(trackingId=tracking, sessionId=f"s{at}", userId=f"new{at}", eventList=events)
    parameters = {"featureTransformationParameters": {"trend_discovery_frequency": "1 hour"}}
    campaign = shop.campaign("aws-trending-now", solutionConfig=parameters)
    answer = shop.items(campaignArn=campaign, numResults=5)
    assert answer[0] == "i7"
    assert len(answer) == 5
    version = describe(shop.clients, "Campaign", campaign)["solutionVersionArn"]
    metrics = shop.clients.control.get_solution_metrics(solutionVersionArn=version)["metrics"]
    assert 0 <= metrics["trend_prediction_accuracy"] <= 1


@pytest.mark.parametrize("name", ["aws-hrnn", "aws-hrnn-metadata", "aws-hrnn-coldstart"])
def test_hrnn_names_are_described_and_take_no_new_solutions(shop: Shop, name: str) -> None:
    recipe = shop.clients.control.describe_recipe(recipeArn=f"{RECIPES}{name}")["recipe"]
    assert (recipe["name"], recipe["status"], recipe["recipeType"]) == (name, "ACTIVE", "USER_PERSONALIZATION")
    with pytest.raises(ClientError, match="aws-user-personalization-v2") as refusal:
        shop.solution(name)
    assert refusal.value.response["Error"]["Code"] == "InvalidInputException"


@pytest.fixture(scope="module")
def domains(clients: Clients, put: Callable[[str, str, bytes], str]) -> dict[str, Shop]:
    """A group of each domain with enough events of each type."""
    kinds: dict[str, tuple[DomainType, tuple[str, str]]] = {
        "vod": ("VIDEO_ON_DEMAND", ("Watch", "Click")),
        "ecomm": ("ECOMMERCE", ("View", "Purchase")),
    }
    made = {}
    for name, (domain, types) in kinds.items():
        events = pl.concat(_events(kind, 1300, seed) for seed, kind in enumerate(types))
        ids = events["ITEM_ID"].unique().sort()
        items = pl.DataFrame({"ITEM_ID": ids}).with_columns(
            GENRES=pl.lit("Drama"), CREATION_TIMESTAMP=pl.lit(1), PRICE=pl.lit(2.0), CATEGORY_L1=pl.lit("Films")
        )
        files = {"Interactions": (INTERACTIONS, events), "Items": (DOMAIN_ITEMS, items)}
        made[name] = _shop(clients, put, f"use-cases-{name}", domain, files)
    return made


USE_CASES = {
    "aws-vod-because-you-watched-x": ("userId", "itemId"),
    "aws-vod-more-like-x": ("userId", "itemId"),
    "aws-vod-most-popular": ("userId",),
    "aws-vod-trending-now": (),
    "aws-vod-top-picks": ("userId",),
    "aws-ecomm-popular-items-by-views": ("userId",),
    "aws-ecomm-popular-items-by-purchases": ("userId",),
    "aws-ecomm-frequently-bought-together": ("itemId",),
    "aws-ecomm-customers-who-viewed-x-also-viewed": ("userId", "itemId"),
    "aws-ecomm-recommended-for-you": ("userId",),
}
#: What the user has had of the type that a use case leaves out.
LEAVES_OUT = {
    "aws-vod-because-you-watched-x": "Watch",
    "aws-vod-more-like-x": "Watch",
    "aws-vod-top-picks": "Watch",
    "aws-ecomm-customers-who-viewed-x-also-viewed": "Purchase",
    "aws-ecomm-recommended-for-you": "Purchase",
}


@pytest.mark.parametrize("use_case", USE_CASES)
def test_each_use_case_answers_by_its_rules(domains: dict[str, Shop], use_case: str) -> None:
    shop = domains[use_case.split("-")[1]]
    arn = shop.create("Recommender", name=use_case, datasetGroupArn=shop.group, recipeArn=f"{RECIPES}{use_case}")
    assert describe(shop.clients, "Recommender", arn)["status"] == "ACTIVE"
    given = {"userId": "u1", "itemId": "i1"}
    needed = {member: given[member] for member in USE_CASES[use_case]}
    answer = shop.items(recommenderArn=arn, numResults=100, **needed)
    assert answer
    assert len(set(answer)) == len(answer)
    if "itemId" in needed:
        assert "i1" not in answer
    left_out = LEAVES_OUT.get(use_case)
    if left_out is not None:
        seed = ("Watch", "Click").index(left_out) if left_out in ("Watch", "Click") else 1
        had = _events(left_out, 1300, seed).filter(pl.col("USER_ID") == "u1")["ITEM_ID"]
        assert len(had)
        assert set(had).isdisjoint(answer)
    for member in needed:
        fewer = {name: value for name, value in needed.items() if name != member}
        with pytest.raises(ClientError, match=member) as refusal:
            shop.items(recommenderArn=arn, **fewer)
        assert refusal.value.response["Error"]["Code"] == "InvalidInputException"
    shop.clients.control.delete_recommender(recommenderArn=arn)
