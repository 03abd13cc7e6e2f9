"""Each recipe and each use case at run time, through boto3, held against serving_table.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.contract import serving_stage
from tests.contract.serving_stage import COMMON, ITEMS, NEW_ACTIONS, RARE, STRANGER, TYPES, USER, Stage, genre, had
from tests.contract.serving_table import (
    ACTIONS,
    CANDIDATES,
    CATALOGUE,
    EACH,
    LISTS,
    OF_ITEMS,
    RANKING,
    RANKINGS,
    RECOMMENDATIONS,
    RELATED,
    ROWS,
    Row,
)

every = pytest.mark.parametrize("row", ROWS, ids=str)
of_items = pytest.mark.parametrize("row", OF_ITEMS, ids=str)
lists = pytest.mark.parametrize("row", LISTS, ids=str)
rankings = pytest.mark.parametrize("row", RANKINGS, ids=str)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A deployment of every recipe and use case."""
    with serving_stage.filled(tmp_path_factory.mktemp("serving")) as full:
        yield full


def refused(stage: Stage, row: Row, words: str, *, code: str = "InvalidInputException", **given: Any) -> None:
    """The request is refused with 400 (404 where nothing is found) and a message that has the words."""
    with pytest.raises(ClientError) as refusal:
        stage.ask(row, **given)
    error = refusal.value.response["Error"]
    assert error["Code"] == code
    assert re.search(words, error["Message"]), error["Message"]
    status = 404 if code == "ResourceNotFoundException" else 400
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


@every
def test_ids_that_are_needed_are_named_and_others_are_not_asked_for(stage: Stage, row: Row) -> None:
    assert stage.ids(row)
    for member in row.needs:
        refused(stage, row, f"^User error: Required fields for the provided recipe are .*{member}", **{member: ""})
    others = {"userId": USER, "itemId": "i20"} if row.operation == RECOMMENDATIONS else {}
    assert stage.ids(row, **others)


@every
def test_scores_are_there_where_the_recipe_has_some(stage: Stage, row: Row) -> None:
    many = {"numResults": 100} if row.operation != RANKING else {}
    found = stage.elements(row, **many)
    if row.scores is None:
        assert all("score" not in one for one in found)
        return
    scores: list[float] = [one["score"] for one in found]
    assert all(0 <= score <= 1 for score in scores)
    if row.scores != EACH:  # actions that nobody was shown yet stand among those that are known
        assert scores == sorted(scores, reverse=True)
        assert sum(scores) == pytest.approx(1, abs=1e-5)


@lists
def test_scores_under_a_filter(stage: Stage, row: Row) -> None:
    left = stage.elements(row, filterArn=stage.filters["rare"], numResults=100)
    total = sum(one.get("score", 0) for one in left)
    if row.scores == CANDIDATES:
        assert total == pytest.approx(1, abs=1e-5)
    elif row.scores == CATALOGUE:
        assert 0 < total < 0.99
    else:
        assert total == 0
    assert {genre(one["itemId"]) for one in left} == {RARE}


@lists
def test_all_items_but_those_of_the_automatic_filter_and_the_one_asked_about(stage: Stage, row: Row) -> None:
    left_out = {"i20"} if row.related else set[str]()
    if row.leaves_out is not None:
        had_before = had(USER, row.leaves_out)
        assert len(had_before) > 5
        left_out |= had_before
    assert sorted(stage.ids(row, userId=USER, numResults=100)) == sorted(set(ITEMS) - left_out)


@lists
def test_trap_9_the_automatic_filter_looks_at_events_of_its_type_at_once(stage: Stage, row: Row) -> None:
    user = f"guest-of-{row}"
    for at, kind in enumerate(TYPES):
        stage.put_event(user, ITEMS[at], kind.upper())
    gone = set() if row.leaves_out is None else {ITEMS[TYPES.index(row.leaves_out)]}
    asked = {"i20"} if row.related else set[str]()
    assert set(stage.ids(row, userId=user, numResults=100)) == set(ITEMS) - gone - asked


