"""IDs of answers: random, yet the campaign or recommender that answered can be told from them without any log."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterable
from functools import lru_cache

_PREFIX = "RID-"
_TAG_BYTES = 6


def new_id(arn: str) -> str:
    """`RID-` and a UUID of version 8 (RFC 9562, 5.8): 74 random bits, and in its last 48 a digest of `arn`."""
    raw = bytearray(os.urandom(16 - _TAG_BYTES) + _tag(arn))
    raw[6] = raw[6] & 0x0F | 0x80  # the version
    raw[8] = raw[8] & 0x3F | 0x80  # the variant
    text = raw.hex()
    return f"{_PREFIX}{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def answered_by(recommendation_id: str, arns: Iterable[str]) -> str | None:
    """Which of `arns` gave an answer with this ID; None for none of them, and for what is no such ID."""
    try:
        found = uuid.UUID(recommendation_id.removeprefix(_PREFIX))
    except ValueError:
        return None
    return next((arn for arn in arns if _tag(arn) == found.bytes[-_TAG_BYTES:]), None)


@lru_cache(1024)
def _tag(arn: str) -> bytes:
    return hashlib.sha256(arn.encode()).digest()[:_TAG_BYTES]
