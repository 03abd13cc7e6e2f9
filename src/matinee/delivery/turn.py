"""One deliverer for a database, whatever the number of workers: two at once could overtake each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from matinee.storage.metadata import Database

#: The advisory lock of the deliverer on PostgreSQL; any number that nothing else uses.
_LOCK = 0x6D61_7464_6C76
_RETRY_SECONDS = 1.0


@contextmanager
def sole_deliverer(database: Database, stop: threading.Event) -> Iterator[Callable[[], bool] | None]:
    """Wait until no other process delivers, then hold that while the block runs; None when `stop` came first.

    Yields whether it still holds: PostgreSQL lets go when the connection breaks. On SQLite the worker's slot, which
    one process holds, is enough.
    """
    if database.is_sqlite:
        yield None if stop.is_set() else (lambda: True)
        return
    connection = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    connection.detach()
    try:
        while not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_LOCK))):
            if stop.wait(_RETRY_SECONDS):
                yield None
                return
        yield lambda: _answers(connection)
    finally:
        connection.close()  # it is no pool's: this ends the session, and with it the lock


def _answers(connection: sa.Connection) -> bool:
    try:
        connection.execute(sa.select(1))
    except sa.exc.DBAPIError:
        return False
    return True
