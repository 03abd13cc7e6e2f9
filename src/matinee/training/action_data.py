"""The actions of a dataset group and what users did about them, taken for one training."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa

from matinee.data.actions import Answer
from matinee.data.log import load_actions
from matinee.data.schemas import Schema, parse_schema, polars_schema
from matinee.storage.metadata import Database, dataset_parts, events, records, resources, session_links
from matinee.storage.objects import ObjectStore
from matinee.training.streamed_rows import by_column, frame_of

EVENT_COLUMNS = {"USER_ID": pl.String(), "ACTION_ID": pl.String(), "EVENT_TYPE": pl.String(), "TIMESTAMP": pl.Int64()}
_ANSWERS = tuple(answer.name for answer in Answer)


@dataclass(frozen=True)
class ActionData:
    """`actions` is the newest record of each action, by ID; `events` has the columns of `EVENT_COLUMNS`."""

    actions: pl.DataFrame
    events: pl.DataFrame
    schema: Schema | None
    users_schema: Schema | None


def take_action_data(database: Database, objects: ObjectStore, group_arn: str) -> ActionData:
    """Everything stored at this moment of a group's actions; events of sessions count if these are linked to a user."""
    with database.read() as connection:
        arns = _datasets(connection, group_arn)
        schemas = {kind: _schema(connection, arns.get(kind)) for kind in ("ACTIONS", "USERS")}
        keys = {kind: _part_keys(connection, arns.get(kind)) for kind in ("ACTIONS", "ACTION_INTERACTIONS")}
        put = _streamed_actions(connection, arns.get("ACTIONS"), schemas["ACTIONS"])
        streamed = _streamed_events(connection, group_arn)
    parts = {kind: [objects.local(key) for key in found] for kind, found in keys.items()}
    imported = [pl.read_parquet(part, columns=list(EVENT_COLUMNS)) for part in parts["ACTION_INTERACTIONS"]]
    return ActionData(
        actions=load_actions(parts["ACTIONS"], put),
        events=pl.concat([*imported, streamed], how="vertical_relaxed"),
        schema=schemas["ACTIONS"],
        users_schema=schemas["USERS"],
    )


def _datasets(connection: sa.Connection, group_arn: str) -> dict[str, str]:
    """Dataset type to ARN."""
    query = sa.select(resources.c.arn).where(resources.c.kind == "dataset", resources.c.parent == group_arn)
    return {arn.rpartition("/")[2]: arn for arn in connection.scalars(query)}


def _schema(connection: sa.Connection, dataset_arn: str | None) -> Schema | None:
    attributes = connection.scalar(sa.select(resources.c.attributes).where(resources.c.arn == dataset_arn))
    if attributes is None or "schemaArn" not in attributes:
        return None
    schema = connection.scalar(sa.select(resources.c.attributes).where(resources.c.arn == attributes["schemaArn"]))
    return None if schema is None else parse_schema(schema["schema"], schema.get("domain"))


def _part_keys(connection: sa.Connection, dataset_arn: str | None) -> list[str]:
    query = sa.select(dataset_parts.c.object_key).where(dataset_parts.c.dataset_arn == dataset_arn)
    return list(connection.scalars(query.order_by(dataset_parts.c.seq)))


def _streamed_actions(connection: sa.Connection, dataset_arn: str | None, schema: Schema | None) -> pl.DataFrame | None:
    if schema is None or schema.key is None:
        return None
    columns, key = polars_schema(schema), schema.key
    query = sa.select(records.c.entity_id, records.c.properties).where(records.c.dataset_arn == dataset_arn)
    rows = connection.execute(query.order_by(records.c.seq)).all()
    return frame_of(({**by_column(properties, columns), key: entity} for entity, properties in rows), columns)


def _streamed_events(connection: sa.Connection, group_arn: str) -> pl.DataFrame:
    """Action interactions of known users, in the order of arrival; the action's ID is among the event's details."""
    linked = sa.and_(session_links.c.group_arn == events.c.group_arn, session_links.c.session_id == events.c.session_id)
    user = sa.func.coalesce(events.c.user_id, session_links.c.user_id)
    query = (
        sa.select(user, events.c.details, events.c.event_type, events.c.sent_at)
        .select_from(events.outerjoin(session_links, linked))
        .where(events.c.group_arn == group_arn, events.c.event_type.in_(_ANSWERS), events.c.item_id.is_(None))
        .where(user.is_not(None))
        .order_by(events.c.seq)
    )
    rows = (
        dict(zip(EVENT_COLUMNS, (who, (details or {}).get("actionId"), kind, at), strict=True))
        for who, details, kind, at in connection.execute(query)
    )
    return frame_of(rows, EVENT_COLUMNS).filter(pl.col("ACTION_ID").is_not_null())
