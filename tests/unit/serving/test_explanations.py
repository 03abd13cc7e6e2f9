"""Explanations of recommendations through the runtime."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.serving.shop import CALLER, STRANGER, Event, Shop, log_of

from matinee.errors import InvalidInput, ResourceNotFound
from matinee.models.ease import EASE
from matinee.models.item_knn import ItemKNN, ItemKNNConfig
from matinee.models.popularity import Popularity

#: a and b go together, c and d go together.
ROWS: list[Event] = [
    (f"u{user}", item, 100 + at, "watch") for user in range(8) for at, item in enumerate("ab" if user % 2 else "cd")
] + [("me", "a", 100, "watch"), ("me", "c", 101, "watch")]
LOG = log_of(ROWS)


def _explain(shop: Shop, **params: Any) -> dict[str, Any]:
    answer = shop.runtime.explain(CALLER, params)
    assert set(answer) == {"method", "explanations"}
    return answer


def _by_item(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["itemId"]: one for one in answer["explanations"]}


@pytest.fixture
def personal(shop: Shop) -> str:
    """A campaign for users."""
    return shop.campaign("personal", "aws-user-personalization-v2", EASE(), LOG)


def test_the_event_that_carried_an_item_is_named_with_its_type_and_time(shop: Shop, personal: str) -> None:
    answer = _explain(shop, campaignArn=personal, userId="me")
    (first, *_) = _by_item(answer)["b"]["contributions"]
    assert answer["method"] == "exact"
    assert (first["itemId"], first["eventType"], first["timestamp"]) == ("a", "watch", 100)
    assert first["contribution"] > 0


def test_the_parts_sum_to_the_models_score(shop: Shop, personal: str) -> None:
    for events in (0, 1, 10):
        for one in _explain(shop, campaignArn=personal, userId="me", numContributions=events)["explanations"]:
            named = sum(part["contribution"] for part in one["contributions"])
            assert one["base"] + named + one["others"] == pytest.approx(one["modelScore"], abs=1e-6)
            assert one["base"] == pytest.approx(0, abs=1e-6)
            assert len(one["contributions"]) <= events


def test_an_event_counts_as_soon_as_it_is_put(shop: Shop, personal: str) -> None:
    before = _by_item(_explain(shop, campaignArn=personal, userId="guest"))["d"]
    shop.put_event("guest", "c", at=500)
    after = _by_item(_explain(shop, campaignArn=personal, userId="guest"))["d"]
    assert before["contributions"] == []
    assert [(part["itemId"], part["timestamp"]) for part in after["contributions"]] == [("c", 500)]
    assert after["modelScore"] > before["modelScore"]


def test_the_items_that_are_asked_for_are_explained_in_their_order(shop: Shop, personal: str) -> None:
    answer = _explain(shop, campaignArn=personal, userId="me", itemIds=["d", "b"])
    assert [one["itemId"] for one in answer["explanations"]] == ["d", "b"]


def test_an_item_that_the_model_does_not_know_has_no_score(shop: Shop, personal: str) -> None:
    shop.import_rows("ITEMS", [{"ITEM_ID": "new"}])
    answer = _explain(shop, campaignArn=personal, userId="me", itemIds=["new"])
    assert answer["explanations"] == [{"itemId": "new", "contributions": []}]


def test_related_items_are_explained_by_the_item_asked_about(shop: Shop) -> None:
    model = ItemKNN(ItemKNNConfig(min_cointeraction_count=1, max_item_interaction_count_percentile=1.0))
    arn = shop.campaign("similar", "aws-sims", model, LOG)
    found = _by_item(_explain(shop, campaignArn=arn, itemId="a"))
    assert [part["itemId"] for part in found["b"]["contributions"]] == ["a"]
    assert found["d"]["contributions"] == []


def test_popular_items_are_explained_by_their_standing_alone(shop: Shop) -> None:
    arn = shop.campaign("popular", "aws-popularity-count", Popularity(), LOG)
    for one in _explain(shop, campaignArn=arn, userId="me")["explanations"]:
        assert one["base"] == one["modelScore"]
        assert one["contributions"] == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"itemIds": ["nothing"]}, "there is no item 'nothing'"),
        ({"itemIds": "b"}, "itemIds must be a list"),
        ({"itemIds": [f"i{at}" for at in range(501)]}, "must not hold more than 500 items"),
        ({"numContributions": -1}, "numContributions must be a whole number"),
    ],
)
def test_what_cannot_be_explained_is_refused(shop: Shop, personal: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        _explain(shop, campaignArn=personal, userId="me", **given)


def test_another_tenant_is_told_nothing(shop: Shop, personal: str) -> None:
    with pytest.raises(ResourceNotFound):
        shop.runtime.explain(STRANGER, {"campaignArn": personal, "userId": "me"})
