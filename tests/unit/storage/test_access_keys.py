"""Access keys as rows, on both databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from matinee.storage import access_keys
from matinee.storage.metadata import Database

ACCOUNT = "111122223333"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty, migrated database."""
    made = Database(
        f"sqlite:///{tmp_path}/m.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    )
    made.upgrade()
    yield made
    made.close()


def test_a_new_key_is_found_with_its_secret(database: Database) -> None:
    made = access_keys.create(database, ACCOUNT, "ci")

    assert access_keys.find(database, made.access_key) == made
    assert (made.account, made.name, made.enabled) == (ACCOUNT, "ci", True)


def test_keys_look_like_those_that_clients_know(database: Database) -> None:
    made = access_keys.create(database, ACCOUNT)

    assert re.fullmatch(r"MATN[A-Z2-7]{16}", made.access_key)
    assert re.fullmatch(r"[A-Za-z0-9]{40}", made.secret)
    assert access_keys.ACCESS_KEY.fullmatch(made.access_key)


def test_the_secret_is_not_in_the_text_of_a_key(database: Database) -> None:
    made = access_keys.create(database, ACCOUNT)

    assert made.secret not in f"{made} {made!r}"


@pytest.mark.parametrize("account", ["", "12", "11112222333x", "1111222233334", "\uff11" * 12])
def test_what_is_no_account_gets_no_key(database: Database, account: str) -> None:
    with pytest.raises(ValueError, match="12 digits"):
        access_keys.create(database, account)

    assert access_keys.every(database) == []


def test_keys_are_listed_by_account_and_age(database: Database) -> None:
    late = access_keys.create(database, "999999999999", "c")
    first = access_keys.create(database, ACCOUNT, "a")
    second = access_keys.create(database, ACCOUNT, "b")

    found = access_keys.every(database)

    assert {key.name for key in found[:2]} == {first.name, second.name}
    assert found == sorted(found, key=lambda key: (key.account, key.created_at, key.access_key))
    assert found[-1] == late


def test_a_key_can_be_disabled_and_enabled(database: Database) -> None:
    name = access_keys.create(database, ACCOUNT).access_key

    states = []
    for enabled in (False, True):
        assert access_keys.enable(database, name, enabled=enabled)
        found = access_keys.find(database, name)
        states.append(found is not None and found.enabled)

    assert states == [False, True]


def test_a_deleted_key_is_gone(database: Database) -> None:
    name = access_keys.create(database, ACCOUNT).access_key

    assert access_keys.delete(database, name)
    assert access_keys.find(database, name) is None


def test_unknown_keys_are_told(database: Database) -> None:
    assert access_keys.find(database, "MATNUNKNOWN") is None
    assert not access_keys.enable(database, "MATNUNKNOWN")
    assert not access_keys.delete(database, "MATNUNKNOWN")


def test_disabled_keys_exist(database: Database) -> None:
    assert not access_keys.any_exist(database)
    made = access_keys.create(database, ACCOUNT)
    access_keys.enable(database, made.access_key, enabled=False)

    assert access_keys.any_exist(database)
