"""The migrated schema is the schema of the tables, on both databases, however many processes migrate at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from matinee.storage import migrations
from matinee.storage.metadata import Database, tables
from matinee.storage.migrations import configuration, upgrade

#: All of them, also those to come.
_REVISIONS = [script.revision for script in ScriptDirectory(str(Path(migrations.__file__).parent)).walk_revisions()]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    return f"sqlite:///{tmp_path}/new/m.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


def test_the_migrated_schema_is_that_of_the_tables(url: str) -> None:
    database = Database(url)
    database.upgrade()
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        differences = [change for change in compare_metadata(context, tables) if not _is_comment(change)]
    database.close()
    assert differences == []


def _is_comment(change: object) -> bool:
    """Comments are for readers of metadata.py; the database does not carry them."""
    changes = change if isinstance(change, list) else [change]
    return all(isinstance(one, tuple) and one[0] == "modify_comment" for one in changes)


@pytest.mark.parametrize("revision", _REVISIONS)
def test_every_revision_comes_to_the_newest_and_keeps_its_rows(revision: str, url: str) -> None:
    database = Database(url)
    upgrade(database, revision)
    with database.transaction() as connection:
        connection.execute(sa.text("INSERT INTO tags VALUES ('arn', 'k', 'v')"))
    database.upgrade()
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        differences = [change for change in compare_metadata(context, tables) if not _is_comment(change)]
        kept = connection.execute(sa.text("SELECT * FROM tags")).all()
    database.close()
    assert differences == []
    assert [tuple(row)[:3] for row in kept] == [("arn", "k", "v")]


def test_an_upgrade_twice_is_one(url: str) -> None:
    database = Database(url)
    database.upgrade()
    with database.transaction() as connection:
        connection.execute(sa.text("INSERT INTO tags VALUES ('arn', 'k', 'v')"))
    database.upgrade()
    with database.read() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM tags")) == 1
    database.close()


def test_upgrades_at_once_take_turns(url: str) -> None:
    def upgrade(_: int) -> None:
        database = Database(url)
        database.upgrade()
        database.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(upgrade, range(6)))
    database = Database(url)
    with database.read() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM alembic_version")) == 1
    database.close()


def test_down_and_up_again(url: str) -> None:
    database = Database(url)
    database.upgrade()
    with database.transaction() as connection:
        command.downgrade(configuration(connection), "base")
    with database.read() as connection:
        assert set(sa.inspect(connection).get_table_names()) <= {"alembic_version", "sqlite_sequence"}
    database.upgrade()
    with database.read() as connection:
        assert set(tables.tables) <= set(sa.inspect(connection).get_table_names())
    database.close()


def test_numbers_of_deleted_rows_are_not_given_again(url: str) -> None:
    database = Database(url)
    database.upgrade()
    part = {"dataset_arn": "d", "job_arn": "j", "rows": 1, "bytes": 1, "created_at": 0}
    parts = tables.tables["dataset_parts"]
    with database.transaction() as connection:
        connection.execute(parts.insert().values(object_key="1", **part))
        first = connection.scalar(sa.select(parts.c.seq))
        connection.execute(parts.delete())
        connection.execute(parts.insert().values(object_key="2", **part))
        second = connection.scalar(sa.select(parts.c.seq))
    database.close()
    assert first is not None
    assert second is not None
    assert second > first
