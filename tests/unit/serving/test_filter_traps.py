"""The traps of filters, each through a campaign: how expressions combine, what IN matches, how far history reaches."""

from __future__ import annotations

import pytest
from tests.unit.serving.shop import Shop, log_of

from matinee.errors import ApiError, InvalidInput
from matinee.filters import check
from matinee.models.popularity import Popularity

#: More popular the earlier in the alphabet.
LOG = log_of([(f"u{user}", item, 100 + user, "watch") for at, item in enumerate("abcd") for user in range(5 - at)])
RECORDS = [
    {"ITEM_ID": "a", "GENRES": "Drama|War", "PRICE": 9.0},
    {"ITEM_ID": "b", "GENRES": "War", "PRICE": 1.0},
    {"ITEM_ID": "c", "GENRES": "Comedy", "PRICE": 1.0},
    {"ITEM_ID": "d", "GENRES": "Drama", "PRICE": 9.0},
]


@pytest.fixture
def popular(shop: Shop) -> str:
    """A campaign that recommends a, b, c, d in this order."""
    shop.import_rows("ITEMS", RECORDS)
    return shop.campaign("popular", "aws-popularity-count", Popularity(), LOG)


@pytest.mark.parametrize(
    ("expression", "left"),
    [
        ('INCLUDE ItemID WHERE Items.GENRES IN ("War") | INCLUDE ItemID WHERE Items.GENRES IN ("Comedy")', "abc"),
        ('EXCLUDE ItemID WHERE Items.GENRES IN ("Comedy") | EXCLUDE ItemID WHERE Items.PRICE > 5', "b"),
        ('INCLUDE ItemID WHERE Items.GENRES IN ("War") | EXCLUDE ItemID WHERE Items.PRICE > 5', "b"),
        ('EXCLUDE ItemID WHERE Items.PRICE > 5 | INCLUDE ItemID WHERE Items.GENRES IN ("War")', "b"),
    ],
)
def test_trap_9_expressions_of_one_verb_are_united_and_excludes_subtracted(
    shop: Shop, popular: str, expression: str, left: str
) -> None:
    assert "".join(shop.recommend(popular, userId="new", filterArn=shop.filter("f", expression))) == left


@pytest.mark.parametrize(("genre", "left"), [("Drama", "ad"), ("War", "ab"), ("Drama|War", "")])
def test_trap_9_in_matches_any_part_of_a_categorical_value(shop: Shop, popular: str, genre: str, left: str) -> None:
    named = shop.filter("f", f'INCLUDE ItemID WHERE Items.GENRES IN ("{genre}")')
    assert "".join(shop.recommend(popular, userId="new", filterArn=named)) == left


def test_trap_9_a_value_left_out_fails_an_include_and_disables_an_exclude(shop: Shop, popular: str) -> None:
    wanted = shop.filter("wanted", "INCLUDE ItemID WHERE Items.GENRES IN ($G)")
    unwanted = shop.filter("unwanted", "EXCLUDE ItemID WHERE Items.GENRES IN ($G)")
    with pytest.raises(InvalidInput, match="parameter G"):
        shop.recommend(popular, userId="new", filterArn=wanted)
    assert "".join(shop.recommend(popular, userId="new", filterArn=unwanted)) == "abcd"
    assert "".join(shop.recommend(popular, userId="new", filterArn=unwanted, filterValues={"G": '"War"'})) == "cd"


def test_trap_9_history_reaches_back_a_hundred_events_of_a_type(shop: Shop, popular: str) -> None:
    watched = shop.filter("watched", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")')
    shop.put_event("new", "a", "watch", at=1_000)
    events = [{"eventType": "watch", "sentAt": 2_000 + at, "itemId": "b"} for at in range(99)]
    for begin in range(0, 99, 10):
        shop.put(
            "PutEvents",
            trackingId=shop.tracking_id,
            sessionId="s1",
            userId="new",
            eventList=events[begin : begin + 10],
        )
    assert "".join(shop.recommend(popular, userId="new", filterArn=watched)) == "cd"
    shop.put_event("new", "c", "click", at=3_000)  # of another type: takes nobody's place
    assert "".join(shop.recommend(popular, userId="new", filterArn=watched)) == "cd"
    shop.put_event("new", "b", "watch", at=4_000)
    assert "".join(shop.recommend(popular, userId="new", filterArn=watched)) == "acd"


def test_trap_9_there_are_no_functions_of_dates() -> None:
    with pytest.raises(ApiError, match="character 47: found 'NOW'"):
        check("EXCLUDE ItemID WHERE Interactions.TIMESTAMP > NOW() - 7", {})
