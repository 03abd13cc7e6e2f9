"""Trainings: the artifact is stored as a whole, its metrics are kept, refusals are told in the service's words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.unit.jobs.rig import House, arn, csv_rows, write_csv

from matinee.control import outbox
from matinee.jobs.handlers import HANDLERS
from matinee.jobs.workflow import run_job
from matinee.training.artifact import Artifact

_POPULARITY, _SIMS = "aws-popularity-count", "aws-sims"


def test_a_version_becomes_active_with_artifact_and_metrics(house: House, tmp_path: Path) -> None:
    house.imported(write_csv(tmp_path / "a.csv", csv_rows(1500)))
    assert run_job(house.workshop, HANDLERS, house.train_job("a1", _POPULARITY)) == "DONE"
    version = house.resource(arn("solution/s/a1"))
    assert version is not None
    assert version.status == "ACTIVE"
    assert version["trainingHours"] >= 0
    assert 0 <= version.private["metrics"]["normalized_discounted_cumulative_gain_at_10"] <= 1
    artifact = Artifact.open(house.objects.local(version.private["artifact"]))
    assert artifact.n_items == 211


def test_automl_keeps_the_better_recipe(house: House, tmp_path: Path) -> None:
    house.imported(write_csv(tmp_path / "a.csv", csv_rows(1500)))
    job = house.train_job("a1", _POPULARITY, _SIMS)
    assert run_job(house.workshop, HANDLERS, job) == "DONE"
    version = house.resource(arn("solution/s/a1"))
    assert version is not None
    artifact = Artifact.open(house.objects.local(version.private["artifact"]))
    measured = artifact.manifest["search"]["automl"]["candidates"]
    assert set(measured) == {_POPULARITY, _SIMS}
    assert version["recipeArn"].rpartition("/")[2] == max(measured, key=measured.__getitem__)
    assert artifact.manifest["recipe"] == version["recipeArn"]


def test_hpo_shows_the_values_that_it_trained_with(house: House, tmp_path: Path) -> None:
    house.imported(write_csv(tmp_path / "a.csv", csv_rows(1500)))
    limits = {"hpoResourceConfig": {"maxNumberOfTrainingJobs": "3"}}
    job = house.train_job("a1", _SIMS, performHPO=True, solutionConfig={"hpoConfig": limits})
    assert run_job(house.workshop, HANDLERS, job) == "DONE"
    version = house.resource(arn("solution/s/a1"))
    assert version is not None
    tuned = version["tunedHPOParams"]["algorithmHyperParameters"]
    assert set(tuned) == {"popularity_discount_factor", "min_cointeraction_count"}
    manifest = Artifact.open(house.objects.local(version.private["artifact"])).manifest
    assert {name: str(manifest["model"]["config"][name]) for name in tuned} == tuned
    assert len(manifest["search"]["hpo"]["trials"]) == 3
    assert list(house.workshop.scratch.iterdir()) == []


def test_what_an_earlier_version_was_tuned_to_is_trained_with_and_not_looked_for_again(
    house: House, tmp_path: Path
) -> None:
    house.imported(write_csv(tmp_path / "a.csv", csv_rows(1500)))
    tuned = {"algorithmHyperParameters": {"popularity_discount_factor": "0.25", "min_cointeraction_count": "2"}}
    job = house.train_job("a1", _SIMS, performHPO=True, solutionConfig={}, tunedHPOParams=tuned, tunedAt=7)
    assert run_job(house.workshop, HANDLERS, job) == "DONE"
    version = house.resource(arn("solution/s/a1"))
    assert version is not None
    assert version["tunedHPOParams"] == tuned
    assert version.private["tuned_at"] == 7
    manifest = Artifact.open(house.objects.local(version.private["artifact"])).manifest
    assert manifest["model"]["config"]["popularity_discount_factor"] == 0.25
    assert "search" not in manifest


def test_a_search_that_is_stopped_leaves_nothing(house: House, tmp_path: Path) -> None:
    house.imported(write_csv(tmp_path / "a.csv", csv_rows(1500)))
    job = house.train_job("a1", _SIMS, performHPO=True)
    with house.database.transaction() as connection:
        outbox.request_stop(connection, arn("solution/s/a1"), at_once=False)
    assert run_job(house.workshop, HANDLERS, job) == "STOPPED"
    assert not house.objects.exists("artifacts")


def test_too_little_data_fails_in_the_services_words(house: House) -> None:
    assert run_job(house.workshop, HANDLERS, house.train_job("a1", _POPULARITY)) == "FAILED"
    status, reason = house.status(arn("solution/s/a1"))
    assert status == "CREATE FAILED"
    assert "fewer than" in str(reason)
    assert not house.objects.exists("artifacts")


def test_a_training_that_is_stopped_leaves_nothing(house: House, tmp_path: Path) -> None:
    house.imported(write_csv(tmp_path / "a.csv", csv_rows(1500)))
    job = house.train_job("a1", _POPULARITY)
    with house.database.transaction() as connection:
        outbox.request_stop(connection, arn("solution/s/a1"), at_once=False)
    assert run_job(house.workshop, HANDLERS, job) == "STOPPED"
    assert not house.objects.exists("artifacts")
    assert list(house.workshop.scratch.iterdir()) == []


def test_versions_beyond_those_to_keep_go_with_their_artifacts(house: House, tmp_path: Path) -> None:
    house.imported(write_csv(tmp_path / "a.csv", csv_rows(1500)))
    workshop = replace(house.workshop, settings=replace(house.settings, keep_versions=1))
    for version in ("a1", "b2"):
        assert run_job(workshop, HANDLERS, house.train_job(version, _POPULARITY)) == "DONE"
    assert house.resource(arn("solution/s/a1")) is None
    kept = house.resource(arn("solution/s/b2"))
    assert kept is not None
    assert {"/".join(stored.key.split("/")[:5]) for stored in house.objects.list("artifacts")} == {
        kept.private["artifact"]
    }
