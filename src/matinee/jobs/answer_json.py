"""The JSON of batch outputs: texts of IDs and scores that come again and again are made once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

#: Texts kept of each kind, about 100 bytes each.
_MOST_KEPT = 100_000
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encoded(value: Any) -> bytes:
    """A JSON value in UTF-8; halves of surrogate pairs stay escaped."""
    return _encode(value).encode(errors="backslashreplace")


class _Texts(dict[Any, str]):
    """JSON texts of values, made when first asked for."""

    def __missing__(self, value: Any) -> str:
        text = _encode(value)
        if len(self) < _MOST_KEPT:
            self[value] = text
        return text


class ListWriter:
    """Writes `{name: [IDs], "scores": [numbers]}` for line after line, as `encoded` would."""

    def __init__(self, name: str) -> None:
        """`name` is the member that the IDs stand in."""
        self._open = f"{{{_encode(name)}:["
        self._ids, self._scores = _Texts(), _Texts()

    def text(self, ids: Sequence[str], scores: Sequence[float] | None = None) -> bytes:
        """One object; without `scores` it has no such member."""
        text = self._open + ",".join(map(self._ids.__getitem__, ids))
        if scores is None:
            return (text + "]}").encode(errors="backslashreplace")
        shares = ",".join(map(self._scores.__getitem__, scores))
        return f'{text}],"scores":[{shares}]}}'.encode(errors="backslashreplace")


def output_line(echo: bytes, output: bytes, error: str | None) -> bytes:
    """A line of an output file: `echo` is the JSON of the input, `output` that of the answer."""
    told = b"null" if error is None else encoded(error)
    return b'{"input":%s,"output":%s,"error":%s}\n' % (echo, output, told)


def as_bytes(output: Mapping[str, Any] | bytes) -> bytes:
    """An output as JSON, unless it is that already."""
    return output if isinstance(output, bytes) else encoded(output)
