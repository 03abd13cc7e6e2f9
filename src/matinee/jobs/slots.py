"""Slots: whoever holds one carries out its jobs, and nobody else does.

SQLite has one slot, held by a file lock beside the database; PostgreSQL has many, each an advisory lock of a
connection that stays open. The operating system or the server frees a slot when its holder dies, however it dies.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import sqlalchemy as sa
import structlog

from matinee.storage.metadata import Database

log = structlog.get_logger(__name__)

# The first of the two numbers of PostgreSQL's advisory lock; the second is the slot's.
_LOCK_CLASS = 0x6D61_746A
_MOST_SLOTS = 64
_RETRY_SECONDS = 0.2


class Slot(Protocol):
    """A held slot. Leaving its `with` block frees it."""

    @property
    def number(self) -> int:
        """Counts from 0."""

    @property
    def executor_id(self) -> str:
        """The name under which DBOS files what this slot has begun."""

    def held(self) -> bool:
        """Whether the slot is still this process's. When it is not, the process must end at once."""

    def lent(self, number: int) -> AbstractContextManager[bool]:
        """While the block runs, hold another slot, too, if its holder is gone; yields whether that is so."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def executor_id(number: int) -> str:
    """DBOS's name of a slot."""
    return f"slot-{number}"


def slot_number(executor: str) -> int | None:
    """The slot that DBOS's name means, or None when it is none of ours."""
    word, _, number = executor.partition("-")
    return int(number) if word == "slot" and number.isdigit() and int(number) < _MOST_SLOTS else None


def take_slot(database: Database, stop: threading.Event) -> Slot | None:
    """The first free slot; waits for one. None when `stop` is set before one is free."""
    attempt: Callable[[Database], Slot | None] = _take_file if database.is_sqlite else _take_advisory
    waiting = False
    while not stop.is_set():
        slot = attempt(database)
        if slot is not None:
            return slot
        if not waiting:
            log.info("waiting for a slot: other workers hold them all", database=database.url.render_as_string())
            waiting = True
        stop.wait(_RETRY_SECONDS)
    return None


class FileSlot:
    """The one slot of a SQLite database, held by an open, locked file."""

    number = 0

    def __init__(self, path: Path) -> None:
        self._file = path.open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:
            self._file.close()
            raise

    @property
    def executor_id(self) -> str:
        """The name under which DBOS files what this slot has begun."""
        return executor_id(self.number)

    def held(self) -> bool:
        """Always: a file lock is not lost while the file is open."""
        return True

    @contextmanager
    def lent(self, number: int) -> Iterator[bool]:
        """There is no other slot."""
        yield False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


class AdvisorySlot:
    """One of the slots of a PostgreSQL database, held by an advisory lock of `connection`."""

    def __init__(self, connection: sa.Connection, number: int) -> None:
        self.number = number
        self._connection = connection

    @property
    def executor_id(self) -> str:
        """The name under which DBOS files what this slot has begun."""
        return executor_id(self.number)

    def held(self) -> bool:
        """Whether the connection that holds the lock still answers."""
        try:
            self._connection.execute(sa.select(1))
        except sa.exc.DBAPIError:
            return False
        return True

    @contextmanager
    def lent(self, number: int) -> Iterator[bool]:
        """While the block runs, hold slot `number`, too, if it is free; yields whether that is so."""
        free = _lock(self._connection, number)
        try:
            yield free
        finally:
            if free:
                self._connection.execute(sa.select(sa.func.pg_advisory_unlock(_LOCK_CLASS, number)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()  # it is no pool's: this ends the session, and with it the lock


def _take_file(database: Database) -> FileSlot | None:
    try:
        return FileSlot(Path(f"{database.url.database}.worker-lock"))
    except BlockingIOError:
        return None


def _take_advisory(database: Database) -> AdvisorySlot | None:
    connection = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    connection.detach()
    for number in range(_MOST_SLOTS):
        if _lock(connection, number):
            return AdvisorySlot(connection, number)
    connection.close()
    return None


def _lock(connection: sa.Connection, number: int) -> bool:
    return bool(connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_LOCK_CLASS, number))))
