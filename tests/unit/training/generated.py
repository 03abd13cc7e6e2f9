"""A small generated log with two tastes, and what stores it as the service would."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import sqlalchemy as sa

from matinee.data.interactions import InteractionLog, Interactions
from matinee.storage.local_disk import LocalDisk
from matinee.storage.metadata import Database, dataset_parts, events, records, resources, session_links

GROUP = "arn:aws:personalize:us-east-1:123456789012:dataset-group/films"
START = 1_700_000_000


def generated_log(n_users: int = 60, n_items: int = 80, per_user: int = 25, seed: int = 0) -> InteractionLog:
    """Users of two tastes: even ones meet items of the lower half, odd ones of the upper, popular items more often."""
    random = np.random.default_rng(seed)
    half = n_items // 2
    weights = 1.0 / np.arange(1, half + 1)
    weights /= weights.sum()
    met = [random.choice(half, size=per_user, replace=False, p=weights) + half * (user % 2) for user in range(n_users)]
    user = np.repeat(np.arange(n_users), per_user).astype(np.int32)
    return InteractionLog(
        interactions=Interactions.of(
            user,
            np.concatenate(met).astype(np.int32),
            START + np.tile(np.arange(per_user), n_users) * 3600 + user.astype(np.int64),
            n_users=n_users,
            n_items=n_items,
            event_type=np.zeros(len(user), np.int16),
        ),
        user_ids=tuple(f"u{number}" for number in range(n_users)),
        item_ids=tuple(f"film-{number}" for number in range(n_items)),
        event_types=("watch",),
    )


def rows_of(log: InteractionLog, event_type: str = "watch", value: float = 4.0) -> pl.DataFrame:
    """The log as rows of an Interactions dataset."""
    data = log.interactions
    return pl.DataFrame(
        {
            "USER_ID": [log.user_ids[user] for user in data.user],
            "ITEM_ID": [log.item_ids[item] for item in data.item],
            "TIMESTAMP": data.timestamp,
            "EVENT_TYPE": [event_type] * len(data),
            "EVENT_VALUE": [value] * len(data),
        }
    )


def _schema(name: str, fields: Mapping[str, Any]) -> str:
    listed = [{"name": field, **(kind if isinstance(kind, dict) else {"type": kind})} for field, kind in fields.items()]
    return json.dumps({"type": "record", "name": name, "fields": listed, "version": "1.0"})


SCHEMAS = {
    "INTERACTIONS": _schema(
        "Interactions",
        {
            "USER_ID": "string",
            "ITEM_ID": "string",
            "TIMESTAMP": "long",
            "EVENT_TYPE": "string",
            "EVENT_VALUE": {"type": ["float", "null"]},
        },
    ),
    "ITEMS": _schema(
        "Items",
        {
            "ITEM_ID": "string",
            "GENRES": {"type": ["string", "null"], "categorical": True},
            "CREATION_TIMESTAMP": {"type": ["long", "null"]},
        },
    ),
    "ACTIONS": _schema("Actions", {"ACTION_ID": "string", "VALUE": {"type": ["long", "null"]}}),
    "ACTION_INTERACTIONS": _schema(
        "ActionInteractions",
        {"USER_ID": "string", "ACTION_ID": "string", "EVENT_TYPE": "string", "TIMESTAMP": "long"},
    ),
    "BARE": _schema("Interactions", {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long"}),
}


class Stored:
    """A dataset group in a real database and a real store, filled through the tables that the service fills."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(f"sqlite:///{folder / 'matinee.db'}")
        self.database.upgrade()
        self.objects = LocalDisk(folder / "objects")
        self._folder = folder
        self._parts = 0

    def dataset(self, kind: str, schema: str | None = None) -> str:
        """Add a dataset with its schema; returns the ARN."""
        arn = f"{GROUP.replace('dataset-group', 'dataset')}/{kind}"
        schema_arn = f"arn:aws:personalize:us-east-1:123456789012:schema/{kind}"
        self._resource(schema_arn, "schema", None, {"schema": SCHEMAS[schema or kind]})
        self._resource(arn, "dataset", GROUP, {"datasetType": kind, "schemaArn": schema_arn})
        return arn

    def part(self, dataset_arn: str, rows: pl.DataFrame) -> None:
        """Commit one imported part."""
        self._parts += 1
        key, file = f"datasets/part-{self._parts}.parquet", self._folder / "part.parquet"
        rows.write_parquet(file)
        self.objects.put_file(key, file)
        with self.database.transaction() as connection:
            connection.execute(
                sa.insert(dataset_parts).values(
                    dataset_arn=dataset_arn, job_arn="job", object_key=key, rows=len(rows), bytes=1, created_at=1
                )
            )

    def event(self, user: str | None, item: str | None, session: str = "s", **members: Any) -> None:
        """Stream one event."""
        self._stream([{"user_id": user, "item_id": item, "session_id": session, **members}])

    def stream(self, rows: pl.DataFrame) -> None:
        """Stream rows of Interactions, one after the other."""
        self._stream(
            [
                {"user_id": row["USER_ID"], "item_id": row["ITEM_ID"], "session_id": "s", "sent_at": row["TIMESTAMP"]}
                for row in rows.iter_rows(named=True)
            ]
        )

    def _stream(self, given: Sequence[Mapping[str, Any]]) -> None:
        fixed = {"group_arn": GROUP, "event_type": "watch", "sent_at": START, "received_at": 1}
        with self.database.transaction() as connection:
            number = connection.scalar(sa.select(sa.func.count()).select_from(events)) or 0
            rows = [{"event_id": f"e{number + offset}", **fixed, **row} for offset, row in enumerate(given)]
            connection.execute(sa.insert(events), rows)

    def link(self, session: str, user: str) -> None:
        """Say who a session turned out to be."""
        with self.database.transaction() as connection:
            connection.execute(sa.insert(session_links).values(group_arn=GROUP, session_id=session, user_id=user))

    def record(self, dataset_arn: str, entity: str, properties: Mapping[str, Any]) -> None:
        """Stream one item or user."""
        with self.database.transaction() as connection:
            connection.execute(
                sa.insert(records).values(
                    dataset_arn=dataset_arn, entity_id=entity, properties=dict(properties), received_at=1
                )
            )

    def _resource(self, arn: str, kind: str, parent: str | None, attributes: Mapping[str, Any]) -> None:
        row = {
            "arn": arn,
            "account": "123456789012",
            "region": "us-east-1",
            "kind": kind,
            "name": arn.rpartition("/")[2],
            "parent": parent,
            "status": "ACTIVE",
            "created_at": 1,
            "updated_at": 1,
            "attributes": dict(attributes),
            "private": {},
        }
        with self.database.transaction() as connection:
            connection.execute(sa.insert(resources).values(row))


def event_types(log: InteractionLog) -> Sequence[str]:
    """The event type of every event of a log."""
    assert log.interactions.event_type is not None
    return [log.event_types[number] for number in log.interactions.event_type]
