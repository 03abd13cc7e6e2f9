"""A small film shop for the serving tests: real database, real objects, real models, resources written as rows."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import sqlalchemy as sa

from matinee.control import records
from matinee.control.context import Caller
from matinee.control.records import Resource
from matinee.data.interactions import InteractionLog, Interactions
from matinee.data.schemas import parse_schema, polars_schema
from matinee.models.base import Model
from matinee.serving.intake import Intake
from matinee.serving.quick_answers import EncodedCall
from matinee.serving.runtime import Runtime
from matinee.settings import Settings
from matinee.storage.local_disk import LocalDisk
from matinee.storage.metadata import Database, dataset_parts, events, tables
from matinee.training.artifact import write_artifact

CALLER = Caller(account="123456789012", region="us-east-1")
STRANGER = Caller(account="999999999999", region="us-east-1")
GROUP = CALLER.arn("dataset-group/films")

INTERACTIONS: list[dict[str, Any]] = [
    {"name": "USER_ID", "type": "string"},
    {"name": "ITEM_ID", "type": "string"},
    {"name": "TIMESTAMP", "type": "long"},
    {"name": "EVENT_TYPE", "type": "string"},
    {"name": "DEVICE", "type": ["string", "null"], "categorical": True},
]
ITEMS: list[dict[str, Any]] = [
    {"name": "ITEM_ID", "type": "string"},
    {"name": "TITLE", "type": ["string", "null"]},
    {"name": "GENRES", "type": ["string", "null"], "categorical": True},
    {"name": "PRICE", "type": ["float", "null"]},
    {"name": "RELEASE_YEAR", "type": ["int", "null"]},
    {"name": "ON_DISC", "type": ["boolean", "null"]},
]
USERS: list[dict[str, Any]] = [
    {"name": "USER_ID", "type": "string"},
    {"name": "AGE", "type": ["int", "null"]},
    {"name": "MEMBERSHIP_STATUS", "type": ["string", "null"], "categorical": True},
]
_FIELDS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "INTERACTIONS": ("Interactions", INTERACTIONS),
    "ITEMS": ("Items", ITEMS),
    "USERS": ("Users", USERS),
}

Event = tuple[str, str, int, str]


def log_of(rows: Sequence[Event], extra_items: Sequence[str] = ()) -> InteractionLog:
    """The log of (user, item, time, type) rows; `extra_items` have no event."""
    users = sorted({row[0] for row in rows})
    items = sorted({row[1] for row in rows} | set(extra_items))
    types = list(dict.fromkeys(row[3] for row in rows))
    return InteractionLog(
        interactions=Interactions.of(
            np.array([users.index(row[0]) for row in rows], dtype=np.int32),
            np.array([items.index(row[1]) for row in rows], dtype=np.int32),
            np.array([row[2] for row in rows], dtype=np.int64),
            n_users=len(users),
            n_items=len(items),
            event_type=np.array([types.index(row[3]) for row in rows], dtype=np.int16),
        ),
        user_ids=tuple(users),
        item_ids=tuple(items),
        event_types=tuple(types),
    )


def computed(runtime: Runtime, params: Mapping[str, Any], body: bytes) -> bytes:
    """The body of the answer to one call; raises what it raises."""
    (answer,) = runtime.compute([EncodedCall(CALLER, params, body)])
    if isinstance(answer, Exception):
        raise answer
    return answer


class Shop:
    """One dataset group of one account with a tracker and three datasets."""

    def __init__(self, folder: Path, database_url: str | None = None) -> None:
        self.folder = folder
        self.settings = Settings(home=folder, database_url=database_url)
        self.database = Database(self.settings.effective_database_url)
        tables.create_all(self.database.engine)
        self.objects = LocalDisk(folder / "objects")
        self.intake = Intake(self.database, self.settings)
        self.runtime = Runtime(self.database, self.objects, self.settings, random=np.random.default_rng(7))
        self.tracking_id = str(uuid.uuid4())
        self.add("dataset-group", "films", {})
        self.add("event-tracker", "events", {"trackingId": self.tracking_id, "datasetGroupArn": GROUP}, parent=GROUP)
        for kind, (record, fields) in _FIELDS.items():
            self.dataset(kind, record, fields)

    def close(self) -> None:
        """End threads and connections."""
        self.intake.close()
        self.runtime.close()
        self.database.close()

    def add(
        self,
        kind: str,
        name: str,
        attributes: Mapping[str, Any],
        *,
        parent: str | None = None,
        status: str = "ACTIVE",
        private: Mapping[str, Any] | None = None,
        caller: Caller = CALLER,
    ) -> str:
        """Write a resource; returns its ARN."""
        arn = caller.arn(f"{kind}/{name}")
        with self.database.transaction() as connection:
            made = records.insert(
                connection,
                arn=arn,
                account=caller.account,
                region=caller.region,
                kind="solution-version" if kind == "solution" else kind,
                name=name,
                parent=parent,
                status=status,
                attributes=attributes,
            )
            if private:
                records.change(connection, made, private=dict(private))
        return arn

    def change(self, arn: str, **columns: Any) -> Resource:
        """Change columns of a resource, as another process would."""
        with self.database.transaction() as connection:
            found = records.find(connection, arn)
            assert found is not None
            return records.change(connection, found, **columns)

    def dataset(self, kind: str, record: str, fields: Sequence[Mapping[str, Any]]) -> str:
        """Add a dataset and its schema."""
        text = json.dumps({"type": "record", "name": record, "fields": fields, "version": "1.0"})
        schema = self.add("schema", kind.lower(), {"schema": text})
        attributes = {"datasetGroupArn": GROUP, "datasetType": kind, "schemaArn": schema}
        return self.add("dataset", f"films/{kind}", attributes, parent=GROUP)

    def import_rows(self, kind: str, rows: Sequence[Mapping[str, Any]], *, at: int = 1) -> None:
        """Commit a Parquet part of a dataset, stored at epoch millisecond `at`."""
        record, fields = _FIELDS[kind]
        types = polars_schema(parse_schema(json.dumps({"type": "record", "name": record, "fields": fields})))
        frame = pl.DataFrame({name: [row.get(name) for row in rows] for name in types}, schema=types)
        key = f"datasets/{kind}/{uuid.uuid4().hex}.parquet"
        path = self.folder / "part.parquet"
        frame.write_parquet(path)
        self.objects.put_file(key, path)
        with self.database.transaction() as connection:
            connection.execute(
                sa.insert(dataset_parts).values(
                    dataset_arn=CALLER.arn(f"dataset/films/{kind}"),
                    job_arn="job",
                    object_key=key,
                    rows=len(frame),
                    bytes=path.stat().st_size,
                    created_at=at,
                )
            )

    def version(self, name: str, recipe: str, model: Model, log: InteractionLog) -> str:
        """Train `model` on `log` as a solution version; returns its ARN."""
        prefix = f"artifacts/{name}"
        folder = self.objects.root / prefix
        write_artifact(folder, model=model.fit(log.interactions), log=log, manifest={"recipe": recipe, "data": {}})
        attributes = {"datasetGroupArn": GROUP, "recipeArn": f"arn:aws:personalize:::recipe/{recipe}"}
        return self.add("solution", name, attributes, parent=CALLER.arn("solution/s"), private={"artifact": prefix})

    def campaign(self, name: str, recipe: str, model: Model, log: InteractionLog, **config: Any) -> str:
        """Train and deploy; returns the campaign's ARN."""
        version = self.version(f"{name}/0000000a", recipe, model, log)
        return self.add("campaign", name, {"solutionVersionArn": version, "campaignConfig": config})

    def recommender(self, name: str, recipe: str, model: Model, log: InteractionLog, **config: Any) -> str:
        """Train and deploy a use case; returns the recommender's ARN."""
        prefix = f"recommenders/{name}"
        write_artifact(
            self.objects.root / prefix, model=model.fit(log.interactions), log=log, manifest={"recipe": recipe}
        )
        attributes = {
            "datasetGroupArn": GROUP,
            "recipeArn": f"arn:aws:personalize:::recipe/{recipe}",
            "recommenderConfig": config,
        }
        return self.add("recommender", name, attributes, parent=GROUP, private={"artifact": prefix})

    def filter(self, name: str, expression: str, *, status: str = "ACTIVE", group: str = GROUP) -> str:
        """Write a filter; returns its ARN."""
        attributes = {"datasetGroupArn": group, "filterExpression": expression}
        return self.add("filter", name, attributes, parent=group, status=status)

    def put(self, operation: str, caller: Caller = CALLER, **params: Any) -> dict[str, Any]:
        """Call an operation of the events API and wait for its answer."""
        handler = self.intake.operations()[operation]

        async def call() -> dict[str, Any]:
            return await handler(caller, params)

        return asyncio.run(call())

    def put_event(self, user: str | None, item: str, kind: str = "watch", *, at: float = 10_000, **more: Any) -> None:
        """Stream one event of `user`; `session` names its session."""
        session = more.pop("session", "s1")
        event = {"eventType": kind, "sentAt": at, "itemId": item, **more}
        self.put("PutEvents", trackingId=self.tracking_id, sessionId=session, eventList=[event], userId=user or "")

    def get(self, operation: str, caller: Caller = CALLER, **params: Any) -> dict[str, Any]:
        """Call an operation of the runtime API."""
        return self.runtime.operations()[operation](caller, params)

    def recommend(self, arn: str, **params: Any) -> list[str]:
        """IDs of recommended items, best first."""
        member = "recommenderArn" if ":recommender/" in arn else "campaignArn"
        answer = self.runtime.get_recommendations(CALLER, {member: arn, **params})
        return [element["itemId"] for element in answer["itemList"]]

    def stored_events(self) -> list[dict[str, Any]]:
        """All rows of the event log, in the order of arrival."""
        with self.database.read() as connection:
            return [dict(row._mapping) for row in connection.execute(sa.select(events).order_by(events.c.seq))]
