"""The JSON of batch outputs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encoded(value: Any) -> bytes:
    """A JSON value in UTF-8; halves of surrogate pairs stay escaped, integers may have any length."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return _encode(value).encode(errors="backslashreplace")


def output_line(echo: bytes, output: bytes, error: str | None) -> bytes:
    """A line of an output file: `echo` is the JSON of the input, `output` that of the answer."""
    told = b"null" if error is None else encoded(error)
    return b'{"input":%s,"output":%s,"error":%s}\n' % (echo, output, told)


def as_bytes(output: Mapping[str, Any] | bytes) -> bytes:
    """An output as JSON, unless it is that already."""
    return output if isinstance(output, bytes) else encoded(output)
