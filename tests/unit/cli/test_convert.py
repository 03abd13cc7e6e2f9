"""`matinee convert movielens`: files, summary, choices."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.data.releases import release_100k, release_csv
from typer.testing import CliRunner, Result

from matinee.cli.app import app


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["convert", "movielens", *map(str, arguments)])


def test_it_writes_the_files_and_says_what_it_did(tmp_path: Path) -> None:
    result = run(release_100k(tmp_path / "ml"), "--out", tmp_path / "out", "--events", "above", "--threshold", "3.6")
    assert result.exit_code == 0
    assert "Read    4 ratings, 3 films, 2 users (layout 100K)" in result.output
    assert "Events  2 watch" in result.output
    assert "Dropped 2 ratings: not above 3.6" in result.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "interactions.csv",
        "interactions.schema.json",
        "items.csv",
        "items.schema.json",
        "users.csv",
        "users.schema.json",
    ]


@pytest.mark.parametrize(
    ("options", "events"),
    [
        ([], ["1,10,watch,100", "1,20,watch,90", "2,10,watch,200", "2,30,watch,300"]),
        (["--events", "above", "--threshold", "4"], ["1,10,watch,100"]),
        (
            ["--events", "click-watch", "--click-above", "3", "--watch-above", "4", "--event-value"],
            ["1,10,click,100,5.0", "1,10,watch,100,5.0", "2,10,click,200,4.0"],
        ),
    ],
)
def test_the_options_say_how_a_rating_becomes_an_event(tmp_path: Path, options: list[str], events: list[str]) -> None:
    assert run(release_csv(tmp_path / "ml"), "--out", tmp_path / "out", *options).exit_code == 0
    assert (tmp_path / "out/interactions.csv").read_text().splitlines()[1:] == events


def test_custom_schemas_let_the_date_be_empty(tmp_path: Path) -> None:
    assert run(release_100k(tmp_path / "ml"), "--out", tmp_path / "out", "--custom").exit_code == 0
    assert (tmp_path / "out/items.csv").read_text().splitlines()[-1] == "30,unknown,,,"


def test_what_is_no_release_ends_with_a_sentence(tmp_path: Path) -> None:
    result = run(tmp_path, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "not a MovieLens data set" in result.output
    assert "Traceback" not in result.output
