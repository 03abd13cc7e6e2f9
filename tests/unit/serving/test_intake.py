"""What is streamed is durable before the answer, counts once, and finds its user."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.unit.api.waiting import until
from tests.unit.serving.shop import CALLER, GROUP, STRANGER, Shop

from matinee.errors import InvalidInput, ResourceInUse, ResourceNotFound
from matinee.serving.events import events_of
from matinee.serving.freshness import Freshness
from matinee.serving.impressions import Impressions
from matinee.storage.metadata import Database, records, session_links

ITEMS_ARN = CALLER.arn("dataset/films/ITEMS")


def _click(item: str | None = "i1", **more: Any) -> dict[str, Any]:
    return {"eventType": "click", "sentAt": 1700000000, "itemId": item, **more}


def _records(shop: Shop) -> list[tuple[str, dict[str, Any]]]:
    with shop.database.read() as connection:
        rows = connection.execute(sa.select(records.c.entity_id, records.c.properties).order_by(records.c.seq))
        return [(entity, properties) for entity, properties in rows]


def test_an_event_is_stored_and_the_answer_is_empty(shop: Shop) -> None:
    answer = shop.put(
        "PutEvents",
        trackingId=shop.tracking_id,
        userId="u1",
        sessionId="s1",
        eventList=[
            _click(
                eventValue=2.5,
                recommendationId="RID-1",
                impression=["i1", "i2"],
                properties={"device": "phone"},
                metricAttribution={"eventAttributionSource": "mail"},
            )
        ],
    )
    (row,) = shop.stored_events()
    assert answer == {}
    assert (row["user_id"], row["session_id"], row["item_id"], row["event_type"]) == ("u1", "s1", "i1", "click")
    assert (row["event_value"], row["sent_at"]) == (2.5, 1700000000)
    assert row["details"] == {
        "properties": {"device": "phone"},
        "impression": ["i1", "i2"],
        "recommendationId": "RID-1",
        "eventAttributionSource": "mail",
    }


def test_point_12_item_and_value_may_stand_in_the_properties_alone(shop: Shop) -> None:
    event = {"eventType": "watch", "sentAt": 1.5, "properties": {"itemId": "i9", "eventValue": "4", "device": "tv"}}
    shop.put("PutEvents", trackingId=shop.tracking_id, userId="", sessionId="s1", eventList=[event])
    (row,) = shop.stored_events()
    assert (row["item_id"], row["event_value"], row["sent_at"], row["user_id"]) == ("i9", 4.0, 1, None)
    assert row["details"] == {"properties": {"device": "tv"}}


def test_a_number_as_item_in_the_properties_is_its_text(shop: Shop) -> None:
    event = {"eventType": "watch", "sentAt": 1, "properties": {"itemId": 42}}
    shop.put("PutEvents", trackingId=shop.tracking_id, sessionId="s", eventList=[event])
    assert shop.stored_events()[0]["item_id"] == "42"


def test_top_level_item_wins_over_the_properties(shop: Shop) -> None:
    event = _click("top", properties={"itemId": "below"})
    shop.put("PutEvents", trackingId=shop.tracking_id, sessionId="s", eventList=[event])
    assert shop.stored_events()[0]["item_id"] == "top"


def test_an_event_id_counts_once(shop: Shop) -> None:
    for item in ("i1", "i2"):
        shop.put("PutEvents", trackingId=shop.tracking_id, sessionId="s", eventList=[_click(item, eventId="e1")])
    assert [row["item_id"] for row in shop.stored_events()] == ["i1"]


def test_an_event_sent_again_without_an_id_counts_once(shop: Shop) -> None:
    for _ in range(2):
        shop.put("PutEvents", trackingId=shop.tracking_id, userId="u", sessionId="s", eventList=[_click(), _click()])
    shop.put("PutEvents", trackingId=shop.tracking_id, userId="u", sessionId="s", eventList=[_click(sentAt=1700000001)])
    assert len(shop.stored_events()) == 2


def test_trap_11_the_session_called_null_is_dropped_with_success(shop: Shop) -> None:
    assert shop.put("PutEvents", trackingId=shop.tracking_id, sessionId="null", eventList=[_click()]) == {}
    assert shop.stored_events() == []


def test_a_session_is_joined_to_the_first_user_it_turns_out_to_be(shop: Shop) -> None:
    shop.put("PutEvents", trackingId=shop.tracking_id, sessionId="s", eventList=[_click()])
    for user in ("first", "second"):
        shop.put("PutEvents", trackingId=shop.tracking_id, userId=user, sessionId="s", eventList=[_click(user)])
    with shop.database.read() as connection:
        links = connection.execute(sa.select(session_links.c.session_id, session_links.c.user_id)).all()
    assert [tuple(link) for link in links] == [("s", "first")]


@pytest.mark.parametrize("key", ["userId", "SESSIONID", "eventtype", "timestamp", "recommendationId", "Impression"])
def test_reserved_keys_in_the_properties_are_refused(shop: Shop, key: str) -> None:
    with pytest.raises(InvalidInput, match=rf"eventList\[1\].properties must not use the reserved key '{key}'"):
        shop.put(
            "PutEvents",
            trackingId=shop.tracking_id,
            sessionId="s",
            eventList=[_click(), _click(properties={key: "x"})],
        )
    assert shop.stored_events() == []


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (_click(properties="{not json"), "Error parsing properties json"),
        (_click(properties=["a"]), "Error parsing properties json"),
        (_click(properties={"eventValue": "many"}), r"eventList\[0\].eventValue must be a number, not 'many'"),
        (_click(sentAt=float("nan")), r"eventList\[0\].sentAt must be a number"),
        (_click(properties={"note": "x" * 11_000}), r"eventList\[0\] is larger than 10 KB"),
        (_click("\ud800"), "cannot be stored"),
        (_click(None, properties={"itemId": ["7"]}), r"eventList\[0\].itemId must be a string"),
    ],
)
def test_an_unusable_event_is_refused_with_its_place(shop: Shop, event: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        shop.put("PutEvents", trackingId=shop.tracking_id, sessionId="s", eventList=[event])
    assert shop.stored_events() == []


def test_an_unknown_tracking_id_is_invalid_input(shop: Shop) -> None:
    with pytest.raises(InvalidInput, match="trackingId nobody does not exist"):
        shop.put("PutEvents", trackingId="nobody", sessionId="s", eventList=[_click()])


def test_a_tracking_id_belongs_to_its_account(shop: Shop) -> None:
    with pytest.raises(InvalidInput, match="does not exist"):
        shop.put("PutEvents", STRANGER, trackingId=shop.tracking_id, sessionId="s", eventList=[_click()])


def test_a_tracker_takes_events_from_its_creation_until_its_deletion(shop: Shop) -> None:
    tracker = CALLER.arn("event-tracker/events")
    shop.change(tracker, status="CREATE PENDING")
    shop.put_event("u", "i1")
    shop.change(tracker, status="DELETE PENDING")
    with pytest.raises(InvalidInput, match="does not exist"):
        shop.put_event("u", "i2")
    assert [row["item_id"] for row in shop.stored_events()] == ["i1"]


def test_waiting_requests_share_transactions_and_a_refused_one_hurts_no_other(shop: Shop) -> None:
    handler = shop.intake.operations()["PutEvents"]
    commits: list[None] = []
    sa.event.listen(shop.database.engine, "commit", lambda _: commits.append(None))

    async def burst() -> list[Any]:
        calls = [
            handler(
                CALLER,
                {
                    "trackingId": "nobody" if at == 7 else shop.tracking_id,
                    "userId": f"u{at}",
                    "sessionId": "s",
                    "eventList": [_click(f"i{at}")],
                },
            )
            for at in range(50)
        ]
        return await asyncio.gather(*calls, return_exceptions=True)

    answers = asyncio.run(burst())
    assert isinstance(answers.pop(7), InvalidInput)
    assert answers == [{}] * 49
    assert len(shop.stored_events()) == 49
    assert len(commits) <= 3


_KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from matinee.control.context import Caller
from matinee.serving.intake import Intake
from matinee.settings import Settings
from matinee.storage.metadata import Database
settings = Settings(home=Path(sys.argv[1]), database_url=sys.argv[3])
put = Intake(Database(settings.effective_database_url), settings).operations()["PutEvents"]
async def stream():
    for at in range(1000):
        event = {"eventType": "click", "sentAt": at, "itemId": f"i{at}"}
        params = {"trackingId": sys.argv[2], "sessionId": "s", "eventList": [event]}
        await put(Caller("123456789012", "us-east-1"), params)
        os.write(1, f"i{at}\\n".encode())
        if at == 20:
            os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(stream())
"""


