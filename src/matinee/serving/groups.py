"""A dataset group's datasets and their schemas, for filters, metadata and context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from matinee.control import records
from matinee.data.schemas import Schema
from matinee.serving.freshness import FreshCache, View
from matinee.serving.streamed_records import schema_of
from matinee.storage.metadata import resources


@dataclass(frozen=True, eq=False)
class GroupDataset:
    """One dataset: its ARN, its schema, and what tells it from an earlier one of the same ARN."""

    arn: str
    schema: Schema
    created: tuple[int, int]


@dataclass(frozen=True)
class Group:
    """The datasets of a group by type. `version` changes with any of them and with `erasures`.

    `erasures` tells one set of deletions of users, begun or ended, from the next.
    """

    datasets: Mapping[str, GroupDataset]
    version: tuple[tuple[int, int], ...]
    erasures: tuple[tuple[int, int], ...] = ()

    @property
    def schemas(self) -> Mapping[str, Schema]:
        """Dataset type to schema."""
        return {kind: dataset.schema for kind, dataset in self.datasets.items()}


class Groups:
    """Dataset groups by ARN."""

    def __init__(self) -> None:
        self._cache: FreshCache[str, Group] = FreshCache(_load, 1024)

    def get(self, view: View, arn: str) -> Group:
        """The group's datasets as of `view`."""
        return self._cache.get(view, arn)


def _load(view: View, arn: str, previous: Group | None) -> Group:
    found = view.connection.execute(
        sa.select(resources.c.kind, resources.c.seq, resources.c.updated_at)
        .where(resources.c.parent == arn, resources.c.kind.in_(("dataset", "data-deletion-job")))
        .order_by(resources.c.seq)
    ).all()
    version = tuple((seq, updated_at) for _, seq, updated_at in found)
    if previous is not None and previous.version == version:
        return previous
    return Group(
        datasets={
            row["datasetType"]: GroupDataset(
                arn=row.arn,
                schema=schema_of(view.connection, row["schemaArn"]),
                created=(row.seq, row.created_at),
            )
            for row in records.children(view.connection, arn, "dataset")
            if row.attributes.get("schemaArn")
        },
        version=version,
        erasures=tuple((seq, updated_at) for kind, seq, updated_at in found if kind == "data-deletion-job"),
    )