@of_items
def test_events_change_the_order_of_real_time_recipes_alone(stage: Stage, row: Row) -> None:
    user = f"watcher-of-{row}"
    ask: dict[str, Any] = {"userId": user, "filterArn": stage.filters["rare"]}
    ask |= {"inputList": list(ITEMS[30:])} if row.operation == RANKING else {"numResults": 100}
    before = stage.elements(row, **ask)
    stage.put_event(user, "i34", "Click")
    assert (stage.elements(row, **ask) != before) == row.real_time


@lists
def test_25_results_by_default_and_500_at_most(stage: Stage, row: Row) -> None:
    assert len(stage.ids(row, userId=STRANGER)) == 25
    assert len(stage.ids(row, userId=STRANGER, numResults=3)) == 3
    assert stage.ids(row, userId=STRANGER, numResults=0) == []
    assert len(stage.ids(row, userId=STRANGER, numResults=500)) == len(ITEMS) - row.related
    refused(stage, row, "numResults must not be above 500", numResults=501)


@every
def test_an_unknown_user_gets_an_answer(stage: Stage, row: Row) -> None:
    assert len(stage.ids(row, userId=STRANGER)) == len(stage.ids(row, userId="another stranger")) > 0


@pytest.mark.parametrize("row", RELATED, ids=str)
def test_an_unknown_item_gets_popular_ones(stage: Stage, row: Row) -> None:
    assert stage.ids(row, userId=STRANGER, itemId="never-heard-of", numResults=10) == list(ITEMS[:10])


@pytest.mark.parametrize("row", [row for row in LISTS if "popular" in row.recipe or "trend" in row.recipe], ids=str)
def test_what_is_popular_is_the_same_for_everyone(stage: Stage, row: Row) -> None:
    for user in (USER, STRANGER):
        assert stage.ids(row, userId=user, numResults=10) == list(ITEMS[:10])


@of_items
def test_context_names_columns_of_interactions(stage: Stage, row: Row) -> None:
    assert stage.ids(row, context={"DEVICE": "phone"})
    refused(stage, row, "context key weather is not a column", context={"weather": "rain"})


@of_items
def test_metadata_needs_to_be_enabled_unless_it_is_free(stage: Stage, row: Row) -> None:
    columns = {"ITEMS": ["TITLE", "GENRES", "PRICE", "RELEASE_YEAR"]}
    few: dict[str, Any] = {"numResults": 50} if row.operation == RECOMMENDATIONS else {}
    if not row.free_metadata:
        refused(stage, row, "enableMetadataWithRecommendations", metadataColumns=columns, **few)
    for element in stage.elements(row, deployment="+metadata", metadataColumns=columns, **few):
        number = int(element["itemId"][1:])
        year = {} if number == 0 else {"releaseYear": str(1980 + number)}
        told = {"title": f"Film {number}", "genres": f"{genre(element['itemId'])}|Film", "price": str(number / 2)}
        assert element["metadata"] == told | year
    assert "metadata" not in stage.elements(row, deployment="+metadata")[0]
    unknown = {"ITEMS": ["COLOUR"]}
    refused(stage, row, "COLOUR, which is not a column", deployment="+metadata", metadataColumns=unknown, **few)


@of_items
def test_metadata_of_50_results_at_most(stage: Stage, row: Row) -> None:
    inputs = [f"x{number}" for number in range(51)]
    many: dict[str, Any] = {"numResults": 51} if row.operation == RECOMMENDATIONS else {"inputList": inputs}
    refused(stage, row, "at most 50", deployment="+metadata", metadataColumns={"ITEMS": ["TITLE"]}, **many)


