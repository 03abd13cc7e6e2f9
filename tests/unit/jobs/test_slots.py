"""Slots: one holder at a time, freed when the holder goes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from matinee.jobs.slots import Slot, executor_id, slot_number, take_slot
from matinee.storage.metadata import Database


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database."""
    database = Database(f"sqlite:///{tmp_path}/m.db")
    yield database
    database.close()


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Database]:
    """An empty PostgreSQL database."""
    database = Database(postgres_url)
    yield database
    database.close()


def _taken(database: Database) -> Slot:
    slot = take_slot(database, threading.Event())
    assert slot is not None
    return slot


def test_names_of_slots_read_back() -> None:
    assert slot_number(executor_id(7)) == 7
    assert slot_number("local") is None
    assert slot_number("slot-") is None
    assert slot_number("slot-100000") is None


def test_sqlite_has_one_slot(sqlite: Database) -> None:
    stop = threading.Event()
    with _taken(sqlite) as slot:
        assert slot.number == 0
        threading.Timer(0.0, stop.set).start()
        assert take_slot(sqlite, stop) is None
    with _taken(sqlite) as again:
        assert again.held()


def test_postgres_gives_each_worker_its_own(postgres: Database) -> None:
    with _taken(postgres) as first, _taken(postgres) as second:
        assert (first.number, second.number) == (0, 1)
        assert first.executor_id != second.executor_id


def test_a_freed_slot_is_given_again(postgres: Database) -> None:
    with _taken(postgres) as first:
        assert first.number == 0
    with _taken(postgres) as again:
        assert again.number == 0


def test_a_slot_is_lent_only_when_its_holder_is_gone(postgres: Database) -> None:
    with _taken(postgres), _taken(postgres) as second:
        with second.lent(0) as busy:
            assert not busy
        with second.lent(5) as free:
            assert free
        with second.lent(5) as free_again:
            assert free_again


def test_a_broken_connection_loses_the_slot(postgres: Database) -> None:
    with _taken(postgres) as slot:
        assert slot.held()
        with postgres.read() as connection:
            connection.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE pid <> pg_backend_pid() AND datname = current_database()"
                )
            )
        assert not slot.held()
