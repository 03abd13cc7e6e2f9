"""User-personalization-v2 shows a new item now and then, as often as the setting says, and says why."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.api.live import clients, serving
from tests.unit.api.waiting import until
from tests.unit.serving.shop import CALLER, GROUP, Event, Shop, computed, log_of

from matinee.api.server import application
from matinee.models.ease import EASE
from matinee.models.popularity import Popularity
from matinee.serving.managed_exploration import ManagedExploration
from matinee.serving.runtime import Runtime
from matinee.storage.metadata import Database
from matinee.training.artifact import write_artifact

#: 30 items with events; `asleep` was there at the training, and nobody had met it.
NOW, DAY = 1_600_000_000, 86_400
ROWS: list[Event] = [(f"u{user}", f"i{item:02}", NOW - item, "watch") for user in range(9) for item in range(30)]
LOG = log_of(ROWS, extra_items=["asleep"])
V2 = "aws-user-personalization-v2"


def explorer(share: float, seed: int = 1) -> ManagedExploration:
    return ManagedExploration(share, np.random.default_rng(seed))


@pytest.fixture
def keen(shop: Shop) -> Shop:
    """A shop on which every fifth place explores, with a new item."""
    shop.runtime.close()
    shop.settings = replace(shop.settings, managed_exploration=0.2)
    shop.runtime = Runtime(shop.database, shop.objects, shop.settings, random=np.random.default_rng(3))
    put(shop, "brand-new", genres="Horror")
    return shop


def put(shop: Shop, item: str, **properties: Any) -> None:
    entry = {"itemId": item, "properties": properties}
    shop.put("PutItems", datasetArn=CALLER.arn("dataset/films/ITEMS"), items=[entry])


def answers(shop: Shop, arn: str, times: int = 60, **params: Any) -> list[list[dict[str, Any]]]:
    ask = {"campaignArn": arn, "userId": "u2", "numResults": 5, **params}
    return [shop.get("GetRecommendations", **ask)["itemList"] for _ in range(times)]


def test_places_explore_as_often_as_the_share_says_whichever_way_they_pass() -> None:
    managed = explorer(0.05)
    counted = sum(len(managed.draw(25)) if number % 2 or not managed.passes(25) else 0 for number in range(4000))
    assert counted / 100_000 == pytest.approx(0.05, rel=0.1)


def test_each_place_is_as_likely_as_the_others() -> None:
    managed = explorer(0.3)
    counts = np.bincount([place for _ in range(4000) for place in managed.draw(5)], minlength=5)
    assert counts / 4000 == pytest.approx(np.full(5, 0.3), abs=0.05)


def test_without_a_share_no_place_explores() -> None:
    assert explorer(0).draw(1000) == []
    assert explorer(0).passes(1000)


def test_with_the_whole_share_every_place_explores() -> None:
    assert explorer(1).draw(4) == [0, 1, 2, 3]
    assert not explorer(1).passes(1)


def test_new_items_come_with_a_reason_and_without_a_score_the_others_in_their_order(keen: Shop) -> None:
    arn = keen.campaign("v2", V2, EASE(), LOG)
    explained = keen.runtime.explain(CALLER, {"campaignArn": arn, "userId": "u2", "numResults": 5})
    usual = [one["itemId"] for one in explained["explanations"]]
    seen = set()
    for answer in answers(keen, arn):
        new = [one for one in answer if "reason" in one]
        assert all(one == {"itemId": one["itemId"], "reason": ["Exploration"]} for one in new)
        seen |= {one["itemId"] for one in new}
        others = [one["itemId"] for one in answer if one not in new]
        assert others == usual[: len(others)]
        assert len(answer) == len({one["itemId"] for one in answer}) == 5
    assert seen == {"brand-new", "asleep"}


def test_the_filter_of_the_request_holds(keen: Shop) -> None:
    arn = keen.campaign("v2", V2, EASE(), LOG)
    calm = keen.filter("calm", 'EXCLUDE ItemID WHERE Items.GENRES IN ("Horror")')
    shown = {one["itemId"] for answer in answers(keen, arn, filterArn=calm) for one in answer}
    assert "asleep" in shown
    assert "brand-new" not in shown


def test_promoted_places_stay_and_an_item_is_shown_once(keen: Shop) -> None:
    arn = keen.campaign("v2", V2, EASE(), LOG)
    only = keen.filter("only", 'INCLUDE ItemID WHERE Items.GENRES IN ("Horror")')
    promotion = {"name": "p", "percentPromotedItems": 20, "filterArn": only}
    for answer in answers(keen, arn, promotions=[promotion]):
        promoted = [one for one in answer if "promotionName" in one]
        assert [(one["itemId"], one["reason"]) for one in promoted] == [("brand-new", ["Promoted item"])]
        assert [one["itemId"] for one in answer].count("brand-new") == 1


def test_what_is_older_than_30_days_or_was_met_is_not_new(keen: Shop) -> None:
    log = log_of([*ROWS, ("u1", "met", NOW, "watch")], extra_items=["old", "young"])
    ages = {"old": 31, "young": 29, "met": 1}
    created = np.array([NOW - ages.get(item, 90) * DAY for item in log.item_ids], np.int64)
    write_artifact(
        keen.objects.root / "artifacts/aged",
        model=EASE().fit(log.interactions),
        log=log,
        manifest={"recipe": V2, "data": {}},
        created=created,
    )
    served = {"datasetGroupArn": GROUP, "recipeArn": f"arn:aws:personalize:::recipe/{V2}"}
    version = keen.add("solution", "aged/0000000a", served, private={"artifact": "artifacts/aged"})
    arn = keen.add("campaign", "aged", {"solutionVersionArn": version, "campaignConfig": {}})
    seen = {one["itemId"] for answer in answers(keen, arn) for one in answer if "reason" in one}
    assert seen == {"young", "brand-new"}


def test_other_recipes_and_short_answers_do_not_explore(keen: Shop) -> None:
    other = keen.campaign("popular", "aws-popularity-count", Popularity(), LOG)
    arn = keen.campaign("v2", V2, EASE(), LOG)
    assert "brand-new" not in {one["itemId"] for answer in answers(keen, other) for one in answer}
    assert all("reason" not in one for answer in answers(keen, arn, numResults=50) for one in answer)


def test_answers_that_are_kept_explore_as_often(keen: Shop) -> None:
    arn = keen.campaign("v2", V2, EASE(), LOG)
    params = {"campaignArn": arn, "userId": "u2", "numResults": 5}
    body = json.dumps(params).encode()
    explored = 0
    for _ in range(400):
        known = keen.runtime.known(CALLER, body)
        answer = json.loads(computed(keen.runtime, params, body) if known is None else keen.runtime.again(known))
        explored += sum("reason" in one for one in answer["itemList"])
    # Two new items at most are in an answer of five places.
    assert 250 < explored < 450


def test_by_default_a_new_item_comes_now_and_then(tmp_path: Path) -> None:
    """Through boto3, with the setting as it is: one place in a thousand."""
    migrated = Database(f"sqlite:///{tmp_path / 'matinee.db'}")
    migrated.upgrade()
    migrated.close()
    shop = Shop(tmp_path)
    arn = shop.campaign("v2", V2, EASE(), LOG)
    with serving(application(shop.settings)) as url:
        runtime = clients(url, region=CALLER.region)["personalize-runtime"]

        seen: list[dict[str, Any]] = []

        def explored() -> bool:
            found = runtime.get_recommendations(campaignArn=arn, userId="u2", numResults=25)["itemList"]
            seen.extend(one for one in found if "reason" in one)
            return bool(seen)

        until(explored, seconds=120)
    shop.close()
    assert seen[0] == {"itemId": "asleep", "reason": ["Exploration"]}