@lists
def test_promotions_take_their_share(stage: Stage, row: Row) -> None:
    promotion = {"name": "rare", "percentPromotedItems": 20, "filterArn": stage.filters["rare"]}
    ask: dict[str, Any] = {"userId": STRANGER, "numResults": 10, "promotions": [promotion]}
    if not row.promotes:
        refused(stage, row, "promotions are not available", **ask)
        return
    # The request's filter holds for the others alone.
    found = stage.elements(row, filterArn=stage.filters["common"], **ask)
    promoted = [one for one in found if "promotionName" in one]
    assert len(found) == 10
    assert [(one["promotionName"], genre(one["itemId"])) for one in promoted] == [("rare", RARE)] * 2
    assert {genre(one["itemId"]) for one in found if one not in promoted} == {COMMON}
    assert [one.get("reason") for one in promoted] == [["Promoted item"] if row.explains else None] * 2
    assert all("reason" not in one for one in found if one not in promoted)
    refused(stage, row, "lacks filterArn", promotions=[{"name": "rare", "percentPromotedItems": 20}])


@of_items
def test_filters_of_a_request(stage: Stage, row: Row) -> None:
    assert stage.ids(row, filterArn=stage.filters["nothing"]) == []
    by_value = {"filterArn": stage.filters["genre"], "filterValues": {"GENRE": f'"{RARE}"'}}
    assert {genre(item) for item in stage.ids(row, **by_value)} == {RARE}
    refused(stage, row, "GENRE", filterArn=stage.filters["genre"])
    refused(stage, row, "dataset group", filterArn=stage.filters["elsewhere"])
    missing = stage.filters["rare"] + "-of-nobody"
    refused(stage, row, re.escape(missing), code="ResourceNotFoundException", filterArn=missing)


@rankings
def test_a_ranking_returns_each_input_once_and_the_unknown_last(stage: Stage, row: Row) -> None:
    inputs = ["never-heard-of", "i05", "i35", "i05", "i03"]
    ranked = stage.elements(row, inputList=inputs)
    assert sorted(one["itemId"] for one in ranked) == ["i03", "i05", "i35", "never-heard-of"]
    assert ranked[-1] == {"itemId": "never-heard-of"}
    assert sum(one["score"] for one in ranked[:-1]) == pytest.approx(1, abs=1e-5)
    assert len(stage.ids(row, inputList=[f"x{number}" for number in range(500)])) == 500
    # The service's own model allows no more than 500, whence the words.
    refused(stage, row, "inputList", inputList=[f"x{number}" for number in range(501)])


@pytest.mark.parametrize("row", [row for row in ROWS if row.operation == ACTIONS], ids=str)
def test_actions_five_by_default_and_100_at_most(stage: Stage, row: Row) -> None:
    assert len(stage.ids(row)) == 5
    found = stage.elements(row, userId="u0", numResults=100)
    assert len(found) == 3 + len(NEW_ACTIONS)
    assert {one["score"] for one in found if one["actionId"] in NEW_ACTIONS} == {0.0}
    left = stage.ids(row, numResults=100, filterArn=stage.filters["actions"])
    assert set(left) == {one["actionId"] for one in found} - {NEW_ACTIONS[0]}
    refused(stage, row, "numResults must not be above 100", numResults=101)
    refused(stage, row, "ItemID", filterArn=stage.filters["rare"])


@every
def test_only_its_own_operation_answers(stage: Stage, row: Row) -> None:
    for operation in {RECOMMENDATIONS, RANKING, ACTIONS} - {row.operation}:
        if row.use_case:
            continue  # the other operations take campaigns only
        ask: dict[str, Any] = {"userId": USER, "itemId": None, "inputList": None}
        ask |= {"inputList": ["i05"]} if operation == RANKING else {}
        refused(stage, row, f"does not support {operation}", operation=operation, **ask)


@every
def test_each_answer_has_an_id_of_its_own(stage: Stage, row: Row) -> None:
    found = {stage.ask(row)["recommendationId"] for _ in range(3)}
    assert len(found) == 3
    assert all(one.startswith("RID-") and len(one) <= 40 for one in found)
