"""Rows of the resource table as values: insert, find, change, list; and who uses whom."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from matinee.storage.metadata import references, resources, tags


@dataclass(frozen=True)
class Resource:
    """One resource as stored. Times are epoch milliseconds; `seq` counts in the order of creation.

    `attributes` holds the members of Describe beyond name, ARN, status, failure reason and dates, in the wire's
    names; `private` what Describe does not show (where the artifact lies, metrics).
    """

    seq: int
    arn: str
    account: str
    region: str
    kind: str
    name: str
    parent: str | None
    status: str | None
    failure_reason: str | None
    created_at: int
    updated_at: int
    attributes: Mapping[str, Any]
    private: Mapping[str, Any]

    def __getitem__(self, member: str) -> Any:
        """A member of `attributes` that every resource of the kind has."""
        return self.attributes[member]


def now_ms() -> int:
    """The time in epoch milliseconds."""
    return time.time_ns() // 1_000_000


def insert(
    connection: sa.Connection,
    *,
    arn: str,
    account: str,
    region: str,
    kind: str,
    name: str,
    parent: str | None,
    status: str | None,
    attributes: Mapping[str, Any],
) -> Resource:
    """Add a resource; its ARN must be free."""
    now = now_ms()
    row: dict[str, Any] = {
        "arn": arn,
        "account": account,
        "region": region,
        "kind": kind,
        "name": name,
        "parent": parent,
        "status": status,
        "failure_reason": None,
        "created_at": now,
        "updated_at": now,
        "attributes": dict(attributes),
        "private": {},
    }
    seq = connection.execute(sa.insert(resources).values(row).returning(resources.c.seq)).scalar_one()
    return Resource(seq=seq, **row)


def find(connection: sa.Connection, arn: str, *, lock: bool = False) -> Resource | None:
    """The resource with this ARN, of whatever account; None when there is none.

    `lock` keeps it from changing until the transaction ends (PostgreSQL; SQLite has one writer at a time anyway).
    """
    query = sa.select(resources).where(resources.c.arn == arn)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else Resource(**row._mapping)


def named(connection: sa.Connection, *, account: str, region: str, kind: str, name: str) -> Resource | None:
    """The oldest resource of a kind with this name; None when there is none."""
    c = resources.c
    query = sa.select(resources).where(c.account == account, c.region == region, c.kind == kind, c.name == name)
    row = connection.execute(query.order_by(c.seq).limit(1)).one_or_none()
    return None if row is None else Resource(**row._mapping)


def change(connection: sa.Connection, resource: Resource, **columns: Any) -> Resource:
    """Set columns of a resource and move its last update, by at least a millisecond."""
    columns["updated_at"] = max(now_ms(), resource.updated_at + 1)
    connection.execute(sa.update(resources).where(resources.c.seq == resource.seq).values(columns))
    return replace(resource, **columns)


def select(
    connection: sa.Connection,
    *,
    account: str,
    region: str,
    kind: str,
    parent: str | None = None,
    arns: sa.Select[Any] | None = None,
    after: int = 0,
    limit: int | None = None,
    newest_first: bool = False,
) -> list[Resource]:
    """Resources of one kind, in the order of creation from `after` (a `seq`, left out itself), or the reverse.

    `parent` keeps those inside one resource; `arns` those whose ARN a query of one column yields.
    """
    c = resources.c
    # As an expression, so that SQLite looks among the parent's children, not through the whole listing of the kind.
    owner = c.account if parent is None else c.account.concat("")
    query = sa.select(resources).where(owner == account, c.region == region, c.kind == kind)
    if parent is not None:
        query = query.where(c.parent == parent)
    if arns is not None:
        query = query.where(c.arn.in_(arns))
    if after:
        query = query.where(c.seq < after if newest_first else c.seq > after)
    query = query.order_by(c.seq.desc() if newest_first else c.seq).limit(limit)
    # All rows at once, and by place: half the time of a page. The fields stand in the order of the columns.
    return [Resource(*row) for row in connection.execute(query).all()]


def children(connection: sa.Connection, parent: str, *kinds: str) -> list[Resource]:
    """Resources that live inside `parent`, of the given kinds (of all when none is given), oldest first."""
    query = sa.select(resources).where(resources.c.parent == parent)
    if kinds:
        query = query.where(resources.c.kind.in_(kinds))
    return [Resource(**row._mapping) for row in connection.execute(query.order_by(resources.c.seq))]


def newest_child(connection: sa.Connection, parent: str, kind: str, *states: str) -> Resource | None:
    """The newest resource of a kind inside `parent`, in one of the states if any are given."""
    c = resources.c
    query = sa.select(resources).where(c.parent == parent, c.kind == kind)
    if states:
        query = query.where(c.status.in_(states))
    row = connection.execute(query.order_by(c.seq.desc()).limit(1)).one_or_none()
    return None if row is None else Resource(**row._mapping)


def count(
    connection: sa.Connection,
    kind: str,
    *,
    account: str,
    region: str,
    using: str | None = None,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
) -> int:
    """How many resources of a kind there are: those that use `using`, in the states `only`, not in `without`."""
    c = resources.c
    query = sa.select(sa.func.count()).where(c.account == account, c.region == region, c.kind == kind)
    if using is not None:
        query = query.where(c.arn.in_(sa.select(references.c.source).where(references.c.target == using)))
    if only:
        query = query.where(c.status.in_(only))
    if without:
        query = query.where(sa.or_(c.status.is_(None), c.status.not_in(without)))
    return int(connection.execute(query).scalar_one())


def refer(connection: sa.Connection, source: str, uses: Mapping[str, str]) -> None:
    """Note that `source` uses other resources: role (the member that names it) to ARN. Replaces earlier ones."""
    for role, target in uses.items():
        unrefer(connection, source, role)
        connection.execute(sa.insert(references).values(source=source, target=target, role=role))


def unrefer(connection: sa.Connection, source: str, *roles: str) -> None:
    """Forget what `source` uses in these roles."""
    connection.execute(
        sa.delete(references).where(references.c.source == source, references.c.role.in_(roles)),
    )


def users_of(target: str) -> sa.Select[tuple[str]]:
    """Query of the ARNs that use `target`, in whatever role."""
    return sa.select(references.c.source).where(references.c.target == target)


def users(
    connection: sa.Connection,
    target: str,
    kind: str,
    *,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
    limit: int | None = None,
) -> list[Resource]:
    """The resources of a kind that use `target`, oldest first: those in the states `only`, not in `without`."""
    c = resources.c
    query = sa.select(resources).where(c.kind == kind, c.arn.in_(users_of(target)))
    if only:
        query = query.where(c.status.in_(only))
    if without:
        query = query.where(c.status.not_in(without))
    return [Resource(**row._mapping) for row in connection.execute(query.order_by(c.seq).limit(limit))]


def remove(connection: sa.Connection, arns: Iterable[str]) -> None:
    """Take resources away together with their tags and with what they use."""
    gone = list(arns)
    connection.execute(sa.delete(resources).where(resources.c.arn.in_(gone)))
    connection.execute(sa.delete(references).where(references.c.source.in_(gone)))
    connection.execute(sa.delete(tags).where(tags.c.arn.in_(gone)))
