"""The database: who may read its file, and what its errors tell."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from matinee.storage.metadata import Database, access_keys, tags


@pytest.fixture
def _generous_umask() -> Iterator[None]:
    """A process whose files everyone may read."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_generous_umask")
def test_only_its_owner_reads_a_new_sqlite_database(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/home/m.db")
    database.upgrade()
    with database.transaction() as connection:
        connection.execute(sa.insert(tags).values(arn="a", key="k", value="v"))
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "home").glob("m.db*")}
    database.close()

    del modes["m.db.upgrade-lock"]  # holds nothing
    assert modes == {"m.db": 0o600, "m.db-wal": 0o600, "m.db-shm": 0o600}


def test_the_mode_of_a_database_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "m.db").touch(mode=0o640)
    (tmp_path / "m.db").chmod(0o640)

    Database(f"sqlite:///{tmp_path}/m.db").close()

    assert (tmp_path / "m.db").stat().st_mode & 0o777 == 0o640


def test_a_failed_statement_does_not_tell_its_values(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/m.db")
    database.upgrade()
    row = {"access_key": "A", "secret": "swordfish", "account": "1", "name": "", "enabled": True, "created_at": 0}
    with pytest.raises(sa.exc.IntegrityError) as failed, database.transaction() as connection:
        connection.execute(sa.insert(access_keys), [row, row])
    database.close()

    assert "swordfish" not in str(failed.value)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_view_does_not_change_while_others_write(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = f"sqlite:///{tmp_path}/m.db" if kind == "sqlite" else request.getfixturevalue("furnished_postgres_url")
    database = Database(url)
    database.upgrade()
    count = sa.select(sa.func.count()).select_from(tags)
    with database.read() as reader:
        before = reader.scalar(count)
        with database.transaction() as writer:
            writer.execute(sa.insert(tags).values(arn="a", key="k", value="v"))
        during = reader.scalar(count)
    with database.read() as reader:
        after = reader.scalar(count)
    database.close()
    assert (before, during, after) == (0, 0, 1)


def test_what_was_deleted_leaves_the_write_ahead_log(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/m.db")
    database.upgrade()
    with database.transaction() as connection:
        connection.execute(sa.insert(tags).values(arn="a", key="k", value="a telling value"))
    with database.transaction() as connection:
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
        connection.execute(sa.delete(tags))
    assert b"a telling value" in (tmp_path / "m.db-wal").read_bytes()
    database.wipe_log()
    assert all(b"a telling value" not in path.read_bytes() for path in tmp_path.glob("m.db*"))
    database.close()
