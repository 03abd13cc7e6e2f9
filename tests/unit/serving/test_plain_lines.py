"""Lines that only name a user: answered together as they are one by one, and as a campaign answers."""

from __future__ import annotations

import pytest
from tests.unit.serving.shop import Shop, log_of

from matinee.control import records
from matinee.models.base import Model
from matinee.models.ease import EASE
from matinee.models.popularity import Popularity
from matinee.serving.batch import Answer, BatchRecommender

#: Users of different lengths, events of three types, one of them in two spellings.
LOG = log_of(
    [(f"u{n % 5}", f"i{n * n % 13}", n, ("watch", "Watch", "click")[n % 3]) for n in range(60)]
    + [("few", "i1", 9, "click")]
)
USERS = ["u3", "few", "nobody", "u0", "u3"]
V2 = "aws-user-personalization-v2"
SEEN = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Watch")'
ONLY_SEEN = 'INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click")'
COMEDIES = 'INCLUDE ItemID WHERE Items.GENRES IN ("Comedy") | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE NOT IN ("*")'
NEVER = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*") AND Interactions.EVENT_TYPE NOT IN ("watch")'


def _batch(shop: Shop, recipe: str, model: Model, filter_arn: str | None, results: int = 4) -> BatchRecommender:
    arn = shop.version("s/0000000a", recipe, model, LOG)
    with shop.database.read() as connection:
        version = records.find(connection, arn)
    assert version is not None
    config = {"itemExplorationConfig": {"explorationWeight": "0"}}  # places by chance could not be compared
    return BatchRecommender(shop.database, shop.objects, version, results=results, filter_arn=filter_arn, config=config)


def _alike(together: list[Answer], single: list[Answer]) -> None:
    for one, other in zip(together, single, strict=True):
        assert (list(one.items), one.error) == (list(other.items), other.error)
        assert (one.scores is None) is (other.scores is None)
        assert list(one.scores or ()) == pytest.approx(list(other.scores or ()), abs=2e-7)


@pytest.mark.parametrize("expression", [None, SEEN, ONLY_SEEN, COMEDIES, NEVER])
@pytest.mark.parametrize(
    ("recipe", "model"),
    [(V2, EASE), ("aws-user-personalization", EASE), ("aws-popularity-count", Popularity)],
)
def test_the_answers_are_those_of_lines_one_by_one(
    shop: Shop, expression: str | None, recipe: str, model: type[Model]
) -> None:
    shop.import_rows("ITEMS", [{"ITEM_ID": f"i{n}", "GENRES": "Comedy" if n % 2 else "Drama"} for n in range(15)])
    batch = _batch(shop, recipe, model(), None if expression is None else shop.filter("f", expression))
    together = batch.answers([{"userId": user} for user in USERS])
    # A context, though it says nothing to these models, keeps a line from being answered with others.
    single = batch.answers([{"userId": user, "context": {"DEVICE": "tv"}} for user in USERS])
    _alike(together, single)
    assert any(answer.items for answer in together)


def test_users_of_whom_events_came_stand_among_the_others_in_their_order(shop: Shop) -> None:
    batch = _batch(shop, V2, EASE(), None)
    before = batch.answers([{"userId": user} for user in USERS])
    shop.put_event("few", "i9")
    after = batch.answers([{"userId": user} for user in USERS])
    assert after[1].scores != before[1].scores
    _alike([*after[:1], *after[2:]], [*before[:1], *before[2:]])


def test_a_place_that_no_scored_item_may_take_goes_to_others_that_the_filter_allows(shop: Shop) -> None:
    shop.import_rows(
        "ITEMS", [{"ITEM_ID": f"i{n}", "GENRES": "Comedy" if n in (3, 40) else "Drama"} for n in range(50)]
    )
    batch = _batch(shop, V2, EASE(), shop.filter("f", 'INCLUDE ItemID WHERE Items.GENRES IN ("Comedy")'))
    (answer,) = batch.answers([{"userId": "u1"}])
    assert list(answer.items) == ["i3", "i40"]
