"""Diversity: what it puts first, and the tag that turns it on."""

from __future__ import annotations

import numpy as np
import pytest
import sqlalchemy as sa
from tests.unit.serving.shop import Event, Shop, log_of

from matinee.control import tagging
from matinee.errors import InvalidInput
from matinee.models.popularity import Popularity
from matinee.serving.diversity import diversified, pool

ORDER = np.array([7, 3, 5, 9])
SCORES = np.array([4.0, 3.9, 3.0, 1.0], np.float32)
#: 7 and 3 are the same, 5 and 9 like nothing else.
ALIKE = np.eye(4, dtype=np.float32)
ALIKE[0, 1] = ALIKE[1, 0] = 1
#: Popularity a, b, c, d; a and b are comedies.
ROWS: list[Event] = [
    (f"u{user}", item, 100 + user, "watch") for at, item in enumerate("abcd") for user in range(8 - at)
]
GENRES = {"a": "Comedy", "b": "Comedy", "c": "Drama", "d": "Horror|Comedy"}


def test_without_strength_the_order_stays() -> None:
    assert diversified(ORDER, SCORES, ALIKE, 0.0, 4).tolist() == ORDER.tolist()


def test_an_item_like_the_one_above_comes_later() -> None:
    assert diversified(ORDER, SCORES, ALIKE, 0.5, 4).tolist() == [7, 5, 9, 3]


def test_fewer_places_take_the_first_of_the_new_order() -> None:
    assert diversified(ORDER, SCORES, ALIKE, 0.5, 2).tolist() == [7, 5]


def test_nothing_to_order_is_an_empty_order() -> None:
    assert len(diversified(ORDER[:0], SCORES[:0], ALIKE[:0, :0], 0.5, 2)) == 0


def test_enough_items_are_looked_at_and_never_fewer_than_the_places() -> None:
    assert (pool(5), pool(25), pool(500)) == (50, 100, 500)


@pytest.fixture
def films(shop: Shop) -> str:
    """A campaign whose answer is a, b, c, d."""
    shop.import_rows("ITEMS", [{"ITEM_ID": item, "GENRES": genres} for item, genres in GENRES.items()])
    return shop.campaign("films", "aws-popularity-count", Popularity(), log_of(ROWS))


def _tag(shop: Shop, arn: str, value: str) -> None:
    with shop.database.transaction() as connection:
        tagging.put(connection, arn, [{"tagKey": "matinee:diversity", "tagValue": value}])


def test_a_tag_of_the_campaign_turns_it_on_and_off(shop: Shop, films: str) -> None:
    assert shop.recommend(films) == ["a", "b", "c", "d"]
    _tag(shop, films, "0.6")
    assert shop.recommend(films) == ["a", "c", "d", "b"]
    with shop.database.transaction() as connection:
        tagging.remove(connection, films, ["matinee:diversity"])
    assert shop.recommend(films) == ["a", "b", "c", "d"]


def test_filters_hold_for_a_varied_answer(shop: Shop, films: str) -> None:
    _tag(shop, films, "0.6")
    comedy = shop.filter("comedy", 'INCLUDE ItemID WHERE Items.GENRES IN ("Comedy")')
    assert shop.recommend(films, filterArn=comedy) == ["a", "d", "b"]


@pytest.mark.parametrize("value", ["", "much", "-0.1", "1.5", "nan"])
def test_a_tag_that_is_no_share_is_refused(shop: Shop, films: str, value: str) -> None:
    with pytest.raises(InvalidInput, match="matinee:diversity must be a number from 0 to 1"):
        _tag(shop, films, value)
    with shop.database.read() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM tags")) == 0
