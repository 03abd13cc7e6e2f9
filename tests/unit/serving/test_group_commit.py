"""Group commit: one transaction for what waits, one outcome for each."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from matinee.errors import ApiError, InvalidInput
from matinee.serving.group_commit import GroupCommit
from matinee.storage.metadata import Database


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """A database with one table of numbers."""
    made = Database(f"sqlite:///{tmp_path / 'x.db'}")
    with made.transaction() as connection:
        connection.exec_driver_sql("create table numbers (n integer not null)")
    return made


def _numbers(database: Database) -> list[int]:
    with database.read() as connection:
        return list(connection.scalars(sa.text("select n from numbers order by rowid")))


def _insert(connection: sa.Connection, units: Sequence[int | None]) -> list[ApiError | None]:
    """Stores numbers; refuses negative ones; a None breaks the transaction."""
    refusals: list[ApiError | None] = []
    for unit in units:
        if unit is not None and unit < 0:
            refusals.append(InvalidInput(f"{unit} is negative"))
            continue
        connection.execute(sa.text("insert into numbers values (:n)"), {"n": unit})
        refusals.append(None)
    return refusals


def test_what_arrives_during_a_commit_shares_the_next_one(database: Database) -> None:
    batches: list[int] = []
    committing, arrived = threading.Event(), threading.Event()

    def write(connection: sa.Connection, units: Sequence[int]) -> list[ApiError | None]:
        committing.set()
        assert arrived.wait(30)
        batches.append(len(units))
        return _insert(connection, units)

    commit = GroupCommit(database, write)

    async def burst() -> None:
        first = asyncio.ensure_future(commit.submit(0))
        await asyncio.to_thread(committing.wait, 30)
        others = [asyncio.ensure_future(commit.submit(n)) for n in range(1, 6)]
        await asyncio.sleep(0)
        arrived.set()
        await asyncio.gather(first, *others)

    asyncio.run(burst())
    commit.close()
    assert batches == [1, 5]
    assert _numbers(database) == [0, 1, 2, 3, 4, 5]


def test_each_caller_gets_its_own_outcome(database: Database) -> None:
    commit: GroupCommit[int | None] = GroupCommit(database, _insert)

    async def burst() -> list[BaseException | None]:
        return await asyncio.gather(*(commit.submit(n) for n in (1, -2, 3)), return_exceptions=True)

    first, second, third = asyncio.run(burst())
    commit.close()
    assert (first, third) == (None, None)
    assert isinstance(second, InvalidInput)
    assert _numbers(database) == [1, 3]


def test_a_unit_that_breaks_the_transaction_fails_alone(database: Database) -> None:
    commit: GroupCommit[int | None] = GroupCommit(database, _insert)

    async def burst() -> list[BaseException | None]:
        return await asyncio.gather(*(commit.submit(n) for n in (1, None, 3)), return_exceptions=True)

    first, second, third = asyncio.run(burst())
    commit.close()
    assert (first, third) == (None, None)
    assert isinstance(second, sa.exc.IntegrityError)
    assert _numbers(database) == [1, 3]


def test_it_outlives_an_event_loop(database: Database) -> None:
    commit: GroupCommit[int | None] = GroupCommit(database, _insert)
    for number in (1, 2):
        asyncio.run(commit.submit(number))
    commit.close()
    assert _numbers(database) == [1, 2]


def test_a_caller_that_goes_away_stops_nobody(database: Database) -> None:
    commit: GroupCommit[int | None] = GroupCommit(database, _insert)

    async def burst() -> None:
        gone = asyncio.ensure_future(commit.submit(1))
        staying = asyncio.ensure_future(commit.submit(2))
        await asyncio.sleep(0)
        gone.cancel()
        await staying

    asyncio.run(burst())
    commit.close()
    assert 2 in _numbers(database)
