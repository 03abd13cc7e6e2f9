"""Keys of the metadata at the front door: fresh within half a second, few reads, little memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from matinee.api.aws.stored_keys import FRESH_SECONDS, SqlKeys
from matinee.storage import access_keys
from matinee.storage.access_keys import AccessKey
from matinee.storage.metadata import Database


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Bench:
    """Keys over a database that another process (a second connection pool) changes; counts the reads."""

    def __init__(self, url: str) -> None:
        self.other, self.database = Database(url), Database(url)
        self.other.upgrade()
        self.clock, self.reads = Clock(), 0
        self.keys = SqlKeys(self.database, size=2, now=self.clock)
        sa.event.listen(self.database.engine, "after_cursor_execute", self._count)

    def _count(self, connection: object, cursor: object, statement: str, *rest: object) -> None:
        self.reads += "access_keys" in statement

    def create(self) -> AccessKey:
        return access_keys.create(self.other, "111122223333")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(f"sqlite:///{tmp_path}/m.db")
    yield made
    made.keys.close()
    made.other.close()


def test_a_key_is_found_with_secret_and_account(bench: Bench) -> None:
    made = bench.create()

    found = bench.keys.find(made.access_key)

    assert found is not None
    assert (found.access_key, found.secret, found.account) == (made.access_key, made.secret, made.account)


def test_a_key_in_use_is_not_read_again_at_once(bench: Bench) -> None:
    name = bench.create().access_key
    for _ in range(100):
        bench.keys.find(name)
        bench.clock.seconds += FRESH_SECONDS / 200

    assert bench.reads == 1


def test_a_new_key_is_known_at_once(bench: Bench) -> None:
    assert bench.keys.find("MATNAAAAAAAAAAAAAAAA") is None
    name = bench.create().access_key

    assert bench.keys.find(name) is not None


@pytest.mark.parametrize("change", ["disable", "delete"])
def test_a_key_that_another_process_takes_away_is_noticed(bench: Bench, change: str) -> None:
    name = bench.create().access_key
    assert bench.keys.find(name) is not None
    if change == "disable":
        access_keys.enable(bench.other, name, enabled=False)
    else:
        access_keys.delete(bench.other, name)
    bench.clock.seconds += FRESH_SECONDS

    assert bench.keys.find(name) is None


def test_a_key_that_is_enabled_again_is_known_at_once(bench: Bench) -> None:
    name = bench.create().access_key
    access_keys.enable(bench.other, name, enabled=False)
    assert bench.keys.find(name) is None
    access_keys.enable(bench.other, name)

    assert bench.keys.find(name) is not None


@pytest.mark.parametrize("name", ["", "short", "matn" * 5, "MATN' OR 1=1 --AAAAA", "A" * 33, "\0" * 20])
def test_what_cannot_be_a_key_is_not_looked_up(bench: Bench, name: str) -> None:
    assert bench.keys.find(name) is None
    assert bench.reads == 0


def test_the_least_recently_read_key_is_dropped(bench: Bench) -> None:
    first, second, third = (bench.create().access_key for _ in range(3))
    for name in (first, second, third):
        bench.keys.find(name)
    bench.reads = 0

    for name in (third, second, first):
        bench.keys.find(name)

    assert bench.reads == 1


def test_made_up_names_do_not_push_known_keys_out(bench: Bench) -> None:
    name = bench.create().access_key
    bench.keys.find(name)
    for number in range(10):
        bench.keys.find(f"MATN{number:016}")
    bench.reads = 0
    bench.keys.find(name)

    assert bench.reads == 0
