"""Blocks of CSV: values, physical lines, and what cannot be split."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.data.shapes import csv_of

from matinee.data import csv_lines
from matinee.data.csv_lines import Block, CsvFile, CsvSource, line_text, split_line
from matinee.errors import DataProblem

COLUMNS = [(0, "A"), (1, "B")]


def blocks(content: bytes, block_bytes: int = 1 << 20) -> list[Block]:
    return list(CsvFile(CsvSource.of_bytes("data.csv", content)).blocks(COLUMNS, block_bytes))


def rows(content: bytes, block_bytes: int = 1 << 20) -> list[tuple[str | None, ...]]:
    return [row for block in blocks(content, block_bytes) for row in block.frame.iter_rows()]


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("1,2", ["1", "2"]),
        ("1,", ["1", ""]),
        ('"a, b",2', ["a, b", "2"]),
        ('"say ""hi""",2', ['say "hi"', "2"]),
        (r'"say \"hi\"",2', ['say "hi"', "2"]),
        (r'"back\\slash",2', ["back\\slash", "2"]),
        (r'"C:\new",2', [r"C:\new", "2"]),
        (r"C:\new,2", [r"C:\new", "2"]),
        ('"C:\\",2', ["C:\\", "2"]),
        ('5" disk,2', ['5" disk', "2"]),
        ("Drama|War,2", ["Drama|War", "2"]),
        ('"",2', ["", "2"]),
    ],
)
def test_values_are_read_with_either_way_to_escape_a_quote(line: str, cells: list[str]) -> None:
    assert split_line(line) == cells


@pytest.mark.parametrize("line", ['"open,2', '"closed"early,2'])
def test_a_line_with_broken_quotes_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="quoted value"):
        split_line(line)


@pytest.mark.parametrize(
    "content",
    [
        csv_of("A,B", "1,x", '2,"y, z"', "3,"),
        '\ufeffA,B\n1,x\n2,"y, z"\n3,\n'.encode(),
        b'A,B\r\n1,x\r\n2,"y, z"\r\n3,\r\n',
        b'A,B\n1,x\n2,"y, z"\n3,""',
        b'A,B\n1,x\n\n2,"y, z"\n3,\n\n\n',
    ],
    ids=["plain", "byte order mark", "CRLF", "no newline at the end", "blank lines"],
)
def test_the_same_rows_come_from_every_way_to_write_them(content: bytes) -> None:
    assert rows(content) == [("1", "x"), ("2", "y, z"), ("3", None)]


def test_only_the_wanted_columns_are_read_under_the_names_given() -> None:
    file = CsvFile(CsvSource.of_bytes("data.csv", csv_of("C,A,B", "1,2,3")))
    (block,) = file.blocks([(2, "LAST"), (0, "FIRST")])
    assert block.frame.to_dicts() == [{"LAST": "3", "FIRST": "1"}]


def test_pieces_of_any_size_give_the_same_rows() -> None:
    content = csv_of("A,B", *(f"{n},näme {n}" for n in range(50)))
    source = CsvSource("data.csv", lambda: (content[at : at + 3] for at in range(0, len(content), 3)))
    walked = [row for block in CsvFile(source).blocks(COLUMNS, block_bytes=64) for row in block.frame.iter_rows()]
    assert walked == [(str(n), f"näme {n}") for n in range(50)]


@pytest.mark.parametrize("odd", ["", '"said \\"x\\"",y'], ids=["regular lines", "a line split by hand"])
def test_every_row_knows_its_physical_line(odd: str) -> None:
    lines = [f"{n},x" for n in range(2, 40)]
    lines[20:20] = [odd] if odd else []
    found = [
        (block.line_of(row), cells[0])
        for block in blocks(csv_of("A,B", *lines), block_bytes=50)
        for row, cells in enumerate(block.frame.iter_rows())
    ]
    assert [line for line, _ in found] == list(range(2, len(lines) + 2))
    assert [cell for _, cell in found if cell.isdigit()] == [str(n) for n in range(2, 40)]


@pytest.mark.parametrize(
    ("line", "code"),
    [(b"1", "ragged-line"), (b"1,2,3", "ragged-line"), (b'"1,2', "quoting"), (b"\xff,2", "encoding")],
)
def test_a_faulty_line_is_a_finding_and_the_others_are_read(line: bytes, code: str) -> None:
    (block,) = blocks(b"A,B\n1,x\n" + line + b"\n3,z\n")
    assert [(finding.code, finding.line, finding.file) for finding in block.findings] == [(code, 3, "data.csv")]
    assert block.frame["A"].to_list() == ["1", "3"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"\n1,2\n", "no header"),
        (b"\xff\xfeA\x00", "UTF-16"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"PK\x03\x04", "zip"),
        (b"PAR1", "Parquet"),
        (b"A,\xe4\n1,2\n", "header cannot be read"),
    ],
)
def test_a_file_that_is_not_csv_is_refused_on_line_1(content: bytes, problem: str) -> None:
    with pytest.raises(DataProblem, match=problem) as refused:
        CsvFile(CsvSource.of_bytes("data.csv", content))
    assert (refused.value.file, refused.value.line) == ("data.csv", 1)


def test_a_line_without_end_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_lines, "LONGEST_LINE", 1000)

    def endless() -> Iterator[bytes]:
        yield b"A,B\n1,2\n"
        while True:
            yield b"x" * 100

    with pytest.raises(DataProblem, match="longer than") as refused:
        list(CsvFile(CsvSource("data.csv", endless)).blocks(COLUMNS, block_bytes=300))
    assert refused.value.line == 3


def test_a_file_on_disk_is_called_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_bytes(b"A,B\n1,2\n")
    source = CsvSource.of_path(tmp_path / "ratings.csv")
    assert (source.name, CsvFile(source).header) == ("ratings.csv", ("A", "B"))


@pytest.mark.parametrize(("line", "text"), [(1, "A,B"), (2, "1,x"), (4, "3,z"), (9, "")])
def test_the_text_of_a_line_can_be_looked_up(line: int, text: str) -> None:
    content = csv_of("A,B", "1,x", "2,y", "3,z")
    source = CsvSource("data.csv", lambda: (content[at : at + 3] for at in range(0, len(content), 3)))
    assert line_text(source, line) == text


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00"), max_size=8)


@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=8), st.booleans())
def test_what_is_written_is_read_back_on_both_paths(cells: list[tuple[str, str]], by_hand: bool) -> None:
    quoted = [",".join('"{}"'.format(cell.replace('"', '""')) for cell in row) for row in cells]
    # A backslash before a quote would be taken for an escape, as the service does.
    expected = [split_line(line) for line in quoted]
    content = csv_of("A,B", *quoted, *(['"say \\"hi\\"",x'] if by_hand else []))
    found = rows(content)[: len(cells)]
    assert found == [tuple(cell or None for cell in row) for row in expected]


def test_the_fast_path_takes_regular_lines_and_only_those() -> None:
    regular = csv_lines._parse_fast(b'1,"a ""b"", c"\n2,\n', 2, COLUMNS)
    assert isinstance(regular, pl.DataFrame)
    assert regular.rows() == [("1", 'a "b", c'), ("2", None)]
    for block in (b"1,2\n3\n", b"1,2,3\n4\n", b'1,"a\\"b"\n', b'1,a"b"\n', b'1,"a\n","b"\n', b"1,2\n\n"):
        assert csv_lines._parse_fast(block, 2, COLUMNS) is None
