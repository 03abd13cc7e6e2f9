"""`matinee card`: the card of a folder or a version, and the same training once more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.jobs.rig import House, arn, csv_rows, write_csv
from typer.testing import CliRunner, Result

from matinee.cli.app import app
from matinee.jobs.handlers import HANDLERS
from matinee.jobs.workflow import run_job

VERSION = arn("solution/s/a1")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home folder with one trained version of aws-sims."""
    folder = tmp_path_factory.mktemp("home")
    house = House.build(folder / "home")
    house.imported(write_csv(folder / "a.csv", csv_rows(1500)))
    assert run_job(house.workshop, HANDLERS, house.train_job("a1", "aws-sims")) == "DONE"
    yield folder / "home"
    house.database.close()


def card(home: Path, *arguments: str | Path) -> Result:
    return CliRunner(env={"MATINEE_HOME": str(home)}).invoke(app, ["card", *map(str, arguments)])


def test_a_version_by_its_arn_is_shown_as_a_page(home: Path) -> None:
    result = card(home, "--version-arn", VERSION)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("# Model card: aws-sims\n")


def test_the_folder_of_an_artifact_gives_the_same_card(home: Path) -> None:
    (path,) = (home / "objects").rglob("card.json")
    by_folder, by_arn = card(home, path.parent, "--json"), card(home, "--version-arn", VERSION, "--json")
    assert json.loads(by_folder.output) == json.loads(by_arn.output)
    assert json.loads(by_folder.output)["data"]["interactions"] == 1500


def test_training_again_gives_the_same_model(home: Path, tmp_path: Path) -> None:
    result = card(home, "--version-arn", VERSION, "--retrain", tmp_path / "again")
    assert result.exit_code == 0, result.output
    assert "every file of the model is the same" in result.output
    assert (tmp_path / "again/manifest.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "Which card is not clear"),
        (["nowhere"], "card.json is missing"),
        (["nowhere", "--retrain", "again"], "Name the version"),
        (["--version-arn", arn("solution/s/none")], "no solution version or recommender"),
    ],
)
def test_what_has_no_card_ends_with_a_sentence(home: Path, arguments: list[str], problem: str) -> None:
    result = card(home, *arguments)
    assert (result.exit_code, "Traceback" in result.output) == (1, False)
    assert problem in result.output
