"""What is kept is never older than the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from matinee.serving.freshness import FreshCache, Freshness, View
from matinee.storage.metadata import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database with one number in it."""
    made = Database(f"sqlite:///{tmp_path / 'x.db'}")
    with made.transaction() as connection:
        connection.exec_driver_sql("create table t (n integer)")
        connection.exec_driver_sql("insert into t values (1)")
    yield made
    made.close()


@pytest.fixture
def freshness(database: Database) -> Iterator[Freshness]:
    """Views of the database."""
    made = Freshness(database)
    yield made
    made.close()


def _load(view: View, key: str, previous: int | None) -> int:
    return int(view.connection.scalar(sa.text("select n from t")) or 0)


def test_a_value_is_read_once_while_nothing_is_committed(freshness: Freshness) -> None:
    loads: list[str] = []

    def load(view: View, key: str, previous: int | None) -> int:
        loads.append(key)
        return 5

    cache = FreshCache(load, 10)
    for _ in range(3):
        with freshness.view() as view:
            assert cache.get(view, "k") == 5
    assert loads == ["k"]


def test_a_commit_of_another_connection_is_seen_by_the_next_view(database: Database, freshness: Freshness) -> None:
    cache = FreshCache(_load, 10)
    other = Database(database.url.render_as_string(hide_password=False))
    with freshness.view() as view:
        assert cache.get(view, "k") == 1
    with other.transaction() as connection:
        connection.exec_driver_sql("update t set n = 2")
    other.close()
    with freshness.view() as view:
        assert cache.get(view, "k") == 2


def test_without_a_cheap_stamp_every_request_looks(database: Database, freshness: Freshness) -> None:
    cache = FreshCache(_load, 10)
    with freshness.view() as view:
        view.stamp = None
        assert cache.get(view, "k") == 1
        with database.transaction() as connection:
            connection.exec_driver_sql("update t set n = 2")
    with freshness.view() as view:
        view.stamp = None
        assert cache.get(view, "k") == 2


def test_the_least_recently_used_is_dropped(freshness: Freshness) -> None:
    loads: list[str] = []

    def load(view: View, key: str, previous: int | None) -> int:
        loads.append(key)
        return len(loads)

    cache = FreshCache(load, 2)
    with freshness.view() as view:
        for key in ("a", "b", "a", "c", "a", "b"):
            cache.get(view, key)
    assert loads == ["a", "b", "c", "b"]


def test_a_failure_is_not_kept(freshness: Freshness) -> None:
    def load(view: View, key: str, previous: int | None) -> int:
        raise ValueError(previous)

    cache = FreshCache(load, 2)
    with freshness.view() as view, pytest.raises(ValueError, match="None"):
        cache.get(view, "a")


def test_a_view_takes_no_connection_until_it_needs_one(database: Database, freshness: Freshness) -> None:
    begins: list[object] = []
    sa.event.listen(database.engine, "begin", begins.append)
    with freshness.view():
        pass
    assert begins == []
