"""Pages of a List: opaque tokens that belong to one listing, and the page that follows one."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from matinee.control.kind import Request
from matinee.errors import InvalidNextToken

Row = TypeVar("Row")

_DIGEST = 12


def token_of(listing: str, position: int) -> str:
    """The token of the page that follows `position` in a listing (its caller, operation and narrowing, as text).

    It carries a digest of both, so that a token of another listing or an altered one is not taken. It is no secret:
    whoever forges one sees only what the same listing would show them anyway.
    """
    place = str(position).encode()
    return base64.urlsafe_b64encode(_digest(listing, place) + place).decode()


def position_of(listing: str, token: str) -> int:
    """The position that a token stands for; raises `InvalidNextToken` for one that this listing did not give."""
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raw = b""
    digest, place = raw[:_DIGEST], raw[_DIGEST:]
    if not place.isdigit() or digest != _digest(listing, place):
        raise InvalidNextToken(
            "The nextToken is not one that this listing gave. Use it with the same operation, region and "
            "filters as the call that returned it, or start again without it."
        )
    return int(place)


def paged(
    listing: str,
    request: Request,
    fetch: Callable[[int, int], Sequence[Row]],
    position: Callable[[Row], int],
    *,
    default: int = 100,
    most: int = 100,
) -> tuple[list[Row], dict[str, str]]:
    """One page: the rows, and `{"nextToken": …}` when there are more.

    `fetch(after, limit)` yields at most `limit` rows behind `after` (0: from the beginning), `position` a row's own.
    """
    size = min(request.get("maxResults") or default, most)
    token = request.get("nextToken")
    after = position_of(listing, token) if token is not None else 0
    rows = list(fetch(after, size + 1))
    more = len(rows) > size
    page = rows[:size]
    return page, {"nextToken": token_of(listing, position(page[-1]))} if more else {}


def _digest(listing: str, place: bytes) -> bytes:
    return hashlib.blake2b(place, key=hashlib.sha256(listing.encode()).digest(), digest_size=_DIGEST).digest()
