"""What is delivered: a CloudEvents 1.0 event in its JSON format, with the extensions `partitionkey` and `sequence`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

TYPE = "matinee.recommendations.v1"
MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"


@dataclass(frozen=True)
class Message:
    """One event on its way: `id` is the same at every attempt, `lane` is the user whose events stay in order."""

    id: str
    lane: str
    source: str
    body: bytes


def message(
    *, event_id: str, sequence: int, lane: str, source: str, event: Mapping[str, Any], data: Mapping[str, Any]
) -> Message:
    """The message for one event of a user. `source` is the ARN of what recommends; `event` as the client sent it.

    `sequence` grows with the events of a user; as text it has 20 digits, so that it sorts as its number does.
    """
    envelope = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": TYPE,
        "subject": lane,
        "time": datetime.fromtimestamp(event["receivedAt"] / 1000, UTC).isoformat(timespec="milliseconds"),
        "datacontenttype": "application/json",
        "partitionkey": lane,
        "sequence": f"{sequence:020d}",
        "data": data,
    }
    body = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()
    return Message(event_id, lane, source, body)
