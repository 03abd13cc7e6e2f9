"""Trends are counted again as time goes on, from what was imported and streamed."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import pytest
from tests.unit.serving.shop import CALLER, GROUP, Event, Shop, log_of

from matinee.models.trending import Trending, TrendingConfig
from matinee.recipes.catalogue import find
from matinee.serving.deployments import Deployment
from matinee.serving.event_loop import WouldBlock
from matinee.serving.freshness import View
from matinee.serving.item_table import ItemTable
from matinee.serving.trends import Trends
from matinee.training.artifact import Artifact, write_artifact

HOUR = 3600
TRAINED = 1_700_000_000
ROWS: list[Event] = [(f"u{n}", "popular", 1, "Watch") for n in range(3)] + [("u1", "other", 1, "Watch")]


@dataclass
class Clock:
    """A time that tests move."""

    now: float = TRAINED

    def __call__(self) -> float:
        return self.now


@dataclass
class Place:
    """A trained deployment and its trends."""

    shop: Shop
    trends: Trends
    clock: Clock
    artifact: Artifact
    deployment: Deployment
    views: int = 0

    def best(self, items: ItemTable | None = None) -> str:
        """The item that trends most, as of the clock."""
        table = ItemTable(self.artifact, None) if items is None else items
        with ExitStack() as resources:
            self.views += 1
            view = View(self.shop.database, self.views, resources)
            scores = self.trends.scores(view, self.deployment, self.artifact, table)
        return table.item_id(int(np.argmax(scores)))

    def stream(self, item: str, count: int, at: int, kind: str = "watch") -> None:
        """Stream events of different users."""
        for number in range(count):
            self.shop.put_event(f"v{number}", item, kind, at=at + number, session=f"{item}{number}")


def place_of(shop: Shop, *, refresh: int = HOUR, selection: list[dict[str, object]] | None = None) -> Place:
    log = log_of(ROWS)
    manifest = {"recipe": "aws-trending-now", "created": TRAINED * 1000, "data": {"selection": selection or []}}
    folder = shop.objects.root / "artifacts/trends"
    model = Trending(TrendingConfig(interval_seconds=HOUR)).fit(log.interactions)
    write_artifact(folder, model=model, log=log, manifest=manifest)
    artifact, clock = Artifact.open(folder), Clock()
    deployment = Deployment(
        arn=CALLER.arn("campaign/trends"),
        account=CALLER.account,
        region=CALLER.region,
        status="ACTIVE",
        group_arn=GROUP,
        recipe=find("aws-trending-now"),
        config={},
        artifact=artifact,
        prefix="artifacts/trends",
        version=(1,),
    )
    return Place(shop, Trends(shop.objects, refresh, clock), clock, artifact, deployment)


def test_without_recent_interactions_popular_items_are_the_answer(shop: Shop) -> None:
    assert place_of(shop).best() == "popular"


def test_streamed_events_count_at_the_next_counting(shop: Shop) -> None:
    place = place_of(shop)
    place.stream("other", 5, TRAINED + 60)
    place.clock.now = TRAINED + HOUR - 1
    assert place.best() == "popular"
    place.clock.now = TRAINED + HOUR
    assert place.best() == "other"
    place.clock.now = TRAINED + 5 * HOUR
    assert place.best() == "popular"


def test_a_short_refresh_counts_at_once(shop: Shop) -> None:
    place = place_of(shop, refresh=1)
    place.stream("other", 2, TRAINED + 60)
    place.clock.now = TRAINED + 90
    assert place.best() == "other"


def test_imports_after_the_training_count(shop: Shop) -> None:
    place = place_of(shop)
    rows = [{"USER_ID": f"u{n}", "ITEM_ID": "other", "TIMESTAMP": TRAINED + n, "EVENT_TYPE": "Watch"} for n in range(4)]
    shop.import_rows("INTERACTIONS", rows)
    place.clock.now = TRAINED + HOUR
    assert place.best() == "other"


def test_only_events_that_the_solution_trains_on_count(shop: Shop) -> None:
    place = place_of(shop, selection=[{"event_type": "Watch", "threshold": None}])
    place.stream("other", 9, TRAINED + 60, "click")
    place.stream("popular", 2, TRAINED + 60, "WATCH")
    place.clock.now = TRAINED + HOUR
    assert place.best() == "popular"


def test_an_item_that_came_after_the_training_can_trend(shop: Shop) -> None:
    place = place_of(shop)
    table = ItemTable(place.artifact, None, extras=("brand-new",))
    place.stream("brand-new", 5, TRAINED + 60)
    place.clock.now = TRAINED + HOUR
    assert place.best(table) == "brand-new"


def test_events_of_the_future_wait(shop: Shop) -> None:
    place = place_of(shop)
    place.stream("other", 5, TRAINED + 10 * HOUR)
    place.clock.now = TRAINED + HOUR
    assert place.best() == "popular"


def test_promotions_are_refused_by_the_use_case_and_not_by_the_recipe() -> None:
    assert not find("aws-vod-trending-now").promotable
    assert find("aws-trending-now").promotable
    assert find("aws-vod-most-popular").promotable


@pytest.mark.parametrize("recipe", ["aws-trending-now", "aws-vod-trending-now"])
def test_a_campaign_and_a_recommender_answer_with_trends(shop: Shop, recipe: str) -> None:
    log = log_of(ROWS)
    manifest = {"recipe": recipe, "created": TRAINED * 1000, "data": {}}
    prefix = f"recommenders/{recipe}"
    write_artifact(shop.objects.root / prefix, model=Trending().fit(log.interactions), log=log, manifest=manifest)
    attributes = {"datasetGroupArn": GROUP, "recipeArn": find(recipe).arn}
    if recipe == "aws-vod-trending-now":
        arn = shop.add("recommender", "r", attributes, parent=GROUP, private={"artifact": prefix})
    else:
        version = shop.add("solution", "s/1", {**attributes, "solutionArn": "s"}, private={"artifact": prefix})
        arn = shop.add("campaign", "c", {"solutionVersionArn": version, "campaignConfig": {}})
    assert shop.recommend(arn) == ["popular", "other"]


def test_nothing_is_counted_on_an_event_loop(shop: Shop) -> None:
    place = place_of(shop)

    async def on_the_loop() -> str:
        return place.best()

    with pytest.raises(WouldBlock):
        asyncio.run(on_the_loop())
    assert place.best() == asyncio.run(on_the_loop()) == "popular"
