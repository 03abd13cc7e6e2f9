"""CSV bytes to blocks of string columns, a few MiB at a time, with every row's physical line known.

The fast path hands a block to Polars after a vectorised check of its shape. A block that fails the check (backslash
escapes, blank lines, ragged or malformed lines) is split line by line, where the exact place of a fault is found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from matinee.data.findings import Finding, shown
from matinee.data.interactions import LongArray
from matinee.errors import DataProblem

BLOCK_BYTES = 8 << 20
LONGEST_LINE = 64 << 20
_CHUNK = 1 << 20
_COMMA, _NEWLINE, _QUOTE = 44, 10, 34
_QUOTED = re.compile(r'"((?:[^"\\]|\\.|"")*)"(?=,|$)', re.DOTALL)
_QUOTED_RFC = re.compile(r'"((?:[^"]|"")*)"(?=,|$)', re.DOTALL)
_ESCAPE = re.compile(r'""|\\(["\\])')
_OTHER_FORMS = (
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "zip"),
    (b"\xfd7zXZ", "xz"),
    (b"PAR1", "Parquet"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


@dataclass(frozen=True)
class CsvSource:
    """One CSV file. `name` is what messages call it; `open` gives its bytes from the start, in pieces of any size."""

    name: str
    open: Callable[[], Iterable[bytes]]

    @classmethod
    def of_path(cls, path: Path, name: str | None = None) -> CsvSource:
        """A file on disk."""
        return cls(name or path.name, lambda: _pieces(path))

    @classmethod
    def of_bytes(cls, name: str, content: bytes) -> CsvSource:
        """A file in memory."""
        return cls(name, lambda: iter((content,)))


@dataclass(frozen=True)
class Block:
    """Some rows of a file: String columns named as in the schema, empty cells null.

    `lines` is the physical line of the first row where rows are on consecutive lines, else each row's line (n,).
    `findings` are the lines that could not be split; they are not in `frame`.
    """

    frame: pl.DataFrame
    lines: int | LongArray
    findings: tuple[Finding, ...] = ()

    def line_of(self, row: int) -> int:
        """The physical line of row number `row` of the frame."""
        return line_of(self.lines, row)


def line_of(lines: int | LongArray, row: int) -> int:
    """The physical line of row number `row`, by the `lines` of its block."""
    return lines + row if isinstance(lines, int) else int(lines[row])


@dataclass
class CsvFile:
    """An opened CSV file: its header is read, its rows come as blocks. Can be walked once.

    Raises `DataProblem` when the file is empty, not text, or has no header.
    """

    source: CsvSource
    header: tuple[str, ...] = ()
    bytes_read: int = 0
    _pieces: Iterator[bytes] = field(init=False, repr=False)
    _rest: bytes = field(init=False, repr=False, default=b"")

    def __post_init__(self) -> None:
        self._pieces = iter(self.source.open())
        start = b""
        while b"\n" not in start and (piece := next(self._pieces, b"")):
            start += piece
            if len(start) > LONGEST_LINE:
                raise self._too_long(1)
        self._refuse_other_forms(start)
        self.bytes_read = len(start)
        first, _, self._rest = start.removeprefix(b"\xef\xbb\xbf").partition(b"\n")
        try:
            line = first.rstrip(b"\r").decode()
            cells = split_line(line)
        except (UnicodeDecodeError, ValueError) as error:
            raise DataProblem(
                f"The header cannot be read: {error}.",
                fix="Write the column names, separated by commas, in UTF-8 on the first line.",
                file=self.source.name,
                line=1,
            ) from None
        if not line.strip():
            raise DataProblem(
                "The file has no header." if self._rest.strip() else "The file is empty.",
                fix="Write the column names, separated by commas, on the first line, and the records below.",
                file=self.source.name,
                line=1,
            )
        self.header = tuple(cell.strip() for cell in cells)

    def blocks(self, columns: Sequence[tuple[int, str]], block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
        """The rows, in order. `columns` are (position in the file, name in the frame) of those wanted."""
        line = 2
        for block in self._cut(block_bytes):
            frame = _parse_fast(block, len(self.header), columns)
            lines = block.count(b"\n")
            if frame is not None:
                yield Block(frame, line)
            else:
                yield _parse_lines(block, line, self.source.name, len(self.header), columns)
            line += lines

    def _cut(self, block_bytes: int) -> Iterator[bytes]:
        """Whole lines, about `block_bytes` at a time, ending in a newline; CRLF becomes LF."""
        waiting, size, line = [self._rest], len(self._rest), 2
        for piece in self._pieces:
            waiting.append(piece)
            size += len(piece)
            self.bytes_read += len(piece)
            if size < block_bytes:
                continue
            joined = b"".join(waiting)
            cut = joined.rfind(b"\n") + 1
            if cut:
                block = joined[:cut].replace(b"\r\n", b"\n")
                line += block.count(b"\n")
                yield block
            elif size > LONGEST_LINE:
                raise self._too_long(line)
            waiting, size = [joined[cut:]], len(joined) - cut
        last = b"".join(waiting).replace(b"\r\n", b"\n").rstrip(b"\n")
        if last:
            yield last + b"\n"

    def _too_long(self, line: int) -> DataProblem:
        return DataProblem(
            f"A line is longer than {LONGEST_LINE >> 20} MiB.",
            fix="Write one record per line, ending in a newline (LF or CRLF).",
            file=self.source.name,
            line=line,
        )

    def _refuse_other_forms(self, start: bytes) -> None:
        for magic, form in _OTHER_FORMS:
            if start.startswith(magic):
                raise DataProblem(
                    f"The file is {form}, not CSV text in UTF-8.",
                    fix="Save it as plain CSV in UTF-8, uncompressed.",
                    file=self.source.name,
                    line=1,
                )


def line_text(source: CsvSource, line: int) -> str:
    """The text of the physical line numbered `line` (the header is 1), from a fresh look at the file."""
    passed, rest = 0, b""
    for piece in source.open():
        *whole, rest = (rest + piece).split(b"\n")
        if passed + len(whole) >= line:
            rest = whole[line - passed - 1]
            break
        passed += len(whole)
    return rest.rstrip(b"\r").decode(errors="replace")


def split_line(line: str) -> list[str]:
    r"""The values of one line. In quotes, `""` and `\"` are a quote and `\\` a backslash.

    Raises `ValueError` saying what is wrong when a quoted value is not closed or goes on after its closing quote.
    """
    cells, at = [], 0
    while True:
        if line.startswith('"', at):
            # A value that ends in a lone backslash is well formed only by RFC 4180, so that reading is the second try.
            match = _QUOTED.match(line, at) or _QUOTED_RFC.match(line, at)
            if match is None:
                raise ValueError("a quoted value is not closed, or goes on after its closing quote")
            cells.append(_ESCAPE.sub(lambda m: m[1] or '"', match[1]))
            end = match.end()
        else:
            comma = line.find(",", at)
            end = len(line) if comma < 0 else comma
            cells.append(line[at:end])
        at = end + 1
        if at > len(line):
            return cells


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            yield piece


def _parse_fast(block: bytes, width: int, columns: Sequence[tuple[int, str]]) -> pl.DataFrame | None:
    """The wanted columns when every line of the block is regular, else None."""
    if not _is_regular(block, width):
        return None
    try:
        frame = pl.read_csv(
            block,
            has_header=False,
            schema={str(at): pl.String() for at in range(width)},
            columns=[at for at, _ in columns],
        )
    except pl.exceptions.PolarsError:
        return None
    frame = frame.select(pl.col(str(at)).alias(name) for at, name in columns)
    if b'""' in block:
        frame = frame.select(pl.when(pl.all().str.len_bytes() > 0).then(pl.all()))
    return frame


def _is_regular(block: bytes, width: int) -> bool:
    """Whether every line has `width` values and every quoted value is RFC 4180's and within its line."""
    if b"\r" in block or (width == 1 and (block.startswith(b"\n") or b"\n\n" in block)):
        return False
    text = np.frombuffer(block, dtype=np.uint8)
    separates = (text == _COMMA) | (text == _NEWLINE)
    if b'"' in block:
        if b"\\" in block:
            return False
        quote = text == _QUOTE
        # The count may wrap at 256: only its parity matters.
        inside = (np.cumsum(quote, dtype=np.uint8) & 1).astype(np.bool_)
        at = np.flatnonzero(quote)
        opens, closes = at[inside[at]], at[~inside[at]]
        before = text[opens[opens > 0] - 1]
        after = text[closes[closes < len(text) - 1] + 1]
        for beside in (before, after):
            if not ((beside == _COMMA) | (beside == _NEWLINE) | (beside == _QUOTE)).all():
                return False
        if (inside & (text == _NEWLINE)).any():
            return False
        separates &= ~inside
    separators = text[separates]
    if len(separators) % width:
        return False
    grid = separators.reshape(-1, width)
    return bool((grid[:, :-1] == _COMMA).all() and (grid[:, -1] == _NEWLINE).all())


