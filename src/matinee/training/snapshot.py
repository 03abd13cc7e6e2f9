"""The data of one training, taken at one moment: imported parts, streamed events and records, as arrays and frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from matinee.data.interactions import InteractionLog, LongArray
from matinee.data.log import creation_timestamps, load_interactions, load_items, load_users
from matinee.data.schemas import Schema, parse_schema, polars_schema
from matinee.errors import StorageProblem
from matinee.storage.metadata import Database, dataset_parts, events, records, resources, session_links
from matinee.storage.objects import ObjectStore
from matinee.training.caps import Caps
from matinee.training.fingerprint import fingerprint
from matinee.training.inputs import InputColumns, occasion_columns, with_inputs
from matinee.training.selection import Selection, check_enough, check_event_types
from matinee.training.streamed_rows import EVENT_COLUMNS, by_column, event_details, frame_of

_ALL = Caps()
#: A part can be swapped away between listing and opening it; then everything is listed again.
_ATTEMPTS = 3


@dataclass(frozen=True)
class Snapshot:
    """What a training reads. `log` holds the selected events; `items` and `users` the newest record of each ID.

    `created` (n_items,) is each item's CREATION_TIMESTAMP, epoch seconds; `catalogue` counts the items of Interactions
    and Items together. `inputs` says how the contexts and attributes in `log` were read. `everything` holds the events
    of other types too, where `log` leaves some out: filters look at them.
    """

    log: InteractionLog
    items: pl.DataFrame
    users: pl.DataFrame
    created: LongArray
    catalogue: int
    selection: Selection
    items_schema: Schema | None = None
    everything: InteractionLog | None = None
    inputs: InputColumns = field(default_factory=InputColumns)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of events and records, in hexadecimal: equal data give equal fingerprints."""
        return fingerprint(self.log, self.items, self.users)

    def summary(self) -> dict[str, Any]:
        """Counts for the manifest."""
        data = self.log.interactions
        return {
            "interactions": len(data),
            "users": data.n_users,
            "items": data.n_items,
            "catalogue": self.catalogue,
            "oldest": int(data.timestamp.min()) if len(data) else None,
            "newest": int(data.timestamp.max()) if len(data) else None,
            "selection": self.selection.describe(),
            "columns": ["USER_ID", "ITEM_ID", "TIMESTAMP"],
            "sha256": self.fingerprint,
        }


@dataclass(frozen=True)
class _Source:
    """One dataset as it is stored: its schema, its parts and what was streamed to it."""

    schema: Schema | None
    parts: tuple[Path, ...]
    streamed: pl.DataFrame | None

    @property
    def columns(self) -> frozenset[str]:
        """The columns of the schema, and of the stream when anything was streamed."""
        streamed = () if self.streamed is None or self.streamed.is_empty() else self.streamed.columns
        return frozenset((*(self.schema.names if self.schema else ()), *streamed))

    def distinct(self, column: str) -> tuple[str, ...]:
        """The distinct values of a text column, nulls left out."""
        frames = [pl.scan_parquet(part) for part in self.parts]
        frames += [] if self.streamed is None else [self.streamed.lazy()]
        found = [
            frame.select(pl.col(column).cast(pl.String)) for frame in frames if column in frame.collect_schema().names()
        ]
        return tuple(pl.concat(found).unique().drop_nulls().collect()[column]) if found else ()


def take_snapshot(
    database: Database, objects: ObjectStore, group_arn: str, selection: Selection, caps: Caps = _ALL
) -> Snapshot:
    """Everything stored for a dataset group at this moment, the events selected by `selection`, as much as `caps` let.

    Events of anonymous sessions count only when the session was later linked to a user (spec 4.4, 9.2). Raises
    `JobFailed`, in the service's words, when the data cannot be trained on or are too few (spec 3.3, 3.4).
    """
    interactions, items, users = _sources(database, objects, group_arn)
    if interactions.schema is not None:
        check_event_types(interactions.distinct("EVENT_TYPE"), interactions.schema.names, most=caps.event_features)
    selection.check_columns(interactions.columns)
    log = load_interactions(
        interactions.parts,
        interactions.streamed,
        rules=selection.rules,
        columns=occasion_columns(interactions.schema),
    )
    check_enough(log.interactions, selection)
    log, item_records = caps.within(log, load_items(items.parts, items.streamed))
    wider = selection.with_other_types(interactions.distinct("EVENT_TYPE"))
    everything = None if wider is None else load_interactions(interactions.parts, interactions.streamed, rules=wider)
    user_records = load_users(users.parts, users.streamed)
    log, inputs = with_inputs(log, user_records, interactions.schema, users.schema)
    return Snapshot(
        log=log,
        items=item_records,
        users=user_records,
        created=creation_timestamps(log, item_records),
        catalogue=len(set(log.item_ids).union(item_records["ITEM_ID"])),
        selection=selection,
        items_schema=items.schema,
        inputs=inputs,
        everything=everything,
    )


