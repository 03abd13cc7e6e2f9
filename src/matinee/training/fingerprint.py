"""A fingerprint of the data of a training: equal when everything that a model may learn from is equal."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data.interactions import InteractionLog

_ROWS_AT_ONCE = 50_000


def fingerprint(log: InteractionLog, items: pl.DataFrame, users: pl.DataFrame) -> str:
    """SHA-256, in hexadecimal, of the events with all that is known of them and of the records of items and users.

    The order of columns does not count, nor do columns without any value.
    """
    data, digest = log.interactions, hashlib.sha256()
    context = data.context
    parts: dict[str, NDArray[Any] | None] = {
        "user": data.user,
        "item": data.item,
        "timestamp": data.timestamp,
        "event_type": data.event_type,
        "value": data.value,
        "weight": data.weight,
        "attributes": data.attributes,
        "context.rows": None if context is None else context.indptr.astype(np.int64),
        "context.columns": None if context is None else context.indices.astype(np.int64),
        "context.values": None if context is None else context.data,
    }
    for name, array in parts.items():
        if array is not None:
            digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    for name, ids in (("users", log.user_ids), ("items", log.item_ids), ("types", log.event_types)):
        digest.update(f"{name} {json.dumps(ids)}\n".encode())
    for name, frame, key in (("ITEMS", items, "ITEM_ID"), ("USERS", users, "USER_ID")):
        told = sorted(column for column in frame.columns if frame[column].null_count() < frame.height)
        digest.update(f"{name} {json.dumps(told)}\n".encode())
        ordered = frame.select(told).sort(key) if key in told else frame.select(told)
        for rows in ordered.iter_slices(_ROWS_AT_ONCE):
            digest.update(rows.write_json().encode())
    return digest.hexdigest()
