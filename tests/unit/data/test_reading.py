"""Imports: what reaches the Parquet part, and that a faulty file leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from tests.unit.data.shapes import HEADER, INTERACTIONS, ITEMS, ITEMS_HEADER, csv_of, read, summary_of

from matinee.data.reading import CsvSource, import_csv
from matinee.data.schemas import Schema, polars_schema
from matinee.errors import DataProblem, JobStopped

GOOD = "u1,i1,100,watch,3.5"
FILM = "i1,Alien,Horror|Sci-Fi,A ship.,1979,true"


def test_the_part_has_the_schema_s_columns_and_types_in_the_order_of_the_file(tmp_path: Path) -> None:
    part = read(csv_of(HEADER, "u2,i1,200,,", GOOD), INTERACTIONS, tmp_path)
    assert part.schema == pl.Schema(polars_schema(INTERACTIONS))
    assert part.rows() == [("u2", "i1", 200, None, None), ("u1", "i1", 100, "watch", 3.5)]


def test_columns_are_matched_by_name_without_case_in_any_order(tmp_path: Path) -> None:
    header = "note,timestamp,Item_Id,EVENT_VALUE,user_id,event_type"
    part = read(csv_of(header, "hello,100,i1,3.5,u1,watch"), INTERACTIONS, tmp_path)
    assert part.rows() == [("u1", "i1", 100, "watch", 3.5)]


def test_several_files_become_one_part_in_their_order(tmp_path: Path) -> None:
    sources = [CsvSource.of_bytes(f"{n}.csv", csv_of(HEADER, f"u{n},i1,100,,")) for n in (2, 1)]
    summary = import_csv(sources, INTERACTIONS, tmp_path / "part.parquet", minimum_rows=2)
    assert summary.rows == 2
    assert pl.read_parquet(tmp_path / "part.parquet")["USER_ID"].to_list() == ["u2", "u1"]


def test_escapes_categories_and_empty_cells_survive(tmp_path: Path) -> None:
    content = csv_of(ITEMS_HEADER, r'i1,"The \"Thing\", again",Horror|Sci-Fi,,,', 'i2,"A ""B""",Drama,"",1999,')
    assert read(content, ITEMS, tmp_path).rows() == [
        ("i1", 'The "Thing", again', "Horror|Sci-Fi", None, None, None),
        ("i2", 'A "B"', "Drama", None, 1999, None),
    ]


def test_the_summary_counts_rows_bytes_and_warnings(tmp_path: Path) -> None:
    content = csv_of(HEADER, GOOD, *(["u1,i1,1700000000000,watch,"] * 3))
    summary = summary_of(content, INTERACTIONS, tmp_path)
    assert (summary.rows, summary.csv_bytes) == (4, len(content))
    assert summary.parquet_bytes == (tmp_path / "part.parquet").stat().st_size
    (warning,) = summary.warnings
    assert (warning.code, warning.line, warning.count) == ("millisecond-timestamp", 3, 3)
    assert "divide by 1000" in warning.sentence


def test_many_blocks_are_one_part(tmp_path: Path) -> None:
    lines = [f"u{n % 7},i{n},{n},watch,1" for n in range(50_000)]
    content = csv_of(HEADER, *lines)
    source = CsvSource("data.csv", lambda: (content[at : at + 65_536] for at in range(0, len(content), 65_536)))
    assert import_csv([source], INTERACTIONS, tmp_path / "part.parquet").rows == 50_000
    assert pl.read_parquet(tmp_path / "part.parquet")["TIMESTAMP"].to_list() == list(range(50_000))


def test_what_progress_raises_ends_the_import_and_leaves_nothing(tmp_path: Path) -> None:
    def stop(rows: int) -> None:
        raise JobStopped(f"stopped after {rows} rows")

    source = CsvSource.of_bytes("data.csv", csv_of(HEADER, GOOD))
    with pytest.raises(JobStopped, match="after 1 rows"):
        import_csv([source], INTERACTIONS, tmp_path / "part.parquet", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_the_minimum_is_for_events_and_not_for_records(tmp_path: Path) -> None:
    assert summary_of(csv_of(ITEMS_HEADER, FILM), ITEMS, tmp_path, minimum_rows=1000).rows == 1


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="no CSV file"):
        import_csv([], INTERACTIONS, tmp_path / "part.parquet")


