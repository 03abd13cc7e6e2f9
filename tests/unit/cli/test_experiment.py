"""`matinee experiment`: what it refuses, and how many users it says are needed. A whole run: tests/clients."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from matinee.cli.app import app

ARN = "arn:aws:personalize:us-east-1:123456789012:"
GOOD = ("--campaign", f"{ARN}campaign/c", "--version", f"{ARN}solution/s/a", "--version", f"{ARN}solution/s/b")


def experiment(home: Path, *arguments: str, expect: int = 1) -> Result:
    where = () if arguments[0] == "size" else ("--home", str(home))
    done = CliRunner().invoke(app, ["experiment", *arguments, *where])
    assert done.exit_code == expect, f"{done.output}\n{done.exception!r}"
    return done


@pytest.mark.parametrize(
    ("name", "more", "told"),
    [
        ("e", (), "campaign/c does not exist"),
        ("no spaces", (), "The name 'no spaces' is not valid"),
        ("e", ("--mode", "both"), "The mode must be split or interleave"),
        ("e", ("--mode", "interleave", "--version", f"{ARN}solution/s/c"), "takes 2 to 2 different versions, not 3"),
        ("e", ("--version", f"{ARN}solution/s/a"), "different versions"),
        ("e", ("--share", "0.9", "--share", "0.2"), "add up to 1"),
        ("e", ("--share", "1"), "one for each version"),
        ("e", ("--alpha", "1.5"), "alpha must lie between 0 and 1"),
        ("e", ("--window", "0"), "must be above 0"),
        ("e", ("--users", "0"), "must be above 0"),
    ],
)
def test_what_is_wrong_with_a_design_is_said(tmp_path: Path, name: str, more: tuple[str, ...], told: str) -> None:
    assert told in experiment(tmp_path, "create", name, *GOOD, *more).output
    assert experiment(tmp_path, "list", expect=0).output == ""


@pytest.mark.parametrize("command", [("status", "e"), ("stop", "e"), ("promote", "e", "--arm", "1")])
def test_an_unknown_experiment_is_told(tmp_path: Path, command: tuple[str, ...]) -> None:
    assert "There is no experiment e." in experiment(tmp_path, *command).output


def test_the_users_needed_grow_as_the_lift_shrinks(tmp_path: Path) -> None:
    def needed(lift: str) -> int:
        told = experiment(tmp_path, "size", "--rate", "0.1", "--lift", lift, expect=0).output
        return int(told.split(" users")[0].replace(",", ""))

    assert needed("0.2") < needed("0.1") < needed("0.05")


@pytest.mark.parametrize("values", [("0", "0.1"), ("0.1", "0"), ("1.5", "0.1"), ("0.9", "0.5")])
def test_a_size_that_cannot_be_is_refused(tmp_path: Path, values: tuple[str, str]) -> None:
    experiment(tmp_path, "size", "--rate", values[0], "--lift", values[1], expect=2)
