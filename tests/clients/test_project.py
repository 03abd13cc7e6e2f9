"""`matinee plan`, `apply` and `destroy` as a user runs them, on a real server: the example, and what may go wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.clients.house import listed
from typer.testing import CliRunner, Result

from matinee.cli.app import app
from matinee.data.movielens import RatingsAsEvents, convert
from matinee.data.sample import generate_sample
from matinee.demo.clients import Clients
from matinee.demo.embedded import EmbeddedServer

EXAMPLE = Path(__file__).parents[2] / "examples" / "movies" / "matinee.yaml"

SMALL = """\
prefix: {prefix}
endpoint: {endpoint}
datasetGroup: {{name: films, domain: VIDEO_ON_DEMAND}}
schemas:
  watches: data/interactions.schema.json
  films: data/items.schema.json
datasets:
  interactions: {{schema: watches, data: data/interactions.csv}}
  items: {{schema: films, data: data/items.csv}}
solutions:
  popular: {{recipe: aws-popularity-count}}
campaigns:
  popular: {{solution: popular, minProvisionedTPS: 1}}
"""

Matinee = Callable[..., Result]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder `data` as `matinee convert movielens` writes it."""
    folder = tmp_path_factory.mktemp("films")
    source = generate_sample(users=60, films=80, ratings=2500).write(folder / "source")
    convert(source, folder / "data", events=RatingsAsEvents(rule="watch-all"))
    return folder / "data"


@pytest.fixture
def folder(tmp_path: Path, films: Path) -> Path:
    """A project's folder with data of its own."""
    (tmp_path / "data").mkdir()
    for file in films.iterdir():
        (tmp_path / "data" / file.name).write_bytes(file.read_bytes())
    return tmp_path


@pytest.fixture
def prefix() -> str:
    """Names of this test alone."""
    return f"t{uuid.uuid4().hex[:6]}-"


@pytest.fixture
def matinee() -> Matinee:
    """Runs the program; a failure that was not announced fails the test with its output."""

    def run(*arguments: object, expect: int = 0) -> Result:
        often = () if arguments[0] == "plan" else ("--poll", "0.05")
        result = CliRunner().invoke(app, [*map(str, arguments), *often])
        assert result.exit_code == expect, f"{arguments}: {result.output}\n{result.exception!r}"
        return result

    return run


@pytest.fixture
def small(folder: Path, prefix: str, server: EmbeddedServer) -> Path:
    """A project that trains within a moment."""
    path = folder / "matinee.yaml"
    path.write_text(SMALL.format(prefix=prefix, endpoint=server.url))
    return path


