"""Which arm a user is in: a stable hash of salt and user ID, so that no assignment needs to be stored."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

#: Shares are counted in so many parts of the whole.
PARTS = 2**64


def position(salt: str, user_id: str) -> float:
    """A user's place in [0, 1): the first 64 bits of SHA-256 over salt and ID, the same in every process for ever.

    Another salt gives independent places, so that experiments do not share their groups.
    """
    digest = hashlib.sha256(f"{len(salt)}:{salt}{user_id}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) / PARTS


def assigned(salt: str, user_id: str, shares: Sequence[float]) -> int:
    """The number of a user's arm; arm i gets `shares[i]` of all users. The shares are positive and add up to 1."""
    place, bound = position(salt, user_id), 0.0
    for arm, share in enumerate(shares):
        bound += share
        if place < bound:
            return arm
    return len(shares) - 1
