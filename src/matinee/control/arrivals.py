"""Whether a dataset group has got data since a moment: parts of imports, streamed events, streamed records."""

from __future__ import annotations

import sqlalchemy as sa

from matinee.storage.metadata import dataset_parts, events, records


def interactions_arrived(connection: sa.Connection, group_arn: str, after: int) -> bool:
    """Whether interactions were imported or streamed after a moment, epoch milliseconds."""
    event = sa.select(events.c.seq).where(events.c.group_arn == group_arn, events.c.received_at > after)
    return _some(connection, _part(group_arn, "INTERACTIONS", after), event)


def items_arrived(connection: sa.Connection, group_arn: str, after: int) -> bool:
    """Whether items were imported or put after a moment, epoch milliseconds."""
    dataset = _dataset(group_arn, "ITEMS")
    record = sa.select(records.c.seq).where(records.c.dataset_arn == dataset, records.c.received_at > after)
    return _some(connection, _part(group_arn, "ITEMS", after), record)


def _part(group_arn: str, dataset_type: str, after: int) -> sa.Select[tuple[int]]:
    dataset = _dataset(group_arn, dataset_type)
    return sa.select(dataset_parts.c.seq).where(
        dataset_parts.c.dataset_arn == dataset, dataset_parts.c.created_at > after
    )


def _dataset(group_arn: str, dataset_type: str) -> str:
    return f"{group_arn.replace(':dataset-group/', ':dataset/')}/{dataset_type}"


def _some(connection: sa.Connection, *queries: sa.Select[tuple[int]]) -> bool:
    return any(connection.execute(query.limit(1)).first() is not None for query in queries)
