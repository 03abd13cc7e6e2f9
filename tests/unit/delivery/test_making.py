"""A rule is refused when something that it names cannot work, with the place where it goes wrong."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.delivery.stage import campaign, rule
from tests.unit.serving.shop import CALLER, Shop

from matinee.delivery import rules
from matinee.errors import ApiError, InvalidInput, ResourceAlreadyExists, ResourceNotFound

HOOK = "https://shop.example/hook"


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"when": "Interactions.EVENT_VALUE >"}, "at character 27"),
        ({"when": "CurrentUser.HEIGHT > 3"}, "at character 1: the schema of USERS has no field HEIGHT"),
        ({"results": 0}, "from 1 to 500"),
        ({"tracker": CALLER.arn("campaign/popular")}, "is no event tracker"),
        ({"filter_arn": CALLER.arn("filter/open")}, "have no placeholders"),
        ({"filter_arn": CALLER.arn("filter/none")}, "does not exist"),
        ({"name": "two words"}, "letters, digits"),
    ],
)
def test_a_refusal(shop: Shop, terms: dict[str, Any], said: str) -> None:
    source = campaign(shop)
    shop.filter("open", "INCLUDE ItemID WHERE Items.GENRES IN ($WHICH)")
    with pytest.raises(ApiError) as refusal:
        rule(shop, HOOK, source, **terms)
    assert said in str(refusal.value)


def test_a_campaign_that_is_not_there(shop: Shop) -> None:
    with pytest.raises(ResourceNotFound):
        rule(shop, HOOK, CALLER.arn("campaign/none"))
    with pytest.raises(InvalidInput, match="no campaign and no recommender"):
        rule(shop, HOOK, CALLER.arn("solution/s"))


def test_a_name_is_taken_once_and_a_rule_is_read_as_it_was_made(shop: Shop) -> None:
    source = campaign(shop)
    made = rule(shop, HOOK, source, when='CurrentUser.AGE > 17 OR Interactions.DEVICE NOT IN ("tv")')
    with pytest.raises(ResourceAlreadyExists):
        rule(shop, HOOK, source)
    with shop.database.read() as connection:
        assert rules.find(connection, CALLER.account, CALLER.region, "r") == made
        with pytest.raises(ResourceNotFound, match="it has: r"):
            rules.find(connection, CALLER.account, CALLER.region, "s")


def test_a_secret_stays_out_of_the_rules_text(shop: Shop) -> None:
    made = rule(shop, HOOK, campaign(shop))
    (secret,) = made.terms.secrets
    assert secret.startswith("whsec_")
    assert secret not in repr(made)
