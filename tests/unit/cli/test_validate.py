"""`matinee validate`: exit status, text and JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.data.releases import release_100k
from tests.unit.data.shapes import HEADER, ITEM, TIME, TYPE, USER, VALUE, csv_of, text_of
from typer.testing import CliRunner, Result

from matinee.cli.app import app
from matinee.data.movielens import convert
from matinee.data.sample import generate_sample

FAULTY = csv_of(HEADER, "u1,i1,yesterday,watch,1")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["validate", *map(str, arguments)])


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    path = tmp_path / "events.json"
    path.write_text(text_of("Interactions", USER, ITEM, TIME, TYPE, VALUE))
    return path


@pytest.fixture
def converted(tmp_path: Path) -> Path:
    sample = generate_sample(users=60, films=50, ratings=1800).write(tmp_path / "sample")
    convert(sample, tmp_path / "converted")
    return tmp_path / "converted"


def test_a_converted_folder_passes(converted: Path) -> None:
    result = run(converted)
    assert result.exit_code == 0
    assert result.output.endswith("PASS\n")
    assert "INTERACTIONS:" in result.output
    assert "ITEMS:" in result.output


def test_a_fault_fails_with_place_and_fix(tmp_path: Path, schema: Path) -> None:
    (tmp_path / "data.csv").write_bytes(FAULTY)
    result = run(tmp_path / "data.csv", "--schema", schema)
    assert result.exit_code == 1
    assert "ERROR   type: TIMESTAMP is not a number of type long. (found 'yesterday')" in result.output
    assert "file data.csv, line 2, column TIMESTAMP. Write a whole number" in result.output
    assert result.output.endswith("FAIL\n")


def test_json_holds_every_finding(tmp_path: Path, schema: Path) -> None:
    (tmp_path / "data.csv").write_bytes(FAULTY)
    result = run(tmp_path / "data.csv", "--schema", schema, "--json")
    assert result.exit_code == 1
    report = json.loads(result.output)
    assert report["passed"] is False
    finding = report["datasets"][0]["findings"][0]
    assert {key: finding[key] for key in ("level", "file", "line", "column", "example")} == {
        "level": "error",
        "file": "data.csv",
        "line": 2,
        "column": "TIMESTAMP",
        "example": "yesterday",
    }


def test_all_files_of_a_folder_are_one_data_set(tmp_path: Path, schema: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "a.csv").write_bytes(csv_of(HEADER, "u1,i1,1,watch,1"))
    (folder / "b.csv").write_bytes(csv_of(HEADER, "u1,i1,2,watch,1"))
    report = json.loads(run(folder, "--schema", schema, "--json").output)["datasets"][0]
    assert (report["files"], report["rows"]) == (["a.csv", "b.csv"], 2)


def test_the_data_sets_of_a_folder_are_compared(converted: Path) -> None:
    header, first, *_ = (converted / "items.csv").read_text().splitlines()
    (converted / "items.csv").write_text(f"{header}\n{first}\n")
    result = run(converted)
    assert "WARNING without-record" in result.output


@pytest.mark.parametrize(
    ("files", "options", "problem"),
    [
        ({}, [], "no CSV file with its schema"),
        ({}, ["--schema", "events.json"], "no CSV file to check"),
        ({"interactions.csv": FAULTY, "interactions.schema.json": b"{}"}, [], "must be an Avro record"),
        ({"interactions.csv": FAULTY, "interactions.schema.json": b"\xff"}, [], "not UTF-8"),
    ],
)
def test_what_cannot_be_checked_ends_with_a_sentence(
    tmp_path: Path, files: dict[str, bytes], options: list[str], problem: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    result = run(tmp_path, *options)
    assert result.exit_code == 1
    assert problem in result.output


def test_a_file_without_schema_is_told_where_one_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_bytes(FAULTY)
    assert "data.schema.json" in run(tmp_path / "data.csv").output
    assert "no such file" in run(tmp_path / "none.csv").output


def test_a_domain_s_rules_can_be_asked_for(tmp_path: Path, schema: Path) -> None:
    (tmp_path / "data.csv").write_bytes(FAULTY)
    result = run(tmp_path / "data.csv", "--schema", schema, "--domain", "VIDEO_ON_DEMAND")
    assert result.exit_code == 1
    assert "EVENT_TYPE must not be null" in result.output


def test_items_alone_are_checked(tmp_path: Path) -> None:
    convert(release_100k(tmp_path / "ml"), tmp_path / "out")
    assert run(tmp_path / "out/items.csv", "--domain", "VIDEO_ON_DEMAND").exit_code == 0
