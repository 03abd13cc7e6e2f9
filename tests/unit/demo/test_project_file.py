"""The demo's project file: what it asks for, with and without a Users dataset."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from matinee.demo.project_file import write_project_file
from matinee.project.reading import read_project

SCHEMA = json.dumps({"type": "record", "name": "Any", "fields": []})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Converted data in name only."""
    for kind in ("interactions", "items", "users"):
        (tmp_path / f"{kind}.csv").write_text("A,B\n")
        (tmp_path / f"{kind}.schema.json").write_text(SCHEMA)
    return tmp_path


def test_the_file_is_a_project_of_three_solutions_and_campaigns(folder: Path) -> None:
    project = read_project(write_project_file(folder))
    recipes = {one.address.key: one.request["recipeArn"].rsplit("/", 1)[-1] for one in project.of("solution")}
    assert recipes == {
        "popularity": "aws-popularity-count",
        "similar": "aws-sims",
        "personal": "aws-user-personalization-v2",
    }
    assert [one.address.key for one in project.of("campaign")] == list(recipes)
    assert [one.name for one in project.of("tracker")] == ["movies"]


def test_data_is_read_from_beside_the_file(folder: Path) -> None:
    project = read_project(write_project_file(folder))
    assert {key: [one.location for one in data] for key, data in project.data.items()} == {
        kind.upper(): [str(folder / f"{kind}.csv")] for kind in ("interactions", "items", "users")
    }


def test_without_users_the_file_names_no_users_dataset(folder: Path) -> None:
    (folder / "users.csv").unlink()
    (folder / "users.schema.json").unlink()
    project = read_project(write_project_file(folder))
    assert [one.address.key for one in project.of("dataset")] == ["INTERACTIONS", "ITEMS"]
    assert [one.name for one in project.of("schema")] == ["movies-interactions", "movies-items"]
