"""Answers that are given again byte by byte: only while nothing at all has changed, and each under an ID of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from tests.unit.serving.shop import CALLER, STRANGER, Event, Shop, computed, log_of

from matinee.models.ease import EASE
from matinee.models.popularity import Popularity
from matinee.models.transformer.elapsed import bucket_of
from matinee.serving.quick_answers import LONGEST, QuickAnswer, QuickAnswers
from matinee.serving.runtime import Runtime

ROWS: list[Event] = [
    (f"u{user}", item, 100 + at, "watch") for user in range(1, 5) for at, item in enumerate("abcd"[: 5 - user])
]
LOG = log_of(ROWS, extra_items=["e"])


@pytest.fixture
def personal(shop: Shop) -> str:
    return shop.campaign("personal", "aws-user-personalization-v2", EASE(), LOG)


def ask(shop: Shop, arn: str, **more: Any) -> tuple[dict[str, Any], bool]:
    """The answer as the gateway gets it, and whether it was known before."""
    params = {"campaignArn": arn, "userId": "u4", **more}
    body = json.dumps(params).encode()
    known = shop.runtime.known(CALLER, body)
    answer = computed(shop.runtime, params, body) if known is None else shop.runtime.again(known)
    return json.loads(answer), known is not None


def test_the_same_request_is_answered_again_under_another_id(shop: Shop, personal: str) -> None:
    (first, new), (second, known) = ask(shop, personal), ask(shop, personal)
    plain = shop.get("GetRecommendations", campaignArn=personal, userId="u4")

    assert not new
    assert known is shop.database.is_sqlite  # PostgreSQL does not tell cheaply that nothing has changed
    assert first["itemList"] == second["itemList"] == plain["itemList"]
    assert list(first) == list(plain)
    assert len({first["recommendationId"], second["recommendationId"], plain["recommendationId"]}) == 3


def test_another_account_does_not_get_it(shop: Shop, personal: str) -> None:
    ask(shop, personal)
    body = json.dumps({"campaignArn": personal, "userId": "u4"}).encode()
    assert shop.runtime.known(STRANGER, body) is None


def test_it_counts_as_an_answer_from_memory(shop: Shop, personal: str) -> None:
    shop.runtime.close()
    registry = CollectorRegistry()
    shop.runtime = Runtime(shop.database, shop.objects, shop.settings, registry=registry)
    for _ in range(3):
        ask(shop, personal)
    assert registry.get_sample_value("matinee_answers_total", {"source": "memory"}) == 2


def _event(shop: Shop, arn: str) -> None:
    shop.put_event("u4", "b")


def _of_another(shop: Shop, arn: str) -> None:
    shop.put_event("u1", "d")


def _change(shop: Shop, arn: str) -> None:
    shop.change(arn, private={"touched": True})


@pytest.mark.parametrize("change", [_event, _of_another, _change])
def test_any_commit_ends_it(shop: Shop, personal: str, change: Callable[[Shop, str], None]) -> None:
    ask(shop, personal)
    change(shop, personal)
    assert not ask(shop, personal)[1]
    assert ask(shop, personal)[1] is shop.database.is_sqlite


def test_an_event_is_seen_by_the_next_answer(shop: Shop, personal: str) -> None:
    unseen = shop.filter("unseen", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")')
    for item in ("b", "c"):
        before = ask(shop, personal, filterArn=unseen)[0]
        assert item in [element["itemId"] for element in before["itemList"]]
        shop.put_event("u4", item)
        after = ask(shop, personal, filterArn=unseen)[0]
        assert item not in [element["itemId"] for element in after["itemList"]]


def test_what_explores_or_is_promoted_or_logged_is_never_given_again(shop: Shop, personal: str) -> None:
    exploring = shop.campaign("exploring", "aws-user-personalization", EASE(), LOG)
    every = shop.filter("every", 'INCLUDE ItemID WHERE Interactions.EVENT_TYPE NOT IN ("no")')
    promotion = [{"name": "p", "percentPromotedItems": 20, "filterArn": every}]
    for arn, more in ((exploring, {}), (personal, {"promotions": promotion})):
        assert not any(ask(shop, arn, **more)[1] for _ in range(3))
    shop.runtime.close()
    logging = replace(shop.settings, recommendation_log_others=0.5)
    shop.runtime = Runtime(shop.database, shop.objects, logging)
    assert not any(ask(shop, personal)[1] for _ in range(3))


def test_without_a_cache_nothing_is_known(shop: Shop, personal: str) -> None:
    shop.runtime.close()
    shop.runtime = Runtime(shop.database, shop.objects, replace(shop.settings, cache_mb=0))
    assert not any(ask(shop, personal)[1] for _ in range(3))


def _quick(shop: Shop, arn: str, newest: int | None = None) -> QuickAnswer:
    with shop.runtime._freshness.view() as view:
        deployment = shop.runtime._stage.deployments._load(view, arn, None)
    return QuickAnswer({}, deployment, b'{"itemList":[]', newest, bucket_of(50))


def test_a_model_that_reads_time_is_asked_again_when_more_has_passed(shop: Shop) -> None:
    answer = _quick(shop, shop.campaign("popular", "aws-popularity-count", Popularity(), LOG), newest=1_000)
    assert answer.holds(1_050)
    assert answer.holds(1_062)
    assert not answer.holds(1_063)


def test_it_holds_until_what_is_popular_is_counted_again() -> None:
    answer = QuickAnswer({}, None, b"", None, 0, until=1_060)  # type: ignore[arg-type]
    assert answer.holds(1_059)
    assert not answer.holds(1_060)


def test_it_keeps_within_its_limit(shop: Shop) -> None:
    answer = _quick(shop, shop.campaign("popular", "aws-popularity-count", Popularity(), LOG))
    quick = QuickAnswers(5_000)
    assert quick.find(1, ("a", "r", b"")) is None
    for number in range(10):
        quick.keep(1, ("a", "r", b"%d" % number), answer)
    kept = [number for number in range(10) if quick.find(1, ("a", "r", b"%d" % number)) is not None]
    assert 0 < len(kept) < 10
    assert kept[-1] == 9
    quick.keep(1, ("a", "r", b"x" * (LONGEST + 1)), answer)
    assert quick.find(1, ("a", "r", b"x" * (LONGEST + 1))) is None
    quick.keep(2, ("a", "r", b"late"), answer)  # of a state that nobody has asked about since
    assert quick.find(2, ("a", "r", b"9")) is None
    assert quick.find(1, ("a", "r", b"9")) is None