def _sources(database: Database, objects: ObjectStore, group_arn: str) -> tuple[_Source, _Source, _Source]:
    """Interactions, Items and Users of a group, read in one transaction; the parts as files on this machine."""
    for attempt in range(1, _ATTEMPTS + 1):
        with database.read() as connection:
            schemas = _schemas(connection, group_arn)
            keys = {arn: _part_keys(connection, arn) for arn, _ in schemas.values()}
            streams = {
                kind: _streamed_events(connection, group_arn, schema)
                if kind == "INTERACTIONS"
                else _streamed_records(connection, arn, schema)
                for kind, (arn, schema) in schemas.items()
            }
        try:
            parts = {arn: tuple(objects.local(key) for key in found) for arn, found in keys.items()}
        except StorageProblem:
            if attempt == _ATTEMPTS:
                raise
            continue
        break
    found = {kind: _Source(schema, parts[arn], streams[kind]) for kind, (arn, schema) in schemas.items()}
    nothing = _Source(None, (), None)
    return found.get("INTERACTIONS", nothing), found.get("ITEMS", nothing), found.get("USERS", nothing)


def _schemas(connection: sa.Connection, group_arn: str) -> dict[str, tuple[str, Schema | None]]:
    """Dataset type to the dataset's ARN and schema; Interactions always, since events can be streamed without it."""
    found: dict[str, tuple[str, Schema | None]] = {"INTERACTIONS": (f"{group_arn}/INTERACTIONS", None)}
    query = sa.select(resources.c.arn, resources.c.attributes).where(
        resources.c.kind == "dataset", resources.c.parent == group_arn
    )
    for arn, attributes in connection.execute(query).all():
        kind = arn.rpartition("/")[2]
        if kind in ("INTERACTIONS", "ITEMS", "USERS"):
            schema = connection.scalar(
                sa.select(resources.c.attributes).where(resources.c.arn == attributes["schemaArn"])
            )
            found[kind] = (arn, parse_schema(schema["schema"], schema.get("domain")) if schema else None)
    return found


def _part_keys(connection: sa.Connection, dataset_arn: str) -> list[str]:
    query = sa.select(dataset_parts.c.object_key).where(dataset_parts.c.dataset_arn == dataset_arn)
    return list(connection.scalars(query.order_by(dataset_parts.c.seq)))


def _streamed_events(connection: sa.Connection, group_arn: str, schema: Schema | None) -> pl.DataFrame:
    """Events of known users as rows of Interactions, in the order of arrival; properties fill the schema's columns."""
    linked = sa.and_(session_links.c.group_arn == events.c.group_arn, session_links.c.session_id == events.c.session_id)
    user = sa.func.coalesce(events.c.user_id, session_links.c.user_id)
    query = (
        sa.select(
            user,
            events.c.item_id,
            events.c.sent_at,
            events.c.event_type,
            events.c.event_value,
            events.c.details,
        )
        .select_from(events.outerjoin(session_links, linked))
        .where(events.c.group_arn == group_arn, events.c.item_id.is_not(None), user.is_not(None))
        .order_by(events.c.seq)
    )
    columns = dict(EVENT_COLUMNS) | (polars_schema(schema) if schema else {})
    rows = (
        {
            **by_column((details or {}).get("properties") or {}, columns),
            **dict(zip(EVENT_COLUMNS, values, strict=True)),
            **event_details(details or {}),
        }
        for *values, details in connection.execute(query)
    )
    return frame_of(rows, columns)


def _streamed_records(connection: sa.Connection, dataset_arn: str, schema: Schema | None) -> pl.DataFrame | None:
    """Items or users put one by one, in the order of arrival; None without a schema to read them by."""
    if schema is None or schema.key is None:
        return None
    query = sa.select(records.c.entity_id, records.c.properties).where(records.c.dataset_arn == dataset_arn)
    columns = polars_schema(schema)
    key = schema.key
    rows = (
        {**by_column(properties, columns), key: entity}
        for entity, properties in connection.execute(query.order_by(records.c.seq))
    )
    return frame_of(rows, columns)
