"""The lines of a batch job's input, one JSON value each, read without ever holding more than a few of them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

LONGEST_LINE = 512 << 10
_PIECE = 1 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class InputLine(NamedTuple):
    """One line: its `value`, or what is wrong with it; `echo` is the JSON that stands for it in the output.

    `end` is where the next line begins, in bytes.
    """

    echo: bytes
    end: int
    value: Any = None
    error: str | None = None


def read_lines(stream: BinaryIO, start: int) -> Iterator[InputLine]:
    """The lines of `stream` from byte `start`, the beginning of a line. Blank lines are passed over."""
    _skip(stream, start)
    at = start
    while text := stream.readline(LONGEST_LINE + 1):
        at += len(text)
        if len(text) > LONGEST_LINE and not text.endswith(b"\n"):
            at += _skip_line(stream)
            yield InputLine(b"null", at, error=f"User error: the line is longer than {LONGEST_LINE} bytes.")
            continue
        bare = (text.removeprefix(_BYTE_ORDER_MARK) if at == len(text) else text).strip()
        if bare:
            yield _parsed(bare, at)


def chunks(lines: Iterator[InputLine], size: int) -> Iterator[list[InputLine]]:
    """`size` lines at a time, the rest at the end."""
    while chunk := list(itertools.islice(lines, size)):
        yield chunk


def _parsed(text: bytes, end: int) -> InputLine:
    try:
        return InputLine(text, end, _decode(text.decode()))
    except (ValueError, RecursionError) as problem:
        echo = json.dumps(text.decode(errors="replace"), ensure_ascii=False).encode()
        return InputLine(echo, end, error=f"User error: the line is not valid JSON: {str(problem)[:200]}.")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


_decode = json.JSONDecoder(parse_constant=_refuse).decode


def _skip(stream: BinaryIO, count: int) -> None:
    if stream.seekable():
        stream.seek(count)
        return
    while count:
        count -= len(stream.read(min(count, _PIECE))) or count


def _skip_line(stream: BinaryIO) -> int:
    """Pass over the rest of a line; returns its bytes."""
    passed = 0
    while piece := stream.readline(_PIECE):
        passed += len(piece)
        if piece.endswith(b"\n"):
            break
    return passed
