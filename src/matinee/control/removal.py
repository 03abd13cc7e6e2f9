"""What goes when a resource is deleted: its objects, what lives inside it, its rows."""

from __future__ import annotations

import sqlalchemy as sa

from matinee.control import outbox, places, records
from matinee.control.records import Resource
from matinee.delivery import outbox as delivery_outbox
from matinee.storage import metadata


def belongings(connection: sa.Connection, arn: str) -> tuple[str, ...]:
    """Keys and key prefixes of the objects that go with a resource and with what lives inside it.

    A deleting job gives each to `ObjectStore.delete_prefix` before it calls `gone` or `lifecycle.succeed`.
    """
    inside = _inside(connection, arn)
    prefixes = {prefix for resource in inside for prefix in places.prefixes(resource)}
    parts = metadata.dataset_parts
    query = sa.select(parts.c.object_key).where(parts.c.dataset_arn.in_([resource.arn for resource in inside]))
    return tuple(sorted({*prefixes, *connection.scalars(query)}))


def gone(connection: sa.Connection, arn: str) -> None:
    """Take the rows of a resource away: itself, what lives inside it, references, tags, parts, streamed
    records, delivery rules; jobs of theirs that have not ended end."""
    inside = _inside(connection, arn)
    arns = [resource.arn for resource in inside]
    connection.execute(sa.delete(metadata.dataset_parts).where(metadata.dataset_parts.c.dataset_arn.in_(arns)))
    connection.execute(sa.delete(metadata.records).where(metadata.records.c.dataset_arn.in_(arns)))
    # Streamed events belong to the group and go with the dataset that the event tracker made for them.
    groups = [r.arn for r in inside if r.kind == "dataset-group"]
    groups += [r["datasetGroupArn"] for r in inside if r.kind == "dataset" and r["datasetType"] == "EVENT_INTERACTIONS"]
    for table in (metadata.events, metadata.session_links, metadata.recommendations):
        connection.execute(sa.delete(table).where(table.c.group_arn.in_(groups)))
    delivery_outbox.forget_resources(connection, arns, groups)
    for table in (metadata.attribution_marks, metadata.attribution_sources, metadata.attribution_sums):
        connection.execute(sa.delete(table).where(table.c.attribution_arn.in_(arns)))
    outbox.abandon(connection, arns)
    records.remove(connection, arns)


def _inside(connection: sa.Connection, arn: str) -> list[Resource]:
    """The resource and everything that lives inside it, however deep; empty when it is gone already."""
    top = records.find(connection, arn)
    found = [] if top is None else [top]
    for resource in found:
        found.extend(records.children(connection, resource.arn))
    return found
