"""The audit log: one line for each request of an AWS client, at INFO. Never a secret, a token or a user's ID."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import structlog

from matinee.api.aws.signature import parse_authorization
from matinee.control.context import Caller
from matinee.errors import Unauthenticated
from matinee.logs import plain_lines

#: What an access key's public half looks like. Secrets are longer: one given in its place is not written down.
_ACCESS_KEY: Final = re.compile(r"[A-Za-z0-9_]{1,32}")
_log = structlog.get_logger(__name__)


def record(operation: str, caller: Caller | None, headers: Mapping[str, str], request_id: str, status: int) -> None:
    """Write down who asked for what, and how it ended. `caller` is None for who was not let in: no account then."""
    named = claimed_key(headers) if caller is None else caller.access_key
    key = named if named is not None and _ACCESS_KEY.fullmatch(named) else None
    account, region = (None, None) if caller is None else (caller.account, caller.region)
    # Written by itself where that gives the same line: structlog takes as long as a cached answer.
    plain = plain_lines()
    if plain is not None:
        plain.info(
            "request",
            f"access_key={key} account={account} operation={operation} region={region} request_id={request_id} "
            f"status={status}",
        )
        return
    _log.info(
        "request",
        operation=operation,
        access_key=key,
        account=account,
        region=region,
        request_id=request_id,
        status=status,
    )


def claimed_key(headers: Mapping[str, str]) -> str | None:
    """The access key that a request names, whether or not it could sign with it."""
    try:
        return parse_authorization(headers.get("authorization", "")).access_key
    except Unauthenticated:
        return None
