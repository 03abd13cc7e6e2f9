"""Group commit: requests that wait at the same moment share one durable transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

import sqlalchemy as sa

from matinee.errors import ApiError
from matinee.storage.metadata import Database

Unit = TypeVar("Unit")

#: Writes the units of one transaction; says for each whether it was refused. A refused unit has written nothing.
Write = Callable[[sa.Connection, Sequence[Unit]], Sequence[ApiError | None]]

#: Above this many units a transaction would keep its first caller waiting longer than a commit of its own.
LARGEST_BATCH = 256


class GroupCommit(Generic[Unit]):
    """One writer at a time; whatever arrives while it commits goes into the next transaction.

    `submit` returns after the commit, hence after the log is on disk. The writer runs in a thread of its own, so the
    event loop goes on accepting requests. It exists only while there is something to write.
    """

    def __init__(self, database: Database, write: Write[Unit]) -> None:
        self._database = database
        self._write = write
        self._waiting: list[tuple[Unit, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="matinee-intake")

    async def submit(self, unit: Unit) -> None:
        """Return when `unit` is durable; raises the `ApiError` it was refused with, or what the database raised."""
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((unit, answer))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._drain())
        await answer

    def close(self) -> None:
        """End the writer's thread after what it is writing."""
        self._thread.shutdown(wait=True)

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting[:LARGEST_BATCH], self._waiting[LARGEST_BATCH:]
            outcomes = await loop.run_in_executor(self._thread, self._commit, [unit for unit, _ in batch])
            for (_, answer), outcome in zip(batch, outcomes, strict=True):
                if answer.done():  # the caller went away; what it sent is committed all the same
                    continue
                if outcome is None:
                    answer.set_result(None)
                else:
                    answer.set_exception(outcome)

    def _commit(self, units: Sequence[Unit]) -> Sequence[Exception | None]:
        """Commit `units` together; when that fails, each alone, so that one cannot fail its neighbours."""
        try:
            with self._database.transaction() as connection:
                return self._write(connection, units)
        except Exception as problem:  # whatever it is, each caller must be told
            if len(units) == 1:
                return [problem]
            return [self._commit([unit])[0] for unit in units]
