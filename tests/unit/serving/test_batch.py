"""Batches: the same answers as a campaign's, for many inputs at once, each with its own error."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.serving.shop import CALLER, Shop, log_of

from matinee.control import records
from matinee.data.interactions import InteractionLog
from matinee.errors import JobFailed
from matinee.models.base import Model
from matinee.models.ease import EASE
from matinee.models.item_knn import ItemKNN
from matinee.models.popularity import Popularity
from matinee.serving.batch import Answer, BatchRecommender

LOG = log_of([(f"u{n % 7}", f"i{n * n % 11}", n, "watch") for n in range(60)])
V2, RANKING, SIMS, POPULAR = (
    "aws-user-personalization-v2",
    "aws-personalized-ranking-v2",
    "aws-sims",
    "aws-popularity-count",
)


def _batch(shop: Shop, recipe: str, model: Model, log: InteractionLog = LOG, **more: Any) -> BatchRecommender:
    arn = shop.version("s/0000000a", recipe, model, log)
    with shop.database.read() as connection:
        version = records.find(connection, arn)
    assert version is not None
    return BatchRecommender(shop.database, shop.objects, version, **{"results": 5, "filter_arn": None, **more})


def _one(batch: BatchRecommender, given: Any) -> Answer:
    (answer,) = batch.answers([given])
    return answer


def test_answers_are_a_campaigns(shop: Shop) -> None:
    campaign = shop.campaign("c", V2, EASE(), LOG)
    batch = _batch(shop, V2, EASE())
    shop.put_event("u1", "i9")
    shop.put_event(None, "i3", session="visit")
    users = ["u1", "u2", "nobody", "visit"]
    answers = batch.answers([{"userId": user} for user in users])
    for user, answer in zip(users, answers, strict=True):
        shown = shop.get("GetRecommendations", campaignArn=campaign, userId=user, numResults=5)["itemList"]
        assert list(answer.items) == [element["itemId"] for element in shown]
        assert answer.scores is not None
        assert list(answer.scores) == pytest.approx([element["score"] for element in shown], abs=2e-7)


def test_an_event_put_between_two_batches_counts(shop: Shop) -> None:
    batch = _batch(shop, V2, EASE())
    before = _one(batch, {"userId": "visitor"})
    shop.put_event("visitor", "i9")
    assert _one(batch, {"userId": "visitor"}).scores != before.scores


def test_ranking_orders_the_given_items_and_unknown_ones_come_last(shop: Shop) -> None:
    campaign = shop.campaign("c", RANKING, EASE(), LOG)
    items = ["i5", "unheard-of", "i0", "i9", "i0"]
    answer = _one(_batch(shop, RANKING, EASE(), results=2), {"userId": "u1", "itemList": items})
    shown = shop.get("GetPersonalizedRanking", campaignArn=campaign, userId="u1", inputList=items)
    assert list(answer.items) == [element["itemId"] for element in shown["personalizedRanking"]]
    assert answer.items[-1] == "unheard-of"
    assert answer.scores is not None
    assert answer.scores[-1] == 0.0
    assert sum(answer.scores) == pytest.approx(1.0, abs=1e-6)


def test_related_items_have_no_scores_and_an_unknown_item_gives_popular_ones(shop: Shop) -> None:
    batch = _batch(shop, SIMS, ItemKNN())
    known, unknown = batch.answers([{"itemId": "i1"}, {"itemId": "unheard-of"}])
    popular = _one(_batch_again(shop), {"userId": "anyone"})
    assert known.scores is None
    assert "i1" not in known.items
    assert list(unknown.items) == list(popular.items)


def _batch_again(shop: Shop) -> BatchRecommender:
    arn = shop.version("popular/0000000a", POPULAR, Popularity(), LOG)
    with shop.database.read() as connection:
        version = records.find(connection, arn)
    assert version is not None
    return BatchRecommender(shop.database, shop.objects, version, results=5, filter_arn=None)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, "Required fields for the provided recipe are userId, itemList"),
        ({"userId": "", "itemList": ["i1"]}, "Required fields for the provided recipe are userId, itemList"),
        ({"userId": "u1", "itemList": []}, "Required fields for the provided recipe are userId, itemList"),
        ({"userId": "u1", "itemList": "i1"}, "itemList must be a list of item IDs."),
        ({"userId": ["u1"], "itemList": ["i1"]}, "userId must be a string."),
        ({"userId": "x" * 257, "itemList": ["i1"]}, "userId must not be longer than 256 characters."),
        ({"userId": "\ud800", "itemList": ["i1"]}, "userId holds a character that cannot be stored"),
        ({"userId": "u1", "itemList": ["i1"], "filterValues": {"A": "1"}}, "the job has no filterArn"),
        ({"userId": "u1", "itemList": ["i1"], "context": {"MOON": "full"}}, "The context key MOON is not a column"),
        (["u1"], "a line of the input must be a JSON object."),
    ],
)
def test_a_bad_input_has_an_error_and_its_neighbours_do_not(shop: Shop, given: Any, error: str) -> None:
    good = {"userId": "u1", "itemList": ["i1"], "context": {"DEVICE": "tv"}}
    answers = _batch(shop, RANKING, EASE()).answers([good, given, good])
    assert [answer.error is None for answer in answers] == [True, False, True]
    assert error in str(answers[1].error)
    assert str(answers[1].error).startswith("User error: ")


def test_a_filter_with_values_for_each_input(shop: Shop) -> None:
    shop.import_rows("ITEMS", [{"ITEM_ID": f"i{n}", "GENRES": "Comedy|Drama" if n % 2 else "Drama"} for n in range(11)])
    chosen = shop.filter("f", "INCLUDE ItemID WHERE Items.GENRES IN ($GENRE)")
    batch = _batch(shop, POPULAR, Popularity(), filter_arn=chosen)
    comedy, none, missing = batch.answers(
        [{"userId": "u", "filterValues": {"GENRE": f'"{genre}"'}} for genre in ("Comedy", "Horror")] + [{"userId": "u"}]
    )
    assert {int(item[1:]) % 2 for item in comedy.items} == {1}
    assert (list(none.items), none.error) == ([], None)
    assert "GENRE" in str(missing.error)


def test_a_version_without_a_model_is_refused(shop: Shop) -> None:
    arn = shop.add("solution", "s/0000000b", {"datasetGroupArn": CALLER.arn("dataset-group/films")})
    with shop.database.read() as connection:
        version = records.find(connection, arn)
    assert version is not None
    with pytest.raises(JobFailed, match="has no trained model"):
        BatchRecommender(shop.database, shop.objects, version, results=5, filter_arn=None)
