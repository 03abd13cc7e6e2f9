"""Retention: of a solution's versions only the newest are kept, where the settings say so, and those in use."""

from __future__ import annotations

import sqlalchemy as sa

from matinee.control import records, states
from matinee.control.records import Resource
from matinee.control.removal import belongings, gone

_BATCH = ("batch-inference-job", "batch-segment-job")


def retire(connection: sa.Connection, arn: str, *, keep: int) -> tuple[str, ...]:
    """Take away the ACTIVE versions that are older than the `keep` newest, one of which is `arn`, ACTIVE in a moment.

    Versions that a campaign serves or is about to serve, that a running experiment tries, or that an unfinished batch
    job reads, stay; so do all of them
    when `keep` is 0. Returns the key prefixes of the objects that are to be deleted once this transaction is committed.
    """
    new = records.find(connection, arn)
    if keep < 1 or new is None:
        return ()
    versions = records.children(connection, new["solutionArn"], "solution-version")
    active = [version for version in versions if version.status == "ACTIVE" or version.arn == arn]
    left_over: list[str] = []
    for version in active[:-keep]:
        if version.arn != arn and not _in_use(connection, version):
            left_over += belongings(connection, version.arn)
            gone(connection, version.arn)
    return tuple(left_over)


def _in_use(connection: sa.Connection, version: Resource) -> bool:
    if any(records.users(connection, version.arn, kind, limit=1) for kind in ("campaign", "experiment")):
        return True
    return any(records.users(connection, version.arn, kind, only=states.BUSY, limit=1) for kind in _BATCH)
