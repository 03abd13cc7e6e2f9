"""Exploration through the runtime: who gets a chance, what lowers an item, what is answered and kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from tests.unit.serving.shop import CALLER, GROUP, Event, Shop, log_of

from matinee.models.ease import EASE
from matinee.serving.runtime import Runtime
from matinee.storage.metadata import recommendations

DAY = 86_400
#: 30 old items with an event a day, of many users; `young` came on the last day.
ROWS: list[Event] = [
    (f"u{user}", f"i{(user + at) % 30:02}", at * DAY, "watch") for user in range(12) for at in range(60)
]
LOG = log_of([*ROWS, ("u1", "young", 60 * DAY, "watch")])
V1 = "aws-user-personalization"


@pytest.fixture
def explorer(shop: Shop) -> Shop:
    """A shop whose runtime counts impressions before every answer."""
    shop.runtime.close()
    shop.settings = replace(shop.settings, exploration_refresh=0)
    shop.runtime = Runtime(shop.database, shop.objects, shop.settings, random=np.random.default_rng(3))
    return shop


def _campaign(shop: Shop, weight: str, cut_off: str = "7", name: str = "v1") -> str:
    config = {"explorationWeight": weight, "explorationItemAgeCutOff": cut_off}
    return shop.campaign(name, V1, EASE(), LOG, itemExplorationConfig=config)


def _shown(shop: Shop, arn: str, times: int = 40, **params: Any) -> Counter[str]:
    """How often each item is among the first five of so many answers."""
    return Counter(item for _ in range(times) for item in shop.recommend(arn, userId="u2", numResults=5, **params))


def test_weight_0_gives_the_models_own_answer_every_time(explorer: Shop) -> None:
    arn = _campaign(explorer, "0")
    answers = {tuple(explorer.recommend(arn, userId="u2", numResults=5)) for _ in range(10)}
    explained = explorer.runtime.explain(CALLER, {"campaignArn": arn, "userId": "u2", "numResults": 5})
    assert answers == {tuple(one["itemId"] for one in explained["explanations"])}


def test_a_young_item_gets_its_chance_more_often_with_more_weight(explorer: Shop) -> None:
    shown = [_shown(explorer, _campaign(explorer, weight, name=f"w{weight}"))["young"] for weight in ("0.05", "0.9")]
    assert 0 < shown[0] < shown[1]


def test_items_older_than_the_cut_off_are_not_explored(explorer: Shop) -> None:
    model = set(explorer.recommend(_campaign(explorer, "0", name="none"), userId="u2", numResults=5))
    assert set(_shown(explorer, _campaign(explorer, "1"))) <= model | {"young"}


def test_an_item_that_was_put_is_explored_without_training(explorer: Shop) -> None:
    arn = _campaign(explorer, "0.9")
    assert _shown(explorer, arn)["brand-new"] == 0
    item = {"itemId": "brand-new", "properties": {"title": "New"}}
    explorer.put("PutItems", datasetArn=CALLER.arn("dataset/films/ITEMS"), items=[item])
    assert _shown(explorer, arn)["brand-new"] > 5


def test_the_request_filter_holds_for_what_is_explored(explorer: Shop) -> None:
    arn = _campaign(explorer, "1")
    item = {"itemId": "brand-new", "properties": {"genres": "Horror"}}
    explorer.put("PutItems", datasetArn=CALLER.arn("dataset/films/ITEMS"), items=[item])
    calm = explorer.filter("calm", 'EXCLUDE ItemID WHERE Items.GENRES IN ("Horror")')
    assert _shown(explorer, arn, filterArn=calm)["brand-new"] == 0


def test_impressions_without_clicks_lower_the_item(explorer: Shop) -> None:
    arn = _campaign(explorer, "0.5")
    before = _shown(explorer, arn)["young"]
    for at in range(80):
        explorer.put_event("u9", "i01", at=61 * DAY + at, session=f"s{at}", impression=["i01", "young"])
    assert _shown(explorer, arn)["young"] < before / 2


def test_implicit_impressions_lower_the_item_too(explorer: Shop) -> None:
    arn = _campaign(explorer, "1")
    before = _shown(explorer, arn)["young"]
    for at in range(60):
        answer = explorer.get("GetRecommendations", campaignArn=arn, userId="u3", numResults=5)
        first = next(one["itemId"] for one in answer["itemList"] if one["itemId"] != "young")
        explorer.put_event("u3", first, at=61 * DAY + at, recommendationId=answer["recommendationId"])
    assert _shown(explorer, arn)["young"] < before


def test_scores_are_those_of_the_model_and_0_for_what_it_does_not_know(explorer: Shop) -> None:
    arn = _campaign(explorer, "1")
    explorer.put("PutItems", datasetArn=CALLER.arn("dataset/films/ITEMS"), items=[{"itemId": "new"}])
    answer = explorer.get("GetRecommendations", campaignArn=arn, userId="u2", numResults=500)
    scores = {one["itemId"]: one["score"] for one in answer["itemList"]}
    assert scores["new"] == 0.0
    assert len(scores) == 32
    assert sum(scores.values()) == pytest.approx(1, abs=1e-5)
    assert all(one.keys() == {"itemId", "score"} for one in answer["itemList"])


def test_a_use_case_explores_and_shows_no_scores(explorer: Shop) -> None:
    arn = explorer.recommender(
        "picks", "aws-vod-top-picks", EASE(), LOG, itemExplorationConfig={"explorationWeight": "1"}
    )
    explorer.put("PutItems", datasetArn=CALLER.arn("dataset/films/ITEMS"), items=[{"itemId": "new"}])
    answer = explorer.get("GetRecommendations", recommenderArn=arn, userId="u2", numResults=5)
    assert "new" in {one["itemId"] for one in answer["itemList"]}
    assert all(one.keys() == {"itemId"} for one in answer["itemList"])


def test_the_same_seed_explores_alike(explorer: Shop) -> None:
    arn = _campaign(explorer, "0.5")
    answers = []
    for _ in range(2):
        runtime = Runtime(explorer.database, explorer.objects, explorer.settings, random=np.random.default_rng(11))
        call = {"campaignArn": arn, "userId": "u2", "numResults": 10}
        answers.append([runtime.get_recommendations(CALLER, call)["itemList"] for _ in range(5)])
        runtime.close()
    assert answers[0] == answers[1]


def test_every_explored_answer_is_kept_with_the_probability_of_each_place(explorer: Shop) -> None:
    arn = _campaign(explorer, "0.5")
    answer = explorer.get("GetRecommendations", campaignArn=arn, userId="u2", numResults=5)
    explorer.runtime.close()
    with explorer.database.read() as connection:
        (row,) = connection.execute(sa.select(recommendations)).all()
    kept = row._mapping
    assert (kept["id"], kept["user_id"], kept["group_arn"]) == (answer["recommendationId"], "u2", GROUP)
    assert kept["items"] == [one["itemId"] for one in answer["itemList"]]
    assert len(kept["propensities"]) == 5
    assert all(0 < chance <= 1 for chance in kept["propensities"])
    assert (kept["arn"], kept["model_arn"]) == (arn, CALLER.arn("solution/v1/0000000a"))


def test_promoted_items_have_no_propensity_and_are_not_explored_again(explorer: Shop) -> None:
    arn = _campaign(explorer, "1")
    explorer.put("PutItems", datasetArn=CALLER.arn("dataset/films/ITEMS"), items=[{"itemId": "new"}])
    only = explorer.filter("only", 'INCLUDE ItemID WHERE Items.ITEM_ID IN ("new")')
    promotion = {"name": "p", "percentPromotedItems": 20, "filterArn": only}
    items = explorer.recommend(arn, userId="u2", numResults=5, promotions=[promotion])
    explorer.runtime.close()
    with explorer.database.read() as connection:
        kept = connection.execute(sa.select(recommendations.c.propensities)).scalar_one()
    assert items.count("new") == 1
    assert kept[items.index("new")] is None
    assert sum(chance is None for chance in kept) == 1


def test_answers_without_exploration_are_kept_where_the_setting_says_so(explorer: Shop, tmp_path: Path) -> None:
    arn = explorer.campaign("v2", "aws-user-personalization-v2", EASE(), LOG)
    explorer.recommend(arn, userId="u2")
    explorer.runtime.close()
    settings = replace(explorer.settings, recommendation_log_others=1.0)
    runtime = Runtime(explorer.database, explorer.objects, settings)
    answer = runtime.get_recommendations(CALLER, {"campaignArn": arn, "userId": "u2"})
    runtime.close()
    with explorer.database.read() as connection:
        rows = connection.execute(sa.select(recommendations.c.id, recommendations.c.propensities)).all()
    assert [tuple(row) for row in rows] == [(answer["recommendationId"], None)]
