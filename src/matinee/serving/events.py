"""PutEvents and PutActionInteractions: from a request to rows of the `events` table. Spec sections 9.1 and 9.5."""

from __future__ import annotations

import json
import math
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from matinee.errors import InvalidInput

#: Names that `properties` may not use, whatever their case: they are members of the event or of the request.
RESERVED = frozenset({"userid", "sessionid", "eventtype", "timestamp", "recommendationid", "impression"})
ACTION_EVENT_TYPES = frozenset({"TAKEN", "NOT_TAKEN", "VIEWED"})
LARGEST_EVENT = 10 * 1024
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
#: Event IDs that the server makes live in this name space: the same content gives the same ID, so that an event sent
#: again after a lost answer counts once.
EVENT_IDS = uuid.UUID("6d61746e-6e65-4576-8e74-000000000001")

Row = dict[str, Any]


@dataclass(frozen=True)
class EventBatch:
    """What one call adds to the log. The group is found from `tracking_id` when the batch is written.

    `tracked` is the kind of resource that owns the tracking ID. `link` is the session and the user that the call joins.
    """

    account: str
    region: str
    tracking_id: str
    tracked: str
    rows: tuple[Row, ...]
    links: tuple[tuple[str, str], ...]


def events_of(account: str, region: str, params: Mapping[str, Any]) -> EventBatch:
    """The rows of a PutEvents call. Raises `InvalidInput` naming the event and the member that cannot be used.

    Events of a session called `null` are dropped, as the service does: it is what a client sends by mistake.
    """
    user, session = params.get("userId") or None, params["sessionId"]
    received = time.time_ns() // 1_000_000
    rows = [
        _event(event, f"eventList[{number}]", user=user, session=session, received=received)
        for number, event in enumerate(params["eventList"])
    ]
    if user is not None:
        storable(user, "userId")
    storable(session, "sessionId")
    dropped = session == "null"
    return EventBatch(
        account=account,
        region=region,
        tracking_id=params["trackingId"],
        tracked="event-tracker",
        rows=() if dropped else tuple(rows),
        links=() if dropped or user is None else ((session, user),),
    )


def action_interactions_of(account: str, region: str, params: Mapping[str, Any]) -> EventBatch:
    """The rows of a PutActionInteractions call: like events, with the action's ID in `details`."""
    received = time.time_ns() // 1_000_000
    rows, links = [], []
    for number, given in enumerate(params["actionInteractions"]):
        place = f"actionInteractions[{number}]"
        kind = str(given["eventType"]).upper().replace(" ", "_")
        if kind not in ACTION_EVENT_TYPES:
            raise InvalidInput(f"{place}.eventType must be TAKEN, NOT_TAKEN or VIEWED, not {given['eventType']!r}.")
        user, session = given.get("userId") or None, storable(given["sessionId"], f"{place}.sessionId")
        if session == "null":
            continue
        event = {name: value for name, value in given.items() if name not in {"userId", "sessionId", "timestamp"}}
        event |= {"eventType": kind, "sentAt": given["timestamp"]}
        rows.append(_event(event, place, user=user, session=session, received=received))
        if user is not None:
            links.append((session, storable(user, f"{place}.userId")))
    return EventBatch(
        account=account,
        region=region,
        tracking_id=params["trackingId"],
        tracked="dataset",
        rows=tuple(rows),
        links=tuple(links),
    )


def _event(event: Mapping[str, Any], place: str, *, user: str | None, session: str, received: int) -> Row:
    """One row; `place` names the event in errors."""
    properties = properties_of(event, place)
    reserved = sorted(name for name in properties if name.lower() in RESERVED)
    if reserved:
        raise InvalidInput(f"{place}.properties must not use the reserved key {reserved[0]!r}.")
    # Clients of the first years put these into the properties; at the top level they win.
    in_properties = {name: properties.pop(name) for name in ("itemId", "eventValue") if name in properties}
    item = event.get("itemId") or in_properties.get("itemId") or None
    if type(item) is int:  # JSON written by hand
        item = str(item)
    value = event.get("eventValue", in_properties.get("eventValue"))
    sent_at = seconds(event["sentAt"], f"{place}.sentAt")
    details = {
        "properties": properties,
        "impression": event.get("impression"),
        "recommendationId": event.get("recommendationId"),
        "eventAttributionSource": event.get("metricAttribution", {}).get("eventAttributionSource"),
        "actionId": event.get("actionId"),
    }
    row: Row = {
        "user_id": user,
        "session_id": session,
        "event_type": storable(event["eventType"], f"{place}.eventType"),
        "item_id": None if item is None else storable(item, f"{place}.itemId"),
        "event_value": None if value is None else number(value, f"{place}.eventValue"),
        "sent_at": int(sent_at),
        "details": {name: given for name, given in details.items() if given} or None,
    }
    content = json.dumps([row, sent_at], sort_keys=True, separators=(",", ":"))
    if len(content) > LARGEST_EVENT:
        raise InvalidInput(f"{place} is larger than 10 KB; send fewer or shorter properties.")
    event_id = event.get("eventId")
    row["event_id"] = (
        str(uuid.uuid5(EVENT_IDS, content)) if event_id is None else storable(event_id, f"{place}.eventId")
    )
    row["received_at"] = received
    return row


def properties_of(element: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The `properties` of a streamed element as a new dict; a JSON string is parsed."""
    properties = element.get("properties")
    if isinstance(properties, str):
        try:
            properties = json.loads(properties)
        except ValueError:
            raise InvalidInput(f"Error parsing properties json: {place}.properties is not valid JSON.") from None
    if properties is None:
        return {}
    if not isinstance(properties, Mapping):
        raise InvalidInput(f"Error parsing properties json: {place}.properties must be a JSON object.")
    return dict(properties)


def storable(text: Any, place: str) -> str:
    """`text` when every database can hold it: a string without NUL and without halves of surrogate pairs."""
    if not isinstance(text, str):
        raise InvalidInput(f"{place} must be a string, not {text!r}.")
    if UNSTORABLE.search(text):
        raise InvalidInput(f"{place} holds a character that cannot be stored (NUL or half a surrogate pair).")
    if len(text) > 256:
        raise InvalidInput(f"{place} must not be longer than 256 characters.")
    return text


def number(value: Any, place: str) -> float:
    """`value` as a finite float; numbers written as strings are accepted."""
    try:
        result = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError):
        result = math.nan
    if not math.isfinite(result):
        raise InvalidInput(f"{place} must be a number, not {value!r}.")
    return result


def seconds(value: Any, place: str) -> float:
    """A time on the wire in epoch seconds. Milliseconds pass, as they do in the service: far in the future."""
    return value.timestamp() if isinstance(value, datetime) else number(value, place)