def test_what_was_acknowledged_survives_a_kill(shop: Shop, tmp_path: Path) -> None:
    arguments = [str(tmp_path), shop.tracking_id, shop.settings.effective_database_url]
    finished = subprocess.run([sys.executable, "-c", _KILLED, *arguments], capture_output=True, text=True, check=False)
    acknowledged = finished.stdout.split()
    assert finished.returncode == -9
    assert len(acknowledged) == 21
    assert [row["item_id"] for row in shop.stored_events()] == acknowledged


def test_items_are_stored_under_the_schema_names(shop: Shop) -> None:
    properties = {"title": "Alien", "genres": "Horror|SciFi", "PRICE": 3, "releaseYear": "1979", "onDisc": "true"}
    shop.put("PutItems", datasetArn=ITEMS_ARN, items=[{"itemId": "i1", "properties": properties}, {"itemId": "i2"}])
    assert _records(shop) == [
        (
            "i1",
            {
                "ITEM_ID": "i1",
                "TITLE": "Alien",
                "GENRES": "Horror|SciFi",
                "PRICE": 3.0,
                "RELEASE_YEAR": 1979,
                "ON_DISC": True,
            },
        ),
        ("i2", {"ITEM_ID": "i2"}),
    ]


def test_users_are_stored_under_the_schema_names(shop: Shop) -> None:
    arn = CALLER.arn("dataset/films/USERS")
    users = [{"userId": "u1", "properties": '{"membershipStatus": "gold", "age": 33}'}]
    shop.put("PutUsers", datasetArn=arn, users=users)
    assert _records(shop) == [("u1", {"USER_ID": "u1", "MEMBERSHIP_STATUS": "gold", "AGE": 33})]


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"colour": "red"}, "has 'colour', which the dataset's schema does not"),
        ({"price": "dear"}, r"items\[0\].properties.price must be a number"),
        ({"releaseYear": 1979.5}, "must be a whole number"),
        ({"title": 5}, "must be a string"),
        ({"onDisc": "yes"}, "must be true or false"),
        ({"genres": "x" * 1001}, "Length cannot be more than 1000 characters for GENRES"),
    ],
)
def test_properties_that_do_not_fit_the_schema_are_refused(
    shop: Shop, properties: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        shop.put("PutItems", datasetArn=ITEMS_ARN, items=[{"itemId": "i1", "properties": properties}])
    assert _records(shop) == []


def test_a_missing_required_property_is_refused(shop: Shop) -> None:
    text = (
        '{"type":"record","name":"Items","fields":[{"name":"ITEM_ID","type":"string"},{"name":"PRICE","type":"float"}]}'
    )
    schema = shop.add("schema", "strict", {"schema": text})
    arn = shop.add("dataset", "other/ITEMS", {"datasetType": "ITEMS", "schemaArn": schema, "datasetGroupArn": "g"})
    with pytest.raises(InvalidInput, match="lacks price"):
        shop.put("PutItems", datasetArn=arn, items=[{"itemId": "i1", "properties": {}}])


def test_a_dataset_that_is_not_active_is_in_use(shop: Shop) -> None:
    shop.change(ITEMS_ARN, status="UPDATE PENDING")
    with pytest.raises(ResourceInUse, match="is UPDATE PENDING"):
        shop.put("PutItems", datasetArn=ITEMS_ARN, items=[{"itemId": "i1"}])


def test_another_accounts_dataset_does_not_exist(shop: Shop) -> None:
    with pytest.raises(ResourceNotFound):
        shop.put("PutItems", STRANGER, datasetArn=ITEMS_ARN, items=[{"itemId": "i1"}])


def test_a_dataset_of_another_type_is_refused(shop: Shop) -> None:
    with pytest.raises(InvalidInput, match="not a dataset of type USERS"):
        shop.put("PutUsers", datasetArn=ITEMS_ARN, users=[{"userId": "u1"}])


def test_action_interactions_are_kept_apart_from_items(shop: Shop) -> None:
    shop.add(
        "dataset",
        "films/ACTION_INTERACTIONS",
        {"datasetType": "ACTION_INTERACTIONS", "trackingId": "t-actions", "datasetGroupArn": CALLER.arn("x")},
    )
    given = {"actionId": "a1", "userId": "u1", "sessionId": "s1", "timestamp": 5, "eventType": "Not taken"}
    shop.put("PutActionInteractions", trackingId="t-actions", actionInteractions=[given])
    (row,) = shop.stored_events()
    assert (row["item_id"], row["event_type"], row["details"]) == (None, "NOT_TAKEN", {"actionId": "a1"})


def test_two_processes_write_the_same_log(shop: Shop) -> None:
    """A second connection pool stands for the second process: what each acknowledged, the other reads."""
    other = Database(shop.settings.effective_database_url)
    shop.put_event("u", "i1")
    with other.read() as connection:
        assert connection.scalar(sa.text("select item_id from events")) == "i1"
    other.close()


def test_postgresql_takes_the_same_calls(tmp_path: Path, postgres_url: str) -> None:
    shop = Shop(tmp_path, database_url=postgres_url)
    shop.put_event("u", "i1", eventId="e1")
    shop.put_event("u", "i2", eventId="e1")
    shop.put("PutItems", datasetArn=ITEMS_ARN, items=[{"itemId": "i1", "properties": {"title": "x"}}])
    assert [row["item_id"] for row in shop.stored_events()] == ["i1"]
    assert _records(shop) == [("i1", {"ITEM_ID": "i1", "TITLE": "x"})]
    shop.close()


def _watch(user: str, item: str) -> dict[str, Any]:
    event = _click(item, impression=[item, "other"])
    return {"trackingId": "", "userId": user, "sessionId": user, "eventList": [event]}


def test_postgresql_commits_the_events_of_a_group_in_the_order_of_their_numbers(
    tmp_path: Path, postgres_url: str
) -> None:
    """Whoever reads on from the number that it knows misses nothing, though another process wrote at the same time."""
    shop, other = Shop(tmp_path, database_url=postgres_url), Database(postgres_url)
    slow = events_of(CALLER.account, CALLER.region, {**_watch("slow", "slow"), "trackingId": shop.tracking_id})
    impressions, freshness = Impressions(0), Freshness(shop.database)

    def seen() -> set[str]:
        with freshness.view() as view:
            return set(impressions.feedback(view, GROUP).row) - {"other"}

    seen()
    with ThreadPoolExecutor(1) as pool:
        with other.transaction() as connection:
            assert shop.intake.write_events(connection, [slow]) == [None]
            waiting = pool.submit(shop.put_event, "quick", "quick", impression=["quick", "other"])
            until(lambda: waiting.done() or _waits_for_a_lock(shop.database))
            assert seen() == set()  # a reader between the two commits
        waiting.result()
    assert seen() == {"slow", "quick"}
    assert [row["item_id"] for row in shop.stored_events()] == ["slow", "quick"]
    other.close()
    shop.close()


def _waits_for_a_lock(database: Database) -> bool:
    with database.read() as connection:
        return bool(connection.scalar(sa.text("select count(*) from pg_locks where not granted")))


def test_postgresql_lets_other_groups_go_on(tmp_path: Path, postgres_url: str) -> None:
    shop, other = Shop(tmp_path, database_url=postgres_url), Database(postgres_url)
    elsewhere = "22222222-2222-2222-2222-222222222222"
    group = CALLER.arn("dataset-group/books")
    shop.add("dataset-group", "books", {})
    shop.add("event-tracker", "others", {"trackingId": elsewhere, "datasetGroupArn": group}, parent=group)
    batch = events_of(CALLER.account, CALLER.region, {**_watch("u", "i1"), "trackingId": elsewhere})
    with other.transaction() as connection:
        shop.intake.write_events(connection, [batch])
        shop.put_event("u", "i2")
        assert [row["item_id"] for row in shop.stored_events()] == ["i2"]
    other.close()
    shop.close()