def edit(path: Path, old: str, new: str) -> None:
    """Replace a part of a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_example_is_made_once_and_deleted_again(
    folder: Path, prefix: str, server: EmbeddedServer, clients: Clients, matinee: Matinee
) -> None:
    path = folder / "matinee.yaml"
    # A model that is counted, not trained by gradient: this test is about the file.
    quick = "solutions: {movies-personal: {recipe: aws-popularity-count, solutionConfig: null}}"
    path.write_text(EXAMPLE.read_text())
    edit(path, "prefix: dev-", f"prefix: {prefix}\n    {quick}")
    where = (path, "--environment", "dev", "--endpoint", server.url)
    assert "3 to train" in matinee("plan", *where, "--detailed-exitcode", expect=2).output
    matinee("apply", *where, "--yes", "--json", folder / "made.json")
    made = json.loads((folder / "made.json").read_text())
    answer = clients.runtime.get_recommendations(
        campaignArn=made["campaigns"]["movies-personal"], userId="1", filterArn=made["filters"]["movies-unseen"]
    )
    assert len(answer["itemList"]) > 0
    assert made["eventTracker"]["trackingId"]
    assert "Nothing to do" in matinee("plan", *where, "--detailed-exitcode").output
    matinee("destroy", *where, "--yes")
    assert "Nothing to delete" in matinee("destroy", *where, "--yes").output


def test_changed_data_is_imported_trained_on_and_deployed(small: Path, clients: Clients, matinee: Matinee) -> None:
    matinee("apply", small, "--yes", "--json", small.parent / "made.json")
    made = json.loads((small.parent / "made.json").read_text())
    data = small.parent / "data" / "interactions.csv"
    data.write_text(data.read_text() + data.read_text().splitlines()[-1] + "\n")
    edit(small, "minProvisionedTPS: 1", "minProvisionedTPS: 2")
    plan = json.loads(matinee("plan", small, "--json").output)
    assert [f"{one['verb']} {one['kind']}" for one in plan["actions"]] == [
        "import import",
        "train version",
        "update campaign",
    ]
    matinee("apply", small, "--yes")
    campaign = clients.control.describe_campaign(campaignArn=made["campaigns"]["popular"])["campaign"]
    assert campaign["solutionVersionArn"] != made["solutionVersions"]["popular"]
    assert campaign["minProvisionedTPS"] == 2
    matinee("destroy", small, "--yes")


def test_an_item_schema_with_a_new_column_moves_its_dataset(small: Path, matinee: Matinee) -> None:
    matinee("apply", small, "--yes")
    schema = small.parent / "data" / "items.schema.json"
    avro = json.loads(schema.read_text())
    avro["fields"].append({"name": "STUDIO", "type": ["null", "string"], "categorical": True})
    schema.write_text(json.dumps(avro))
    plan = json.loads(matinee("plan", small, "--json").output)
    assert [f"{one['verb']} {one['kind']} {one['key']}" for one in plan["actions"]] == [
        "create schema films",
        "update dataset ITEMS",
    ]
    matinee("apply", small, "--yes")
    assert "Nothing to do" in matinee("plan", small).output
    matinee("destroy", small, "--yes")
    assert "Nothing to delete" in matinee("destroy", small, "--yes").output


def test_what_cannot_be_changed_is_refused_until_it_may_be_replaced(small: Path, matinee: Matinee) -> None:
    matinee("apply", small, "--yes")
    edit(small, "aws-popularity-count", "aws-sims")
    refusal = matinee("apply", small, "--yes", expect=1).output
    assert "matinee.yaml:11 solutions.popular" in refusal
    assert "--replace" in refusal
    matinee("apply", small, "--yes", "--replace")
    assert "Nothing to do" in matinee("plan", small).output
    matinee("destroy", small, "--yes")


def test_a_failed_import_is_told_and_done_again_on_request(small: Path, matinee: Matinee) -> None:
    data = small.parent / "data" / "interactions.csv"
    good = data.read_text()
    lines = good.splitlines()
    lines[7] = lines[7].replace(",", ",not-a-number,")
    data.write_text("\n".join(lines) + "\n")
    output = matinee("apply", small, "--yes", expect=1).output
    assert "It ended as CREATE FAILED" in output
    assert "left out" in output
    assert "--retry" in matinee("apply", small, "--yes", expect=1).output
    data.write_text(good)
    matinee("apply", small, "--yes")
    assert "Nothing to do" in matinee("plan", small).output
    matinee("destroy", small, "--yes")


def test_local_data_is_uploaded_where_the_file_says(
    small: Path, bucket: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, clients: Clients, matinee: Matinee
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    small.write_text(f"upload: s3://{bucket}/films\n" + small.read_text())
    matinee("apply", small, "--yes")
    jobs = clients.control.list_dataset_import_jobs()["datasetImportJobs"]
    newest = max(jobs, key=lambda job: job["creationDateTime"])["datasetImportJobArn"]
    job = clients.control.describe_dataset_import_job(datasetImportJobArn=newest)["datasetImportJob"]
    assert job["dataSource"]["dataLocation"].startswith(f"s3://{bucket}/films/")
    matinee("destroy", small, "--yes")


def test_what_someone_else_added_keeps_the_group(small: Path, prefix: str, clients: Clients, matinee: Matinee) -> None:
    edit(small, "solutions:\n  popular: {recipe: aws-popularity-count}\n", "")
    edit(small, "campaigns:\n  popular: {solution: popular, minProvisionedTPS: 1}\n", "")
    matinee("apply", small, "--yes")
    groups = clients.control.get_paginator("list_dataset_groups").paginate()
    (group,) = [one for page in groups for one in page["datasetGroups"] if one["name"] == f"{prefix}films"]
    clients.control.create_event_tracker(name=f"{prefix}theirs", datasetGroupArn=group["datasetGroupArn"])
    assert f"tracker {prefix}theirs" in matinee("destroy", small, "--yes", expect=1).output
    matinee("destroy", small, "--yes", "--all")
    assert "Nothing to delete" in matinee("destroy", small, "--yes").output


def test_a_wrong_recipe_is_told_before_anything_is_made(small: Path, matinee: Matinee) -> None:
    edit(small, "aws-popularity-count", "aws-popularity-counts")
    output = matinee("apply", small, "--yes", expect=1).output
    assert "matinee.yaml:11 solutions.popular: The service has no recipe" in output
    assert "Did you mean aws-popularity-count?" in output
    assert "Nothing to delete" in matinee("destroy", small, "--yes").output


def test_nothing_happens_without_a_yes(small: Path) -> None:
    result = CliRunner().invoke(app, ["apply", str(small)], input="n\n")
    assert result.exit_code == 1
    assert "Carry this out?" in result.output
    assert "Nothing to delete" in CliRunner().invoke(app, ["destroy", str(small), "--yes"]).output


def killed(*arguments: object, when: Callable[[], bool]) -> None:
    """Run the program in a process of its own, and kill it (SIGKILL) as soon as `when` holds."""
    command = [sys.executable, "-m", "matinee", *map(str, arguments), "--yes", "--poll", "0.05"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not when() and process.poll() is None:
            threading.Event().wait(0.01)
    finally:
        process.kill()
    assert process.wait() != 0, "it was done before it could be killed"


@pytest.mark.parametrize("resource", ["DatasetGroup", "Dataset", "DatasetImportJob", "SolutionVersion", "Campaign"])
def test_what_was_killed_goes_on_and_makes_nothing_twice(
    small: Path, prefix: str, clients: Clients, matinee: Matinee, resource: str
) -> None:
    def mine(kind: str) -> list[str]:
        summaries = listed(clients, kind)
        arns = [value for one in summaries for name, value in one.items() if name == f"{kind[0].lower()}{kind[1:]}Arn"]
        return [arn for arn in arns if prefix in arn]

    killed("apply", small, when=lambda: bool(mine(resource)))
    matinee("apply", small, "--yes")
    assert "Nothing to do" in matinee("plan", small, "--detailed-exitcode").output
    made = {"DatasetGroup": 1, "Dataset": 2, "DatasetImportJob": 2, "Solution": 1, "SolutionVersion": 1, "Campaign": 1}
    assert {kind: len(mine(kind)) for kind in made} == made
    if resource == "Campaign":
        killed("destroy", small, when=lambda: not mine("Campaign"))
    matinee("destroy", small, "--yes")
    assert "Nothing to delete" in matinee("destroy", small, "--yes").output
    assert {kind: mine(kind) for kind in made} == {kind: [] for kind in made}
