"""A delivery is written with the event that causes it, once, in its user's lane."""

from __future__ import annotations

import sqlalchemy as sa
from tests.unit.delivery.stage import campaign, rule, standing
from tests.unit.serving.shop import CALLER, GROUP, Shop

from matinee.control.removal import gone
from matinee.delivery import outbox
from matinee.delivery.outbox import Delivery
from matinee.storage.metadata import deliveries

HOOK = "https://shop.example/hook"


def _waiting(shop: Shop) -> list[tuple[str, str]]:
    query = sa.select(deliveries.c.lane, deliveries.c.event).order_by(deliveries.c.seq)
    with shop.database.read() as connection:
        return [(row.lane, row.event["eventId"]) for row in connection.execute(query)]


def test_what_does_not_match_is_not_written(shop: Shop) -> None:
    rule(shop, HOOK, campaign(shop), event_type="Watch", when="Interactions.EVENT_VALUE >= 4")
    shop.put_event("u1", "i1", "click", eventId="other-type", eventValue=5)
    shop.put_event("u1", "i1", eventId="too-little", eventValue=3)
    shop.put_event("u1", "i1", eventId="no-value")
    shop.put_event("u1", "i1", eventId="this", eventValue=4)
    assert _waiting(shop) == [("u:u1", "this")]


def test_an_event_that_is_sent_twice_is_delivered_once(shop: Shop) -> None:
    rule(shop, HOOK, campaign(shop))
    shop.put_event("u1", "i1", eventId="e")
    with shop.database.transaction() as connection:
        connection.execute(sa.delete(deliveries))  # as if it had been delivered
    shop.put_event("u1", "i1", eventId="e")
    assert _waiting(shop) == []


def test_what_waits_for_a_session_goes_into_the_lane_of_its_user(shop: Shop) -> None:
    rule(shop, HOOK, campaign(shop))
    shop.put_event(None, "i1", eventId="a", session="s9")
    assert _waiting(shop) == [("s:s9", "a")]
    shop.put_event("u1", "i2", eventId="b", session="s9")
    shop.put_event(None, "i3", eventId="c", session="s9")
    assert _waiting(shop) == [("u:u1", "a"), ("u:u1", "b"), ("u:u1", "c")]


def test_a_user_called_like_a_session_has_a_lane_of_their_own(shop: Shop) -> None:
    rule(shop, HOOK, campaign(shop))
    shop.put_event("s9", "i1", eventId="a", session="s1")
    shop.put_event("u1", "i2", eventId="b", session="s9")
    assert _waiting(shop) == [("u:s9", "a"), ("u:u1", "b")]


def test_only_the_oldest_of_a_lane_is_due(shop: Shop) -> None:
    made = rule(shop, HOOK, campaign(shop))
    for user, event in (("u1", "a"), ("u1", "b"), ("u2", "c")):
        shop.put_event(user, "i1", eventId=event)

    def due() -> list[Delivery]:
        with shop.database.read() as connection:
            return outbox.due(connection, made, 2**50, 10)

    first = due()
    assert [one.event["eventId"] for one in first] == ["a", "c"]
    with shop.database.transaction() as connection:
        outbox.postpone(connection, first[0], 2**51, "away")
        outbox.delivered(connection, first[1:])
    assert due() == []
    with shop.database.transaction() as connection:
        outbox.bury(connection, first[0], "refused")
    assert [one.event["eventId"] for one in due()] == ["b"]


def test_a_rule_of_a_tracker_leaves_other_events_alone(shop: Shop) -> None:
    other = shop.add("event-tracker", "other", {"trackingId": "t2", "datasetGroupArn": GROUP}, parent=GROUP)
    rule(shop, HOOK, campaign(shop), tracker=other)
    shop.put_event("u1", "i1", eventId="a")
    event = {"eventType": "watch", "sentAt": 1, "itemId": "i1", "eventId": "b"}
    shop.put("PutEvents", trackingId="t2", sessionId="s", userId="u1", eventList=[event])
    assert _waiting(shop) == [("u:u1", "b")]


def test_forgetting_a_user_forgets_what_waits_and_dead_letters(shop: Shop) -> None:
    made = rule(shop, HOOK, campaign(shop))
    for user, event in (("u1", "a"), ("u1", "b"), ("u2", "c")):
        shop.put_event(user, "i1", eventId=event, session=user)
    shop.put_event(None, "i1", eventId="d", session="s9")
    with shop.database.transaction() as connection:
        outbox.bury(connection, outbox.due(connection, made, 2**50, 1)[0], "refused")
        assert outbox.erase(connection, GROUP, ["u1"], ["s9"]) == 3
    assert _waiting(shop) == [("u:u2", "c")]


def test_rules_go_with_their_campaign(shop: Shop) -> None:
    source = campaign(shop)
    rule(shop, HOOK, source)
    rule(shop, HOOK, campaign(shop, "another"), "stays")
    shop.put_event("u1", "i1", eventId="a")
    with shop.database.transaction() as connection:
        gone(connection, source)
    assert len(_waiting(shop)) == 1
    assert standing(shop, "stays").pending == 1
    assert source == CALLER.arn("campaign/popular")
