"""The events API: what is streamed is checked, committed together with its neighbours, and only then acknowledged."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from matinee.control.context import Caller
from matinee.delivery.matching import Arrived, Watch
from matinee.errors import ApiError, InvalidInput
from matinee.serving.events import EventBatch, Row, action_interactions_of, events_of
from matinee.serving.group_commit import GroupCommit
from matinee.serving.streamed_records import RecordBatch, record_rows, records_of
from matinee.settings import Settings
from matinee.storage.metadata import Database, events, records, resources, session_links

Handler = Callable[[Caller, Mapping[str, Any]], Awaitable[dict[str, Any]]]

#: A tracker takes events from the moment its ID is known (spec 1.8), until it is being deleted.
CLOSED = ("DELETE PENDING", "DELETE IN_PROGRESS")
#: Keys of the advisory locks that writers take on PostgreSQL; any numbers that nothing else uses.
RECORDS_LOCK = 0x6D617472
EVENTS_LOCK = 0x6D617465


class Intake:
    """The five operations of the events API. Every one answers `{}` once what it was given is on disk."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.settings = settings
        self._dialect = sqlite if database.is_sqlite else postgresql
        self._events = GroupCommit(database, self.write_events)
        self._records = GroupCommit(database, self._write_records)

    def operations(self) -> Mapping[str, Handler]:
        """Operation name to handler."""
        return {
            "PutEvents": self.put_events,
            "PutActionInteractions": self.put_action_interactions,
            "PutItems": self.put_items,
            "PutUsers": self.put_users,
            "PutActions": self.put_actions,
        }

    def close(self) -> None:
        """End the writers' threads after what they are writing."""
        self._events.close()
        self._records.close()

    async def put_events(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        """Record what a user did. Raises `InvalidInput`, also for an unknown tracking ID."""
        await self._events.submit(events_of(caller.account, caller.region, params))
        return {}

    async def put_action_interactions(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        """Record which actions users took, saw or refused."""
        await self._events.submit(action_interactions_of(caller.account, caller.region, params))
        return {}

    async def put_items(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        """Add or wholly replace items."""
        await self._records.submit(records_of(caller.account, caller.region, params, "ITEMS", "items", "itemId"))
        return {}

    async def put_users(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        """Add or wholly replace users."""
        await self._records.submit(records_of(caller.account, caller.region, params, "USERS", "users", "userId"))
        return {}

    async def put_actions(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        """Add or wholly replace actions."""
        await self._records.submit(records_of(caller.account, caller.region, params, "ACTIONS", "actions", "actionId"))
        return {}

    def write_events(self, connection: sa.Connection, batches: Sequence[EventBatch]) -> list[ApiError | None]:
        """Append the events of all batches and join sessions with users; repeats of an event ID are ignored.

        Says for each batch why it was refused, None where it was not.
        """
        groups = {
            place: _groups_by_tracking_id(connection, *place)
            for place in {(batch.account, batch.region, batch.tracked) for batch in batches}
        }
        arrived: list[Arrived] = []
        links: dict[tuple[str, str], str] = {}
        refusals: list[ApiError | None] = []
        for batch in batches:
            group = groups[batch.account, batch.region, batch.tracked].get(batch.tracking_id)
            if group is None:
                refusals.append(InvalidInput(f"The trackingId {batch.tracking_id} does not exist in {batch.region}."))
                continue
            refusals.append(None)
            arrived += [Arrived(group, batch.tracking_id, {**row, "group_arn": group}) for row in batch.rows]
            for session, user in batch.links:
                links.setdefault((group, session), user)
        touched = {one.group_arn for one in arrived} | {group for group, _ in links}
        _take_turns(connection, touched)
        watch = Watch(connection, touched)
        new = self._append(connection, arrived, telling=bool(watch.groups))
        if links:
            joined = [
                {"group_arn": group, "session_id": session, "user_id": user} for (group, session), user in links.items()
            ]
            connection.execute(self._dialect.insert(session_links).on_conflict_do_nothing(), joined)
            watch.joined(links)
        watch.stored(arrived, new)
        return refusals

    def _append(self, connection: sa.Connection, arrived: Sequence[Arrived], *, telling: bool) -> set[tuple[str, str]]:
        """Insert events; when `telling`, which costs, returns those that were new, as (group, event ID)."""
        insert = self._dialect.insert(events).on_conflict_do_nothing()
        rows = [one.row for one in arrived]
        if not rows:
            return set()
        if not telling:
            connection.execute(insert, rows)
            return set()
        new = connection.execute(insert.returning(events.c.group_arn, events.c.event_id), rows)
        return {(group, event_id) for group, event_id in new}

    def _write_records(self, connection: sa.Connection, batches: Sequence[RecordBatch]) -> list[ApiError | None]:
        """Append the records of all batches; readers take the latest of each ID."""
        rows: list[Row] = []
        refusals: list[ApiError | None] = []
        for batch in batches:
            try:
                rows.extend(record_rows(connection, batch))
                refusals.append(None)
            except ApiError as refusal:
                refusals.append(refusal)
        if rows:
            if connection.dialect.name == "postgresql":
                # Readers ask for what came after the number they know, so numbers must be committed in their order.
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(RECORDS_LOCK)))
            connection.execute(sa.insert(records), rows)
        return refusals


def _take_turns(connection: sa.Connection, groups: Collection[str]) -> None:
    """Wait until nobody else writes events of these groups, and keep others waiting until the transaction ends.

    Readers go on after the number that they know, so on PostgreSQL, where a number is given before the commit, a
    group's numbers must be committed in their order. Taken in one order, so that no two writers wait for each other.
    """
    if connection.dialect.name == "postgresql":
        for key in sorted({zlib.crc32(group.encode()) - 2**31 for group in groups}):
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(EVENTS_LOCK, key)))


def _groups_by_tracking_id(connection: sa.Connection, account: str, region: str, kind: str) -> dict[str, str]:
    """Tracking ID to dataset group's ARN, for the trackers that one account has in one region."""
    query = sa.select(resources.c.attributes).where(
        resources.c.account == account,
        resources.c.region == region,
        resources.c.kind == kind,
        resources.c.status.not_in(CLOSED),
    )
    return {
        attributes["trackingId"]: attributes["datasetGroupArn"]
        for attributes in connection.scalars(query)
        if attributes.get("trackingId")
    }
