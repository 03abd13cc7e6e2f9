"""Identifiers that the server chooses: the eight hexadecimal digits that end some ARNs."""

from __future__ import annotations

import secrets

from matinee.control import records
from matinee.control.operation import Operation


def new_hex_arn(operation: Operation, prefix: str) -> str:
    """A free ARN `…:<prefix>/<8 hex digits>`."""
    while True:
        arn = operation.caller.arn(f"{prefix}/{secrets.token_hex(4)}")
        if records.find(operation.connection, arn) is None:
            return arn