def _parse_lines(block: bytes, first: int, file: str, width: int, columns: Sequence[tuple[int, str]]) -> Block:
    """The block split line by line; blank lines are skipped, faulty ones become findings."""
    rows: list[list[str]] = []
    lines: list[int] = []
    findings: list[Finding] = []
    for line, raw in enumerate(block.split(b"\n")[:-1], start=first):
        if not raw.strip():
            continue
        try:
            cells = split_line(raw.decode())
        except UnicodeDecodeError:
            findings.append(_not_utf8(raw, file, line))
            continue
        except ValueError as error:
            findings.append(_not_closed(str(error), raw.decode(), file, line))
            continue
        if len(cells) != width:
            findings.append(_ragged(len(cells), width, raw.decode(), file, line))
            continue
        rows.append(cells)
        lines.append(line)
    frame = pl.DataFrame(
        {name: [row[at] or None for row in rows] for at, name in columns},
        schema={name: pl.String() for _, name in columns},
    )
    return Block(frame, np.array(lines, dtype=np.int64), tuple(findings))


def _not_utf8(raw: bytes, file: str, line: int) -> Finding:
    return Finding(
        "error",
        "encoding",
        "The line is not UTF-8.",
        "Save the file in UTF-8.",
        file=file,
        line=line,
        example=shown(raw.decode(errors="replace")),
    )


def _not_closed(problem: str, text: str, file: str, line: int) -> Finding:
    return Finding(
        "error",
        "quoting",
        f"{problem[0].upper()}{problem[1:]}.",
        'Write one record per line, and a quote inside a quoted value as "" or \\".',
        file=file,
        line=line,
        example=shown(text),
    )


def _ragged(found: int, width: int, text: str, file: str, line: int) -> Finding:
    return Finding(
        "error",
        "ragged-line",
        f"The line has {found} values, the header {width}.",
        "Write one record per line, and put values that contain commas in double quotes.",
        file=file,
        line=line,
        example=shown(text),
    )
