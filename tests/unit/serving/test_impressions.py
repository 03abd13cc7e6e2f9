"""Impressions and clicks counted from streamed events, explicit and implicit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.unit.serving.shop import GROUP, Shop

from matinee.serving.freshness import Freshness
from matinee.serving.impressions import Counter, Feedback, Impressions
from matinee.serving.recommendation_log import RecommendationLog, Recommended

Count = Callable[[], dict[str, tuple[float, bool]]]


def _answer(identity: str, *items: str, group: str = GROUP) -> Recommended:
    return Recommended(identity, group, "arn", "model", "artifact", "u1", items, None)


@pytest.fixture
def count(shop: Shop) -> Count:
    """What is counted now: of each item its clicks, and whether any were expected."""
    impressions, freshness = Impressions(0), Freshness(shop.database)

    def counted() -> dict[str, tuple[float, bool]]:
        with freshness.view() as view:
            found: Feedback = impressions.feedback(view, GROUP)
        return {item: (found.clicks[row], bool(found.expected[row] > 0)) for item, row in found.row.items()}

    return counted


def test_an_impression_counts_each_item_and_the_one_that_was_clicked(shop: Shop, count: Count) -> None:
    shop.put_event("u1", "b", impression=["a", "b", "c"])
    assert count() == {"a": (0, True), "b": (1, True), "c": (0, True)}


def test_a_recommendation_id_stands_for_what_was_answered(shop: Shop, count: Count) -> None:
    log = RecommendationLog(shop.database, shop.settings)
    log.add(_answer("RID-1", "x", "y"))
    log.close()
    shop.put_event("u1", "y", recommendationId="RID-1")
    assert count() == {"x": (0, True), "y": (1, True)}


def test_an_explicit_impression_outranks_the_recommendation_id(shop: Shop, count: Count) -> None:
    log = RecommendationLog(shop.database, shop.settings)
    log.add(_answer("RID-1", "x", "y"))
    log.close()
    shop.put_event("u1", "y", recommendationId="RID-1", impression=["y", "z"])
    assert count() == {"y": (1, True), "z": (0, True)}


def test_several_events_about_one_list_count_it_once(shop: Shop, count: Count) -> None:
    for at, item in enumerate(("a", "a", "b")):
        shop.put_event("u1", item, at=10_000 + at, recommendationId="RID-1", impression=["a", "b"])
    assert count() == {"a": (1, True), "b": (1, True)}


def test_an_answer_that_is_logged_after_the_event_counts_all_the_same(shop: Shop, count: Count) -> None:
    shop.put_event("u1", "y", recommendationId="RID-1")
    assert count() == {}
    log = RecommendationLog(shop.database, shop.settings)
    log.add(_answer("RID-1", "x", "y"))
    log.close()
    assert count() == {"x": (0, True), "y": (1, True)}


def test_answers_to_other_groups_are_not_read(shop: Shop, count: Count) -> None:
    log = RecommendationLog(shop.database, shop.settings)
    log.add(_answer("RID-1", "x", "y", group="another"))
    log.close()
    shop.put_event("u1", "y", recommendationId="RID-1")
    assert count() == {}


def test_two_processes_count_the_same(shop: Shop, count: Count) -> None:
    shop.put_event("u1", "b", impression=["a", "b"])
    first = count()
    with Freshness(shop.database).view() as view:
        other = Impressions(0).feedback(view, GROUP)
    assert first.keys() == other.row.keys()


def test_nothing_is_counted_again_before_it_is_time(shop: Shop) -> None:
    now = 0.0
    impressions, freshness = Impressions(10, lambda: now), Freshness(shop.database)
    with freshness.view() as view:
        before = impressions.feedback(view, GROUP)
        shop.put_event("u1", "b", impression=["a", "b"])
    with freshness.view() as view:
        assert impressions.feedback(view, GROUP) is before
    now = 11.0
    with freshness.view() as view:
        assert set(impressions.feedback(view, GROUP).row) == {"a", "b"}
    freshness.close()


def test_the_newest_event_is_known_but_not_one_in_the_future(shop: Shop) -> None:
    shop.put_event("u1", "b", at=12_345)
    shop.put_event("u1", "b", at=9_999_999_999_999)
    freshness = Freshness(shop.database)
    with freshness.view() as view:
        assert Impressions(0).feedback(view, GROUP).newest_event == 12_345
    freshness.close()


def test_lower_places_are_expected_to_be_clicked_less() -> None:
    counter = Counter()
    for list_number in range(200):
        shown = [f"a{list_number}", f"b{list_number}"]
        counter.add(list_number, shown, shown[0] if list_number % 2 else None)
    feedback = counter.feedback(0)
    assert feedback.expected[feedback.row["a0"]] > 5 * feedback.expected[feedback.row["b0"]]
    assert feedback.expected.sum() == pytest.approx(feedback.clicks.sum(), rel=0.05)