# (name of the case, schema, content, line, column, part of the problem, part of the fix)
MALFORMED: list[tuple[str, Schema, bytes, int | None, str | None, str, str]] = [
    ("empty file", INTERACTIONS, b"", 1, None, "The file is empty.", "column names"),
    ("header only", INTERACTIONS, csv_of(HEADER), 2, None, "no records", "Add records"),
    ("no header", INTERACTIONS, csv_of("", GOOD), 1, None, "no header", "first line"),
    (
        "columns missing",
        INTERACTIONS,
        csv_of("USER_ID,ITEM_ID,EVENT_TYPE", "u1,i1,watch"),
        1,
        None,
        "Input CSV is missing the following columns: [TIMESTAMP, EVENT_VALUE].",
        "Add them to the header",
    ),
    ("one column missing", ITEMS, csv_of("ITEM_ID,TITLE,PLOT,YEAR,AWARDED"), 1, "GENRES", "[GENRES].", "Add"),
    (
        "semicolons",
        INTERACTIONS,
        csv_of(HEADER.replace(",", ";"), "x"),
        1,
        None,
        "missing",
        "separate values by commas",
    ),
    ("column twice", INTERACTIONS, csv_of(f"{HEADER},user_id", GOOD + ",u1"), 1, "USER_ID", "2 times", "Keep one"),
    ("gzip", INTERACTIONS, b"\x1f\x8b\x08\x00", 1, None, "gzip", "uncompressed"),
    ("UTF-16", INTERACTIONS, HEADER.encode("utf-16"), 1, None, "UTF-16", "UTF-8"),
    ("latin-1", ITEMS, csv_of(ITEMS_HEADER, FILM) + b"i2,Am\xe9lie,A,,,\n", 3, None, "not UTF-8", "Save the file"),
    (
        "too few values",
        INTERACTIONS,
        csv_of(HEADER, GOOD, "u1,i1,100"),
        3,
        None,
        "has 3 values, the header 5",
        "quotes",
    ),
    ("unquoted comma", ITEMS, csv_of(ITEMS_HEADER, "i1,Crouching, Tiger,A,,,"), 2, None, "7 values", "double quotes"),
    ("open quote", ITEMS, csv_of(ITEMS_HEADER, FILM, 'i2,"Open,A,,,'), 3, None, "not closed", "one record per line"),
    ("line break", ITEMS, csv_of(ITEMS_HEADER, 'i1,"Two', 'lines",A,,,'), 2, None, "not closed", "one record per line"),
    (
        "word as time",
        INTERACTIONS,
        csv_of(HEADER, GOOD, "u1,i1,today,,"),
        3,
        "TIMESTAMP",
        "not a number",
        "whole number",
    ),
    ("decimal time", INTERACTIONS, csv_of(HEADER, "u1,i1,1.5,,"), 2, "TIMESTAMP", "type long", "no decimal point"),
    ("word as value", INTERACTIONS, csv_of(HEADER, "u1,i1,1,a,high"), 2, "EVENT_VALUE", "type float", "such as 3.5"),
    ("infinite value", INTERACTIONS, csv_of(HEADER, "u1,i1,1,a,inf"), 2, "EVENT_VALUE", "type float", "decimal"),
    ("int too large", ITEMS, csv_of(ITEMS_HEADER, "i1,A,B,,3000000000,"), 2, "YEAR", "type int", "long"),
    ("capital boolean", ITEMS, csv_of(ITEMS_HEADER, "i1,A,B,,,True"), 2, "AWARDED", "not a boolean", "lower case"),
    ("no user", INTERACTIONS, csv_of(HEADER, GOOD, "", ",i1,100,,"), 4, "USER_ID", "empty", "remove the row"),
    ("no time", INTERACTIONS, csv_of(HEADER, 'u1,i1,"",,'), 2, "TIMESTAMP", "does not allow null", "Fill the cell"),
    (
        "no genre",
        ITEMS,
        csv_of(ITEMS_HEADER, "i1,A,,,,"),
        2,
        "GENRES",
        "does not allow null",
        "allow null in the schema",
    ),
    (
        "ID too long",
        INTERACTIONS,
        csv_of(HEADER, GOOD, f"u1,{'i' * 257},100,,"),
        3,
        "ITEM_ID",
        "Length cannot be more than 256 characters for ITEM_ID. If no values exceed the character limit, make sure "
        "your data follows the formatting guidelines",
        "Shorten",
    ),
    (
        "category too long",
        ITEMS,
        csv_of(ITEMS_HEADER, f"i1,A,{'g' * 1001},,,"),
        2,
        "GENRES",
        "1000 characters",
        "close",
    ),
    (
        "few rows",
        INTERACTIONS,
        csv_of(HEADER, *[GOOD] * 9),
        None,
        None,
        "at least 10 rows, and there are 9",
        "Add rows",
    ),
]


@pytest.mark.parametrize(
    ("schema", "content", "line", "column", "problem", "fix"),
    [case[1:] for case in MALFORMED],
    ids=[case[0] for case in MALFORMED],
)
def test_a_malformed_file_is_refused_with_place_and_fix_and_nothing_is_written(
    tmp_path: Path, schema: Schema, content: bytes, line: int | None, column: str | None, problem: str, fix: str
) -> None:
    earlier = tmp_path / "part.parquet"
    earlier.write_bytes(b"what an earlier import wrote")
    with pytest.raises(DataProblem) as refused:
        summary_of(content, schema, tmp_path, minimum_rows=10 if line is None else 1)
    error = refused.value
    assert (error.file, error.line, error.column) == ("data.csv", line, column)
    assert problem in str(error)
    assert fix in error.fix
    assert fix in str(error)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"what an earlier import wrote"]


def test_the_first_of_several_faults_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataProblem) as refused:
        read(csv_of(HEADER, GOOD, "u1,,100,,", "u1,i1,x,,"), INTERACTIONS, tmp_path)
    assert (refused.value.line, refused.value.column) == (3, "ITEM_ID")


def test_the_faulty_one_of_several_files_is_named(tmp_path: Path) -> None:
    sources = [
        CsvSource.of_bytes("a.csv", csv_of(HEADER, GOOD)),
        CsvSource.of_bytes("b.csv", csv_of(HEADER, "u1,i1,x,,")),
    ]
    with pytest.raises(DataProblem) as refused:
        import_csv(sources, INTERACTIONS, tmp_path / "part.parquet")
    assert (refused.value.file, refused.value.line) == ("b.csv", 2)
