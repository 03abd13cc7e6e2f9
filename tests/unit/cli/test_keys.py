"""`matinee keys`: what it makes, shows and says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from matinee.cli.app import app
from matinee.storage import access_keys
from matinee.storage.access_keys import AccessKey
from matinee.storage.metadata import Database


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def keys(home: Path, *arguments: str, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(app, ["keys", *arguments, "--home", str(home)])


def stored(home: Path) -> list[AccessKey]:
    database = Database(f"sqlite:///{home}/matinee.db")
    try:
        return access_keys.every(database)
    finally:
        database.close()


def test_a_new_key_is_printed_for_the_environment(home: Path) -> None:
    done = keys(home, "create", "--account", "111122223333", "--name", "ci")

    (key,) = stored(home)
    assert done.exit_code == 0
    assert done.stdout == f"AWS_ACCESS_KEY_ID={key.access_key}\nAWS_SECRET_ACCESS_KEY={key.secret}\n"
    assert (key.account, key.name) == ("111122223333", "ci")
    assert "not shown again" in done.stderr


def test_the_account_is_that_of_the_settings(home: Path) -> None:
    keys(home, "create", MATINEE_ACCOUNT="444455556666")

    assert [key.account for key in stored(home)] == ["444455556666"]


def test_the_first_key_comes_with_a_warning(home: Path) -> None:
    assert "until it is started again" in keys(home, "create").stderr
    assert "until it is started again" not in keys(home, "create").stderr


def test_an_account_has_twelve_digits(home: Path) -> None:
    done = keys(home, "create", "--account", "12")

    assert done.exit_code == 2
    assert "12 digits" in done.stderr


def test_the_list_has_no_secrets(home: Path) -> None:
    keys(home, "create", "--name", "ci")
    (key,) = stored(home)

    done = keys(home, "list")

    assert re.search(rf"{key.access_key}  123456789012  enabled   \d{{4}}-\d\d-\d\d \d\d:\d\d  ci\n$", done.stdout)
    assert key.secret not in done.output


def test_a_key_is_disabled_enabled_and_deleted(home: Path) -> None:
    keys(home, "create")
    (key,) = stored(home)

    states = []
    for verb in ("disable", "enable", "delete"):
        assert keys(home, verb, key.access_key).exit_code == 0
        states.append([one.enabled for one in stored(home)])

    assert states == [[False], [True], []]


def test_the_last_key_s_deletion_comes_with_a_warning(home: Path) -> None:
    keys(home, "create")
    keys(home, "create")
    first, second = stored(home)

    assert keys(home, "delete", first.access_key).stderr == ""
    assert "--require-keys" in keys(home, "delete", second.access_key).stderr


@pytest.mark.parametrize("verb", ["disable", "enable", "delete"])
def test_an_unknown_key_is_told(home: Path, verb: str) -> None:
    done = keys(home, verb, "MATNNONE")

    assert done.exit_code == 1
    assert done.stderr == "There is no access key MATNNONE. `matinee keys list` shows those that are.\n"
