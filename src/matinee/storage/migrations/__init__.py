"""The schema's revisions (Alembic) and the one way to apply them: `upgrade`."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

if TYPE_CHECKING:
    from matinee.storage.metadata import Database

# Any number that nothing else uses as an advisory lock in the same PostgreSQL database.
_UPGRADE_LOCK = 0x6D61_7469


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema to `revision`. Processes that call this at once take turns; the later ones find it done."""
    with _turn(database), database.transaction() as connection:
        if not database.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
        command.upgrade(configuration(connection), revision)


def configuration(connection: sa.Connection) -> Config:
    """Alembic's configuration for commands on `connection`, whose transaction the caller ends."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _turn(database: Database) -> Iterator[None]:
    """Hold a lock file beside a SQLite database: even its first opening (the change to WAL) bears no company."""
    name = database.url.database
    if not database.is_sqlite or name in (None, "", ":memory:"):
        yield
        return
    with Path(f"{name}.upgrade-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
