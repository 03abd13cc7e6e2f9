"""One change at a time in an account's region, whichever process makes it."""

from __future__ import annotations

import sqlalchemy as sa


def take_turn(connection: sa.Connection, account: str, region: str) -> None:
    """Wait for the turn to change an account's resources in a region, and keep it until the transaction ends.

    What an operation has checked stays so until it has written, and rows become visible in the order of their
    numbers, on which the pages of a List rely. Take it before any row is locked, or two could wait for each other.
    SQLite has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        key = sa.func.hashtextextended(f"{account} {region}", 0)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def take_turn_for(connection: sa.Connection, arn: str) -> None:
    """`take_turn` for the account and region of an ARN."""
    _, _, _, region, account, _ = arn.split(":", 5)
    take_turn(connection, account, region)
