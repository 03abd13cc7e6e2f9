"""Reading a user's stream, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from matinee.serving.freshness import Freshness
from matinee.serving.streamed_events import NEWEST, StreamedEvent, StreamedEvents, streamed_to
from matinee.storage.metadata import Database, events, session_links, tables


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind."""
    sqlite = f"sqlite:///{tmp_path / 'x.db'}"
    made = Database(sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    tables.create_all(made.engine)
    yield made
    made.close()


def _add(database: Database, *rows: tuple[str | None, str, str, str, int], group: str = "g") -> None:
    with database.transaction() as connection:
        found = connection.scalar(sa.select(sa.func.count()).select_from(events)) or 0
        connection.execute(
            sa.insert(events),
            [
                {
                    "group_arn": group,
                    "event_id": f"e{found + at}",
                    "user_id": user,
                    "session_id": session,
                    "event_type": kind,
                    "item_id": item,
                    "sent_at": sent_at,
                    "received_at": 0,
                }
                for at, (user, session, item, kind, sent_at) in enumerate(rows)
            ],
        )


def _read(database: Database, streamed: StreamedEvents, user: str) -> tuple[StreamedEvent, ...]:
    freshness = Freshness(database)
    try:
        with freshness.view() as view:
            return streamed.get(view, "g", user)
    finally:
        freshness.close()


def test_own_events_and_those_of_own_sessions_in_the_order_of_time(database: Database) -> None:
    _add(
        database,
        ("ada", "s1", "later", "Watch", 30),
        (None, "s1", "before", "watch", 10),
        (None, "s2", "foreign", "watch", 20),
        ("bob", "s1", "bobs", "watch", 20),
    )
    _add(database, ("ada", "s1", "elsewhere", "watch", 1), group="other")
    with database.transaction() as connection:
        connection.execute(sa.insert(session_links).values(group_arn="g", session_id="s1", user_id="ada"))
    found = _read(database, StreamedEvents(), "ada")
    assert found == (StreamedEvent("before", "watch", 10), StreamedEvent("later", "watch", 30))


def test_a_session_stands_for_its_anonymous_user(database: Database) -> None:
    _add(database, (None, "visit", "a", "watch", 10))
    assert _read(database, StreamedEvents(), "visit") == (StreamedEvent("a", "watch", 10),)


def test_an_old_event_of_a_rare_type_is_found_behind_thousands(database: Database) -> None:
    _add(database, ("ada", "s", "bought", "buy", 1))
    _add(database, *(("ada", "s", f"i{at}", "click", 10 + at) for at in range(NEWEST + 50)))
    found = _read(database, StreamedEvents(), "ada")
    assert found[0] == StreamedEvent("bought", "buy", 1)
    assert len(found) == NEWEST + 1


def test_what_is_kept_is_given_up_when_an_event_comes(database: Database) -> None:
    streamed = StreamedEvents()
    freshness = Freshness(database)
    _add(database, ("ada", "s", "a", "watch", 1))
    with freshness.view() as view:
        first = streamed.get(view, "g", "ada")
    with freshness.view() as view:
        assert streamed.get(view, "g", "ada") is first
    _add(database, ("ada", "s", "b", "watch", 2))
    with freshness.view() as view:
        assert [event.item_id for event in streamed.get(view, "g", "ada")] == ["a", "b"]
    freshness.close()


def test_who_has_events_at_all(database: Database) -> None:
    _add(database, ("ann", "s1", "watch", "a", 1), (None, "s2", "watch", "b", 2), ("eve", "s3", "watch", "c", 3))
    with database.transaction() as connection:
        link = {"group_arn": "g", "session_id": "s2", "user_id": "bob"}
        connection.execute(sa.insert(session_links).values(link))
    with database.read() as connection:
        assert streamed_to(connection, "g", {"ann", "bob", "s2", "nobody"}) == {"ann", "bob", "s2"}
        assert streamed_to(connection, "other", {"ann", "bob", "s2"}) == set()
