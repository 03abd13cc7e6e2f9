"""Answers from the cache: the same as computed ones, and never of a state that is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from tests.unit.serving.shop import CALLER, Event, Shop, log_of

from matinee.models.ease import EASE
from matinee.models.popularity import Popularity
from matinee.serving.runtime import Runtime

ROWS: list[Event] = [
    (f"u{user}", item, 100 + at, "watch") for user in range(1, 5) for at, item in enumerate("abcd"[: 5 - user])
]
LOG = log_of(ROWS, extra_items=["e"])
UNSEEN = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'


@pytest.fixture
def registry(shop: Shop) -> CollectorRegistry:
    """Where the shop's runtime counts."""
    shop.runtime.close()
    counted = CollectorRegistry()
    shop.runtime = Runtime(shop.database, shop.objects, shop.settings, registry=counted)
    return counted


@pytest.fixture
def personal(shop: Shop) -> str:
    return shop.campaign("personal", "aws-user-personalization-v2", EASE(), LOG)


def _counts(registry: CollectorRegistry) -> tuple[float | None, ...]:
    return tuple(
        registry.get_sample_value("matinee_answers_total", {"source": source}) for source in ("computed", "memory")
    )


def _answer(shop: Shop, arn: str, **params: Any) -> dict[str, Any]:
    return shop.get("GetRecommendations", campaignArn=arn, **{"userId": "u4", **params})


def test_the_same_question_is_answered_from_memory_under_an_id_of_its_own(
    shop: Shop, personal: str, registry: CollectorRegistry
) -> None:
    first, second = _answer(shop, personal), _answer(shop, personal)

    assert first["itemList"] == second["itemList"]
    assert first["recommendationId"] != second["recommendationId"]
    assert _counts(registry) == (1, 1)


def _event(shop: Shop, arn: str) -> None:
    shop.put_event("u4", "b")


def _item(shop: Shop, arn: str) -> None:
    shop.put("PutItems", datasetArn=CALLER.arn("dataset/films/ITEMS"), items=[{"itemId": "b", "properties": "{}"}])


def _import(shop: Shop, arn: str) -> None:
    shop.import_rows("ITEMS", [{"ITEM_ID": "c", "GENRES": "Drama"}])


def _filter(shop: Shop, arn: str) -> None:
    shop.change(
        CALLER.arn("filter/unseen"),
        attributes={"datasetGroupArn": CALLER.arn("dataset-group/films"), "filterExpression": UNSEEN},
    )


def _version(shop: Shop, arn: str) -> None:
    other = shop.version("personal/0000000b", "aws-user-personalization-v2", Popularity(), LOG)
    shop.change(arn, attributes={"solutionVersionArn": other, "campaignConfig": {}})


@pytest.mark.parametrize("change", [_event, _item, _import, _filter, _version])
def test_what_an_answer_depends_on_makes_it_unreachable(
    shop: Shop, personal: str, registry: CollectorRegistry, change: Callable[[Shop, str], None]
) -> None:
    unseen = shop.filter("unseen", UNSEEN)
    _answer(shop, personal, filterArn=unseen)
    change(shop, personal)
    _answer(shop, personal, filterArn=unseen)

    assert _counts(registry) == (2, 0)


def test_an_event_is_seen_by_the_next_answer(shop: Shop, personal: str) -> None:
    unseen = shop.filter("unseen", UNSEEN)
    assert "b" in shop.recommend(personal, userId="u4", filterArn=unseen)
    shop.put_event("u4", "b")
    assert "b" not in shop.recommend(personal, userId="u4", filterArn=unseen)


@pytest.mark.parametrize("different", [{"numResults": 2}, {"userId": "u3"}, {"context": {"DEVICE": "tv"}}])
def test_another_question_is_another_answer(
    shop: Shop, personal: str, registry: CollectorRegistry, different: dict[str, Any]
) -> None:
    shop.recommend(personal, userId="u4")
    shop.recommend(personal, **{"userId": "u4", **different})

    assert _counts(registry) == (2, 0)


def test_a_deployment_that_explores_is_computed_each_time(shop: Shop, registry: CollectorRegistry) -> None:
    arn = shop.campaign("exploring", "aws-user-personalization", EASE(), LOG)
    _answer(shop, arn)
    _answer(shop, arn)

    assert _counts(registry) == (0, 0)
    assert registry.get_sample_value("matinee_answers_total", {"source": "unrepeatable"}) == 2


def test_promoted_items_change_places_though_the_answer_is_kept(
    shop: Shop, personal: str, registry: CollectorRegistry
) -> None:
    every = shop.filter("every", 'INCLUDE ItemID WHERE Items.GENRES IN ("Drama")')
    shop.import_rows("ITEMS", [{"ITEM_ID": one, "GENRES": "Drama"} for one in "abcd"])
    promotion = [{"name": "p", "percentPromotedItems": 25, "filterArn": every}]
    places = set()
    for _ in range(60):
        items = _answer(shop, personal, promotions=promotion, numResults=4)["itemList"]
        places.add(next(at for at, one in enumerate(items) if "promotionName" in one))

    assert len(places) > 1
    assert _counts(registry) == (1, 59)


def test_without_memory_nothing_is_kept(shop: Shop, personal: str) -> None:
    counted = CollectorRegistry()
    runtime = Runtime(shop.database, shop.objects, replace(shop.settings, cache_mb=0), registry=counted)
    for _ in range(2):
        runtime.get_recommendations(CALLER, {"campaignArn": personal, "userId": "u4"})
    runtime.close()

    assert _counts(counted) == (2, None)
