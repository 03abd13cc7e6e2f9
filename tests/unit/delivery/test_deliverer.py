"""Deliveries arrive, signed and in order, also when the receiver is away for a while or says no."""

from __future__ import annotations

import sqlalchemy as sa
from tests.unit.delivery.receiver import Receiver, is_genuine
from tests.unit.delivery.stage import await_that, campaign, delivering, rule, standing
from tests.unit.serving.shop import Shop

from matinee.delivery import outbox
from matinee.delivery.deliverer import pause_after
from matinee.storage.metadata import deliveries


def test_an_event_brings_signed_recommendations_as_a_cloud_event(shop: Shop) -> None:
    source = campaign(shop)
    with Receiver() as receiver, delivering(shop):
        made = rule(shop, receiver.url, source, event_type="watch")
        shop.put_event("u1", "i3", eventValue=4.0, eventId="e1")
        shop.put_event("u1", "i3", "click")
        await_that(lambda: standing(shop).pending == 0 and len(receiver.taken) == 1)
    ((headers, body),) = receiver.taken
    (event,) = receiver.events
    (secret,) = made.terms.secrets
    assert is_genuine(secret, headers, body)
    assert not is_genuine(secret, headers, body + b" ")
    assert headers["content-type"].startswith("application/cloudevents+json")
    assert headers["webhook-id"] == event["id"]
    assert (event["specversion"], event["type"]) == ("1.0", "matinee.recommendations.v1")
    assert (event["source"], event["subject"], event["partitionkey"]) == (source, "u1", "u1")
    assert event["data"]["event"]["eventId"] == "e1"
    assert [item["itemId"] for item in event["data"]["itemList"]] == shop.recommend(source, userId="u1", numResults=3)
    assert standing(shop).rule.delivered == 1


def test_a_receiver_that_is_away_gets_every_event_in_order_of_each_user(shop: Shop) -> None:
    source = campaign(shop)
    with Receiver() as away:
        port = away.port
    rule(shop, f"http://127.0.0.1:{port}/hook", source)
    sent = [(f"u{n % 3}", f"e{n}") for n in range(18)]
    with delivering(shop):
        for user, event in sent[:12]:
            shop.put_event(user, "i1", eventId=event, session=user)
        await_that(lambda: _attempts(shop) >= 3)
        with Receiver(port=port) as back:
            for user, event in sent[12:]:
                shop.put_event(user, "i1", eventId=event, session=user)
            await_that(lambda: standing(shop).pending == 0)
    came = [(event["subject"], event["data"]["event"]["eventId"]) for event in back.events]
    assert sorted(came) == sorted(sent)
    for user in ("u0", "u1", "u2"):
        assert [one for one in came if one[0] == user] == [one for one in sent if one[0] == user]


def test_a_final_refusal_is_a_dead_letter_that_can_be_replayed(shop: Shop) -> None:
    source = campaign(shop)
    with Receiver(lambda n: 400 if n == 1 else 204) as receiver, delivering(shop):
        made = rule(shop, receiver.url, source)
        shop.put_event("u1", "i1", eventId="first")
        shop.put_event("u1", "i1", eventId="second")
        await_that(lambda: len(receiver.taken) == 1 and standing(shop).dead == 1)
        with shop.database.transaction() as connection:
            ((letter, reason),) = outbox.dead_letters(connection, made, 10)
            assert outbox.replay(connection, made) == 1
        await_that(lambda: standing(shop).pending == 0)
    assert (letter.event["eventId"], reason) == ("first", "127.0.0.1 answered 400.")
    assert [event["data"]["event"]["eventId"] for event in receiver.events] == ["second", "first"]


def test_a_passing_failure_is_tried_again_before_anything_later_of_the_user(shop: Shop) -> None:
    source = campaign(shop)
    with Receiver(lambda n: 503 if n < 3 else 204) as receiver, delivering(shop):
        rule(shop, receiver.url, source)
        for event in ("a", "b", "c"):
            shop.put_event("u1", "i1", eventId=event)
        await_that(lambda: standing(shop).pending == 0)
    assert [event["data"]["event"]["eventId"] for event in receiver.events] == ["a", "b", "c"]


def test_a_redirect_is_not_followed(shop: Shop) -> None:
    source = campaign(shop)
    with Receiver(lambda _: 302) as receiver, delivering(shop):
        rule(shop, receiver.url, source)
        shop.put_event("u1", "i1")
        await_that(lambda: standing(shop).dead == 1)
    assert receiver.asked == 1


def test_recommendations_that_cannot_be_had_are_waited_for(shop: Shop) -> None:
    source = campaign(shop)
    with Receiver() as receiver, delivering(shop):
        rule(shop, receiver.url, source)
        shop.change(source, status="CREATE FAILED")
        shop.put_event("u1", "i1")
        await_that(lambda: _attempts(shop) >= 1)
        shop.change(source, status="ACTIVE")
        await_that(lambda: standing(shop).pending == 0)
    assert len(receiver.taken) == 1


def test_the_user_and_the_item_are_looked_up_before_it_is_sent(shop: Shop) -> None:
    source = campaign(shop)
    shop.import_rows("USERS", [{"USER_ID": "u1", "AGE": 17}, {"USER_ID": "u2", "AGE": 18}])
    shop.import_rows("ITEMS", [{"ITEM_ID": "i1", "GENRES": "Drama"}, {"ITEM_ID": "i2", "GENRES": "War"}])
    with Receiver() as receiver, delivering(shop):
        rule(shop, receiver.url, source, when='CurrentUser.AGE > 17 AND Items.GENRES IN ("Drama")')
        for user, item in (("u1", "i1"), ("u2", "i2"), ("u2", "i1")):
            shop.put_event(user, item)
        await_that(lambda: standing(shop).pending == 0)
    assert [event["data"]["event"]["itemId"] for event in receiver.events] == ["i1"]
    assert [event["subject"] for event in receiver.events] == ["u2"]
    assert standing(shop).rule.delivered == 1


def test_a_look_that_took_long_does_not_put_off_the_next_one_for_long() -> None:
    assert [pause_after(took) for took in (0.0, 0.1, 60.0)] == [0.2, 1.0, 2.0]


def _attempts(shop: Shop) -> int:
    with shop.database.read() as connection:
        return int(connection.scalar(sa.select(sa.func.sum(deliveries.c.attempts))) or 0)
