"""A whole project file, and what each mistake in it is told as."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from matinee.project.desired import Address, Project, Reference, Retraining
from matinee.project.problems import ProjectProblem
from matinee.project.reading import read_project

TEXT = """\
datasetGroup: {name: films, domain: VIDEO_ON_DEMAND}
schemas:
  watches: watches.json
datasets:
  interactions: {schema: watches, data: watches.csv}
solutions:
  personal: {recipe: aws-user-personalization-v2}
campaigns:
  home: {solution: personal, minProvisionedTPS: 1}
recommenders:
  top: {recipe: aws-vod-top-picks}
filters:
  unseen: EXCLUDE ItemID WHERE INTERACTIONS.EVENT_TYPE IN ("watch")
eventTracker: clicks
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a project file beside a schema and data."""
    (tmp_path / "watches.json").write_text('{"type": "record", "name": "Interactions", "fields": []}')
    (tmp_path / "watches.csv").write_text("USER_ID,ITEM_ID,TIMESTAMP\n")

    def file(text: str) -> Path:
        path = tmp_path / "m.yaml"
        path.write_text(text)
        return path

    return file


def request(project: Project, kind: str, key: str) -> dict[str, object]:
    """What Create would get."""
    wanted = project.get(Address(kind, key))
    assert wanted is not None
    return dict(wanted.request)


def test_resources_come_in_the_order_in_which_they_can_be_made(write: Write) -> None:
    project = read_project(write(TEXT))
    kinds = [wanted.address.kind for wanted in project.resources]
    assert kinds == ["group", "schema", "dataset", "tracker", "filter", "solution", "campaign", "recommender"]


def test_names_come_from_keys_and_references_stay_references(write: Write) -> None:
    project = read_project(write(TEXT))
    assert request(project, "campaign", "home") == {
        "solutionVersionArn": Reference(Address("version", "personal")),
        "minProvisionedTPS": 1,
    }
    assert next(project.of("dataset")).name == "films-interactions"


def test_automatic_training_is_off_unless_asked_for(write: Write) -> None:
    project = read_project(write(TEXT))
    assert request(project, "solution", "personal")["performAutoTraining"] is False
    assert project.retraining == {"personal": Retraining.ON_CHANGE}


def test_a_solution_that_trains_by_itself_is_trained_once(write: Write) -> None:
    text = TEXT.replace("v2}", "v2, performAutoTraining: true}")
    assert read_project(write(text)).retraining == {"personal": Retraining.ONCE}


def test_a_campaign_that_follows_by_itself_names_the_newest_version(write: Write) -> None:
    text = TEXT.replace("TPS: 1}", "TPS: 1, campaignConfig: {syncWithLatestSolutionVersion: true}}")
    version = request(read_project(write(text)), "campaign", "home")["solutionVersionArn"]
    assert version == Reference(Address("solution", "personal"), "/$LATEST")


def test_an_environment_gives_a_prefix_and_changes_members(write: Write) -> None:
    text = (
        TEXT + "environments:\n  dev:\n    prefix: dev-\n    campaigns: {home: {minProvisionedTPS: 3}}\n    filters:\n"
    )
    project = read_project(write(text), "dev")
    assert {wanted.name for wanted in project.resources} >= {"dev-films", "dev-home", "dev-films-interactions"}
    assert request(project, "campaign", "home")["minProvisionedTPS"] == 3
    assert list(project.of("filter")) == []


def test_an_environment_has_to_be_chosen(write: Write) -> None:
    with pytest.raises(ProjectProblem, match="Add --environment with one of: dev, production"):
        read_project(write(TEXT + "environments: {dev: {}, production: {}}\n"))


def test_an_unknown_environment_is_refused(write: Write) -> None:
    with pytest.raises(ProjectProblem, match=r"no environment 'prod'\. Did you mean production"):
        read_project(write(TEXT + "environments: {dev: {}, production: {}}\n"), "prod")


def test_data_comes_with_the_role_and_increments_after_the_first(write: Write) -> None:
    role = "arn:aws:iam::123456789012:role/r"
    text = TEXT.replace("data: watches.csv", "data: [watches.csv, s3://b/day2.csv]") + f"roleArn: {role}\n"
    files = read_project(write(text)).data["INTERACTIONS"]
    assert [file.request for file in files] == [
        {"importMode": "FULL", "roleArn": role},
        {"importMode": "INCREMENTAL", "roleArn": role},
    ]
    assert [file.is_local for file in files] == [True, False]


def test_a_file_uri_is_a_local_file(write: Write, tmp_path: Path) -> None:
    text = TEXT.replace("data: watches.csv", f"data: {(tmp_path / 'watches.csv').as_uri()}")
    assert read_project(write(text)).data["INTERACTIONS"][0].location == str(tmp_path / "watches.csv")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("campaigns:", "campains:", r"m\.yaml:8 campains: Unknown key 'campains'. Did you mean campaigns"),
        ("solution: personal", "solution: personnal", "no solution 'personnal'. Did you mean personal"),
        ("solution: personal, ", "", r"m\.yaml:9 campaigns\.home: The key solution is missing"),
        ("schema: watches", "schema: x", "The file has no schema 'x'"),
        ("interactions: {", "interaction: {", "no dataset type. Did you mean interactions"),
        ("watches.json", "other.json", r"m\.yaml:3 schemas\.watches\.?.*: .*other\.json cannot be read"),
        ("watches.json", "watches.csv", "is not an Avro schema in JSON"),
        ("data: watches.csv", "data: none.csv", "There is no file or folder"),
        ("data: watches.csv", "data: ftp://x/y", "cannot be imported from"),
        ("data: watches.csv", "data: {location: watches.csv, importMode: INCREMENTAL}", "first import .* must be FULL"),
        ("data: watches.csv", "data: {version: 1}", "The key location is missing"),
        ("datasetGroup: {name: films", "datasetGroup: {naame: films", "Unknown key 'naame'. Did you mean name"),
        ("datasetGroup: {name: films, domain: VIDEO_ON_DEMAND}", "prefix: x", "The key datasetGroup is missing"),
        (", domain: VIDEO_ON_DEMAND", "", "Recommenders exist only in a domain dataset group"),
        ("domain: VIDEO_ON_DEMAND", "domain: VIDEOS", "'VIDEOS' is none of the known values"),
        ("recipe: aws-user-personalization-v2", "train: once", "The key recipe is missing"),
        ("recipe: aws-user-personalization-v2", "recipe: r, train: weekly", "'weekly' is no way to train"),
        ("home: {", "my home: {", "'my home' does not have the form"),
        ("home: {solution: personal, minProvisionedTPS: 1}", "home: 3", "A mapping belongs here, not '3'"),
        ("eventTracker: clicks", "eventTracker: {nam: x}", "Unknown key 'nam'. Did you mean name"),
        ("eventTracker: clicks", "upload: bucket/x", "is no S3 place"),
        ("eventTracker: clicks", "upload: s3://", "names no bucket"),
    ],
)
def test_each_mistake_is_told_with_its_place_and_fix(write: Write, old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(ProjectProblem, match=said):
        read_project(write(TEXT.replace(old, new)))


def test_a_name_used_twice_is_refused(write: Write) -> None:
    text = TEXT.replace("TPS: 1}", "TPS: 1}\n  other: {solution: personal, name: home}")
    with pytest.raises(ProjectProblem, match=r"m\.yaml:10 campaigns\.other: The name 'home' is that of campaign home"):
        read_project(write(text))


def test_several_mistakes_are_told_at_once(write: Write) -> None:
    text = TEXT.replace("minProvisionedTPS: 1", "minProvisionedTPS: 0").replace("aws-vod-top-picks", "x, y: 1")
    with pytest.raises(ProjectProblem) as refusal:
        read_project(write(text))
    assert [problem.place.line for problem in refusal.value.problems] == [9, 11]
