"""The runtime API from request to answer, over real artifacts."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.serving.shop import CALLER, GROUP, STRANGER, Event, Shop, log_of

from matinee.control import records
from matinee.errors import InvalidInput, ResourceNotFound
from matinee.models.ease import EASE
from matinee.models.item_knn import ItemKNN
from matinee.models.popularity import Popularity
from matinee.serving.runtime import Runtime

#: Popularity: a 4 users, b 3, c 2, d 1. u1 has seen a and b.
ROWS: list[Event] = [
    ("u1", "a", 100, "watch"),
    ("u1", "b", 101, "watch"),
    ("u2", "a", 100, "watch"),
    ("u2", "b", 101, "watch"),
    ("u2", "c", 102, "watch"),
    ("u3", "a", 100, "watch"),
    ("u3", "b", 101, "watch"),
    ("u3", "c", 102, "watch"),
    ("u4", "a", 100, "watch"),
    ("u4", "d", 101, "watch"),
]
LOG = log_of(ROWS)


@pytest.fixture
def popular(shop: Shop) -> str:
    """A campaign of popularity."""
    return shop.campaign("popular", "aws-popularity-count", Popularity(), LOG)


@pytest.fixture
def personal(shop: Shop) -> str:
    """A campaign for users; EASE stands for the transformer."""
    return shop.campaign("personal", "aws-user-personalization-v2", EASE(), LOG)


@pytest.fixture
def similar(shop: Shop) -> str:
    """A campaign of related items."""
    return shop.campaign("similar", "aws-sims", ItemKNN(), LOG)


@pytest.fixture
def ranking(shop: Shop) -> str:
    """A campaign that ranks."""
    return shop.campaign("ranking", "aws-personalized-ranking-v2", EASE(), LOG)


def _items(answer: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer["itemList"]
    return found


# -- GetRecommendations ----------------------------------------------------------------------------------------------


def test_popular_items_come_in_order_without_scores(shop: Shop, popular: str) -> None:
    answer = shop.get("GetRecommendations", campaignArn=popular)
    assert _items(answer) == [{"itemId": "a"}, {"itemId": "b"}, {"itemId": "c"}, {"itemId": "d"}]


def test_point_14_the_recommendation_id_is_rid_and_a_uuid(shop: Shop, popular: str) -> None:
    ids = {shop.get("GetRecommendations", campaignArn=popular)["recommendationId"] for _ in range(2)}
    assert len(ids) == 2
    assert all(re.fullmatch(r"RID-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one) for one in ids)


def test_point_14_there_are_25_results_by_default(shop: Shop) -> None:
    log = log_of([("u", f"i{at:02}", at, "watch") for at in range(40)])
    arn = shop.campaign("many", "aws-popularity-count", Popularity(), log)
    assert len(shop.recommend(arn)) == 25
    assert len(shop.recommend(arn, numResults=3)) == 3
    assert shop.recommend(arn, numResults=0) == []
    assert len(shop.recommend(arn, numResults=500)) == 40


def test_more_than_500_results_are_refused(shop: Shop, popular: str) -> None:
    with pytest.raises(InvalidInput, match="numResults must not be above 500, but is 501"):
        shop.recommend(popular, numResults=501)


def test_scores_of_a_user_recipe_sum_to_one_over_the_candidates(shop: Shop, personal: str) -> None:
    elements = _items(shop.get("GetRecommendations", campaignArn=personal, userId="u1"))
    scores = [element["score"] for element in elements]
    assert sum(scores) == pytest.approx(1, abs=1e-6)
    assert scores == sorted(scores, reverse=True)


def test_trap_8_scores_of_version_1_keep_their_share_of_the_catalogue_under_a_filter(shop: Shop) -> None:
    arn = shop.campaign("v1", "aws-user-personalization", EASE(), LOG)
    shop.import_rows("ITEMS", [{"ITEM_ID": "c", "GENRES": "Drama"}])
    drama = shop.filter("drama", 'INCLUDE ItemID WHERE Items.GENRES IN ("Drama")')
    before = {
        one["itemId"]: one["score"] for one in _items(shop.get("GetRecommendations", campaignArn=arn, userId="u1"))
    }
    (only,) = _items(shop.get("GetRecommendations", campaignArn=arn, userId="u1", filterArn=drama))
    assert sum(before.values()) == pytest.approx(1, abs=1e-6)
    assert only == {"itemId": "c", "score": before["c"]}


def test_trap_8_an_unknown_user_gets_an_answer(shop: Shop, personal: str) -> None:
    assert set(shop.recommend(personal, userId="nobody")) == {"a", "b", "c", "d"}


def test_seen_items_are_recommended_unless_a_filter_excludes_them(shop: Shop, personal: str) -> None:
    unseen = shop.filter("unseen", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Watch")')
    assert set(shop.recommend(personal, userId="u1")) == {"a", "b", "c", "d"}
    assert set(shop.recommend(personal, userId="u1", filterArn=unseen)) == {"c", "d"}


def test_related_items_leave_the_item_out_and_have_no_scores(shop: Shop, similar: str) -> None:
    elements = _items(shop.get("GetRecommendations", campaignArn=similar, itemId="a"))
    assert sorted(element["itemId"] for element in elements) == ["b", "c", "d"]
    assert all(element.keys() == {"itemId"} for element in elements)


def test_trap_8_an_unknown_item_gets_popular_ones(shop: Shop, similar: str) -> None:
    assert shop.recommend(similar, itemId="unheard-of") == ["a", "b", "c", "d"]


def test_an_event_changes_the_next_answer(shop: Shop, personal: str) -> None:
    before = shop.get("GetRecommendations", campaignArn=personal, userId="new")
    shop.put_event("new", "d")
    after = shop.get("GetRecommendations", campaignArn=personal, userId="new")
    assert _items(after) != _items(before)
    assert _items(after)[0]["itemId"] == "a"  # what the other watcher of d watched


def test_an_event_of_a_type_that_was_not_trained_on_changes_no_scores(shop: Shop, personal: str) -> None:
    before = shop.get("GetRecommendations", campaignArn=personal, userId="new")
    shop.put_event("new", "d", "rate")
    assert _items(shop.get("GetRecommendations", campaignArn=personal, userId="new")) == _items(before)


def test_an_event_is_seen_by_another_process(shop: Shop, personal: str) -> None:
    other = Runtime(shop.database, shop.objects, shop.settings)
    unseen = shop.filter("unseen", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")')
    call = {"campaignArn": personal, "userId": "new", "filterArn": unseen}
    try:
        assert len(_items(other.get_recommendations(CALLER, call))) == 4
        shop.put_event("new", "d")
        assert len(_items(other.get_recommendations(CALLER, call))) == 3
    finally:
        other.close()


def test_trap_11_a_session_stands_for_an_anonymous_user_and_joins_the_one_who_signs_in(
    shop: Shop, personal: str
) -> None:
    unseen = shop.filter("unseen", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")')
    shop.put_event(None, "d", session="visit")
    assert "d" not in shop.recommend(personal, userId="visit", filterArn=unseen)
    assert "d" in shop.recommend(personal, userId="ada", filterArn=unseen)
    shop.put_event("ada", "c", session="visit")
    assert set(shop.recommend(personal, userId="ada", filterArn=unseen)) == {"a", "b"}


def test_point_12_a_purchase_is_excluded_at_once(shop: Shop, popular: str) -> None:
    bought = shop.filter("bought", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")')
    assert shop.recommend(popular, userId="u9", filterArn=bought)[0] == "a"
    shop.put_event("u9", "a", "Purchase")
    assert shop.recommend(popular, userId="u9", filterArn=bought) == ["b", "c", "d"]


@pytest.mark.parametrize("item", ["new", "unheard-of"])
def test_an_event_on_an_item_outside_the_model_is_no_trouble(shop: Shop, personal: str, item: str) -> None:
    shop.put("PutItems", datasetArn=CALLER.arn("dataset/films/ITEMS"), items=[{"itemId": "new"}])
    shop.put_event("new", item)
    assert set(shop.recommend(personal, userId="new")) == {"a", "b", "c", "d"}


def test_an_item_put_one_by_one_is_filtered_by_its_newest_record(shop: Shop, popular: str) -> None:
    arn = CALLER.arn("dataset/films/ITEMS")
    drama = shop.filter("drama", 'INCLUDE ItemID WHERE Items.GENRES IN ("Drama")')
    shop.import_rows("ITEMS", [{"ITEM_ID": "b", "GENRES": "Drama"}, {"ITEM_ID": "d", "GENRES": "War"}])
    assert shop.recommend(popular, filterArn=drama) == ["b"]
    shop.put("PutItems", datasetArn=arn, items=[{"itemId": "d", "properties": {"genres": "War|Drama"}}])
    shop.put("PutItems", datasetArn=arn, items=[{"itemId": "b", "properties": {"genres": "War"}}])
    assert shop.recommend(popular, filterArn=drama) == ["d"]


def test_filter_values_and_the_current_user(shop: Shop, popular: str) -> None:
    shop.import_rows("ITEMS", [{"ITEM_ID": one, "PRICE": price} for one, price in (("a", 1.0), ("b", 2.0), ("c", 3.0))])
    shop.import_rows("USERS", [{"USER_ID": "kid", "AGE": 12}, {"USER_ID": "old", "AGE": 70}])
    arn = shop.filter("cheap", "EXCLUDE ItemID WHERE Items.PRICE > $MOST IF CurrentUser.AGE < 18")
    assert shop.recommend(popular, userId="kid", filterArn=arn, filterValues={"MOST": "1.5"}) == ["a", "d"]
    assert shop.recommend(popular, userId="old", filterArn=arn, filterValues={"MOST": "1.5"}) == ["a", "b", "c", "d"]
    assert shop.recommend(popular, userId="kid", filterArn=arn) == ["a", "b", "c", "d"]


def test_the_current_item_in_a_filter_of_related_items(shop: Shop, similar: str, popular: str) -> None:
    rows = [{"ITEM_ID": "a", "GENRES": "War|Drama"}, {"ITEM_ID": "c", "GENRES": "Drama"}, {"ITEM_ID": "b"}]
    shop.import_rows("ITEMS", rows)
    arn = shop.filter("same", "INCLUDE ItemID WHERE Items.GENRES IN CurrentItem.GENRES")
    assert shop.recommend(similar, itemId="a", filterArn=arn) == ["c"]
    with pytest.raises(InvalidInput, match="uses CurrentItem, which only related-items recommendations have"):
        shop.recommend(popular, filterArn=arn)


def test_an_empty_answer_is_an_answer(shop: Shop, popular: str) -> None:
    none = shop.filter("none", 'INCLUDE ItemID WHERE Items.GENRES IN ("None")')
    assert shop.recommend(popular, filterArn=none) == []


def test_where_a_filter_leaves_too_few_items_others_fill_up_without_a_score(shop: Shop, personal: str) -> None:
    shop.import_rows("ITEMS", [{"ITEM_ID": item, "GENRES": "Drama"} for item in ("c", "new", "newer")])
    drama = shop.filter("drama", 'INCLUDE ItemID WHERE Items.GENRES IN ("Drama")')
    answer = shop.get("GetRecommendations", campaignArn=personal, userId="u1", filterArn=drama, numResults=2)
    assert _items(answer) == [{"itemId": "c", "score": 1.0}, {"itemId": "newer", "reason": ["Popular item"]}]
    assert set(shop.recommend(personal, userId="u1")) == {"a", "b", "c", "d"}


# -- use cases -------------------------------------------------------------------------------------------------------


def test_a_use_case_excludes_what_was_watched_and_shows_no_scores(shop: Shop) -> None:
    arn = shop.recommender("top", "aws-vod-top-picks", EASE(), LOG)
    answer = shop.get("GetRecommendations", recommenderArn=arn, userId="u1")
    assert sorted(element["itemId"] for element in _items(answer)) == ["c", "d"]
    assert all(element.keys() == {"itemId"} for element in _items(answer))
    shop.put_event("u1", "c", "WATCH")
    assert shop.recommend(arn, userId="u1") == ["d"]


def test_a_stopped_recommender_is_refused(shop: Shop) -> None:
    arn = shop.recommender("top", "aws-vod-most-popular", Popularity(), LOG)
    shop.change(arn, status="INACTIVE")
    with pytest.raises(InvalidInput, match="is INACTIVE"):
        shop.recommend(arn, userId="u1")


# -- metadata --------------------------------------------------------------------------------------------------------


def test_point_11_metadata_has_camel_case_keys_and_text(shop: Shop, personal: str) -> None:
    row = {
        "ITEM_ID": "a",
        "TITLE": "Alien",
        "GENRES": "Horror|SciFi",
        "PRICE": 130,
        "RELEASE_YEAR": 1979,
        "ON_DISC": True,
    }
    shop.import_rows("ITEMS", [row])
    columns = {"ITEMS": ["TITLE", "GENRES", "PRICE", "release_year", "ON_DISC"]}
    elements = _items(shop.get("GetRecommendations", campaignArn=personal, userId="u1", metadataColumns=columns))
    found = {element["itemId"]: element["metadata"] for element in elements}
    assert found["a"] == {
        "title": "Alien",
        "genres": "Horror|SciFi",
        "price": "130.0",
        "releaseYear": "1979",
        "onDisc": "true",
    }
    assert found["b"] == {}


def test_metadata_must_be_enabled(shop: Shop, popular: str) -> None:
    with pytest.raises(InvalidInput, match="enableMetadataWithRecommendations"):
        shop.recommend(popular, metadataColumns={"ITEMS": ["TITLE"]})
    shop.change(
        popular,
        attributes={**_attributes(shop, popular), "campaignConfig": {"enableMetadataWithRecommendations": True}},
    )
    assert shop.recommend(popular, metadataColumns={"ITEMS": ["TITLE"]})[0] == "a"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"metadataColumns": {"ITEMS": ["COLOUR"]}}, "COLOUR, which is not a column of the Items dataset"),
        ({"metadataColumns": {"USERS": ["AGE"]}}, "has the key 'USERS'; the only key is ITEMS"),
        ({"metadataColumns": {"ITEMS": ["TITLE"] * 11}}, "names 11 columns; at most 10"),
        ({"metadataColumns": {"ITEMS": ["TITLE"]}, "numResults": 51}, "at most 50 results can be asked for, not 51"),
    ],
)
def test_trap_10_metadata_has_limits(shop: Shop, personal: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        shop.recommend(personal, userId="u1", **params)


# -- promotions ------------------------------------------------------------------------------------------------------


@pytest.fixture
def genres(shop: Shop) -> Callable[[str], str]:
    """Items a and b are of genre A, c and d of B; gives a filter that includes one genre."""
    shop.import_rows("ITEMS", [{"ITEM_ID": one, "GENRES": genre} for one, genre in zip("abcd", "AABB", strict=True)])
    return lambda genre: shop.filter(f"only-{genre}", f'INCLUDE ItemID WHERE Items.GENRES IN ("{genre}")')


def _promotion(arn: str, percent: int) -> list[dict[str, Any]]:
    return [{"name": "sale", "percentPromotedItems": percent, "filterArn": arn}]


def test_trap_10_promoted_items_take_their_share_at_random_positions(
    shop: Shop, popular: str, genres: Callable[[str], str]
) -> None:
    only_b = genres("B")
    seen = set()
    for _ in range(40):
        answer = shop.get("GetRecommendations", campaignArn=popular, numResults=3, promotions=_promotion(only_b, 34))
        elements = _items(answer)
        promoted = [at for at, element in enumerate(elements) if element.get("promotionName") == "sale"]
        assert [element["itemId"] for at, element in enumerate(elements) if at in promoted] == ["c"]
        assert [element["itemId"] for at, element in enumerate(elements) if at not in promoted] == ["a", "b"]
        seen.update(promoted)
    assert seen == {0, 1, 2}


def test_trap_10_the_request_filter_does_not_touch_promoted_items(
    shop: Shop, popular: str, genres: Callable[[str], str]
) -> None:
    only_a, only_b = genres("A"), genres("B")
    ids = shop.recommend(popular, numResults=4, filterArn=only_a, promotions=_promotion(only_b, 50))
    assert sorted(ids) == ["a", "b", "c", "d"]


def test_too_few_promoted_items_are_filled_up(shop: Shop, popular: str, genres: Callable[[str], str]) -> None:
    ids = shop.recommend(popular, numResults=4, promotions=_promotion(genres("B"), 100))
    assert sorted(ids) == ["a", "b", "c", "d"]


def test_a_new_item_can_be_promoted(shop: Shop, personal: str, genres: Callable[[str], str]) -> None:
    item = {"itemId": "brand-new", "properties": {"genres": "C"}}
    shop.put("PutItems", datasetArn=CALLER.arn("dataset/films/ITEMS"), items=[item])
    answer = shop.get(
        "GetRecommendations", campaignArn=personal, userId="u1", numResults=5, promotions=_promotion(genres("C"), 20)
    )
    (promoted,) = [element for element in _items(answer) if "promotionName" in element]
    assert promoted == {"itemId": "brand-new", "promotionName": "sale", "reason": ["Promoted item"]}


def test_a_promotion_needs_a_filter(shop: Shop, popular: str) -> None:
    with pytest.raises(InvalidInput, match="The promotion lacks filterArn"):
        shop.recommend(popular, promotions=[{"name": "sale", "percentPromotedItems": 10}])


# -- GetPersonalizedRanking ------------------------------------------------------------------------------------------


def test_point_14_ranking_returns_every_item_and_unknown_ones_last_without_score(shop: Shop, ranking: str) -> None:
    answer = shop.get(
        "GetPersonalizedRanking", campaignArn=ranking, userId="u1", inputList=["x", "c", "y", "a", "d", "c"]
    )
    elements = answer["personalizedRanking"]
    assert [element["itemId"] for element in elements[3:]] == ["x", "y"]
    assert sorted(element["itemId"] for element in elements[:3]) == ["a", "c", "d"]
    assert sum(element["score"] for element in elements[:3]) == pytest.approx(1, abs=1e-6)
    assert all("score" not in element for element in elements[3:])
    assert answer["recommendationId"].startswith("RID-")


def test_ranking_leaves_out_what_the_filter_excludes(shop: Shop, ranking: str) -> None:
    unseen = shop.filter("unseen", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")')
    shop.put_event("u1", "stranger")
    answer = shop.get(
        "GetPersonalizedRanking",
        campaignArn=ranking,
        userId="u1",
        inputList=["a", "c", "stranger", "other"],
        filterArn=unseen,
    )
    assert [element["itemId"] for element in answer["personalizedRanking"]] == ["c", "other"]


def test_ranking_takes_500_items_at_most(shop: Shop, ranking: str) -> None:
    with pytest.raises(InvalidInput, match="more than 500 items, but holds 501"):
        shop.get("GetPersonalizedRanking", campaignArn=ranking, userId="u1", inputList=["a"] * 501)


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("params", [{}, {"campaignArn": "x", "recommenderArn": "y"}])
def test_exactly_one_arn_is_wanted(shop: Shop, params: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="exactly one of campaignArn and recommenderArn"):
        shop.runtime.get_recommendations(CALLER, params)


def test_a_required_id_that_is_missing_is_refused(shop: Shop, personal: str, similar: str) -> None:
    with pytest.raises(InvalidInput, match="Required fields for the provided recipe are userId"):
        shop.recommend(personal, userId="")
    with pytest.raises(InvalidInput, match="Required fields for the provided recipe are itemId"):
        shop.recommend(similar, userId="u1")


def test_a_call_that_the_recipe_does_not_answer_is_refused(shop: Shop, personal: str, ranking: str) -> None:
    with pytest.raises(InvalidInput, match="does not support GetPersonalizedRanking; call GetRecommendations"):
        shop.get("GetPersonalizedRanking", campaignArn=personal, userId="u1", inputList=["a"])
    with pytest.raises(InvalidInput, match="does not support GetRecommendations; call GetPersonalizedRanking"):
        shop.recommend(ranking, userId="u1")
    with pytest.raises(InvalidInput, match="does not support GetActionRecommendations"):
        shop.get("GetActionRecommendations", campaignArn=personal, userId="u1")


def test_unknown_arns_do_not_exist(shop: Shop, popular: str) -> None:
    missing = CALLER.arn("campaign/missing")
    with pytest.raises(ResourceNotFound, match=f"Resource Arn {missing} does not exist."):
        shop.recommend(missing)
    with pytest.raises(ResourceNotFound):
        shop.recommend(popular, filterArn=CALLER.arn("filter/missing"))
    with pytest.raises(ResourceNotFound):
        shop.get("GetRecommendations", recommenderArn=popular)


def test_another_accounts_campaign_does_not_exist(shop: Shop, popular: str) -> None:
    with pytest.raises(ResourceNotFound):
        shop.get("GetRecommendations", STRANGER, campaignArn=popular)


def test_a_filter_must_be_active_and_of_the_same_group(shop: Shop, popular: str) -> None:
    early = shop.filter("early", "INCLUDE ItemID WHERE Items.PRICE > 1", status="CREATE IN_PROGRESS")
    other = CALLER.arn("dataset-group/other")
    shop.add("dataset-group", "other", {})
    foreign = shop.filter("foreign", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("x")', group=other)
    with pytest.raises(InvalidInput, match="is CREATE IN_PROGRESS; it can be used when it is ACTIVE"):
        shop.recommend(popular, filterArn=early)
    with pytest.raises(InvalidInput, match="belongs to another dataset group"):
        shop.recommend(popular, filterArn=foreign)


def test_filter_values_need_a_filter(shop: Shop, popular: str) -> None:
    with pytest.raises(InvalidInput, match="filterValues are given without a filterArn"):
        shop.recommend(popular, filterValues={"A": "1"})


def test_context_keys_are_columns_of_interactions(shop: Shop, personal: str) -> None:
    assert shop.recommend(personal, userId="u1", context={"DEVICE": "phone"})
    with pytest.raises(InvalidInput, match="context key WEATHER is not a column"):
        shop.recommend(personal, userId="u1", context={"WEATHER": "rain"})


# -- a campaign's life -----------------------------------------------------------------------------------------------


def _attributes(shop: Shop, arn: str) -> dict[str, Any]:
    return dict(shop.change(arn).attributes)


def test_a_campaign_that_is_being_made_is_refused(shop: Shop, popular: str) -> None:
    shop.change(popular, status="CREATE IN_PROGRESS")
    with pytest.raises(InvalidInput, match="is CREATE IN_PROGRESS"):
        shop.recommend(popular)


def test_point_5_the_old_version_serves_until_the_update_is_done(shop: Shop, popular: str) -> None:
    version = shop.version("s/0000000b", "aws-popularity-count", Popularity(), log_of([*ROWS, ("u5", "z", 1, "watch")]))
    before = _attributes(shop, popular)
    shop.change(popular, attributes={**before, "latestCampaignUpdate": {"status": "CREATE IN_PROGRESS"}})
    assert "z" not in shop.recommend(popular)
    shop.change(popular, attributes={**before, "solutionVersionArn": version})
    assert "z" in shop.recommend(popular)


def test_a_deleted_campaign_does_not_exist(shop: Shop, popular: str) -> None:
    assert shop.recommend(popular)
    shop.change(popular, status="DELETE PENDING")
    with pytest.raises(ResourceNotFound):
        shop.recommend(popular)


def test_a_filter_that_was_deleted_and_made_again_is_the_new_one(shop: Shop, popular: str) -> None:
    shop.import_rows("ITEMS", [{"ITEM_ID": "a", "PRICE": 1.0}, {"ITEM_ID": "b", "PRICE": 2.0}])
    arn = shop.filter("f", "INCLUDE ItemID WHERE Items.PRICE = 1")
    assert shop.recommend(popular, filterArn=arn) == ["a"]
    with shop.database.transaction() as connection:
        records.remove(connection, [arn])
    shop.filter("f", "INCLUDE ItemID WHERE Items.PRICE = 2")
    assert shop.recommend(popular, filterArn=arn) == ["b"]


def test_the_group_of_the_campaign_decides_about_events(shop: Shop, popular: str) -> None:
    """Events of another group's user with the same ID are not this user's."""
    other = CALLER.arn("dataset-group/other")
    shop.add("event-tracker", "other", {"trackingId": "t-other", "datasetGroupArn": other}, parent=other)
    event = {"eventType": "watch", "sentAt": 5, "itemId": "d"}
    shop.put("PutEvents", trackingId="t-other", userId="u9", sessionId="s", eventList=[event])
    unseen = shop.filter("unseen", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")')
    assert "d" in shop.recommend(popular, userId="u9", filterArn=unseen)
    assert other != GROUP


def test_postgresql_gives_the_same_answers(tmp_path: Path, postgres_url: str) -> None:
    shop = Shop(tmp_path, database_url=postgres_url)
    arn = shop.campaign("popular", "aws-popularity-count", Popularity(), LOG)
    unseen = shop.filter("unseen", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")')
    drama = shop.filter("drama", 'INCLUDE ItemID WHERE Items.GENRES IN ("Drama")')
    assert shop.recommend(arn, userId="new", filterArn=unseen) == ["a", "b", "c", "d"]
    shop.put_event(None, "a", session="visit")
    shop.put_event("new", "b", session="visit")
    shop.put(
        "PutItems",
        datasetArn=CALLER.arn("dataset/films/ITEMS"),
        items=[{"itemId": "c", "properties": {"genres": "Drama"}}],
    )
    assert shop.recommend(arn, userId="new", filterArn=unseen) == ["c", "d"]
    assert shop.recommend(arn, filterArn=drama) == ["c"]
    shop.change(arn, status="DELETE PENDING")
    with pytest.raises(ResourceNotFound):
        shop.recommend(arn)
    shop.close()
