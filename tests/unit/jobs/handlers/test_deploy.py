"""Deployments: a campaign becomes ACTIVE only on a version whose artifact is whole."""

from __future__ import annotations

from pathlib import Path

from tests.unit.jobs.rig import House, arn, csv_rows, write_csv

from matinee.control.outbox import JobKind
from matinee.jobs.handlers import HANDLERS
from matinee.jobs.workflow import run_job

_CAMPAIGN = arn("campaign/c")


def _trained(house: House, tmp_path: Path) -> None:
    house.imported(write_csv(tmp_path / "a.csv", csv_rows(1500)))
    assert run_job(house.workshop, HANDLERS, house.train_job("a1", "aws-popularity-count")) == "DONE"


def _deploy(house: House) -> str:
    described = {"solutionVersionArn": arn("solution/s/a1"), "campaignConfig": {}}
    house.add(_CAMPAIGN, "campaign", arn("solution/s"), "CREATE PENDING", described)
    return run_job(house.workshop, HANDLERS, house.job(JobKind.DEPLOY, _CAMPAIGN))


def test_a_whole_artifact_is_deployed(house: House, tmp_path: Path) -> None:
    _trained(house, tmp_path)
    assert _deploy(house) == "DONE"
    assert house.status(_CAMPAIGN) == ("ACTIVE", None)


def test_an_altered_artifact_is_refused(house: House, tmp_path: Path) -> None:
    _trained(house, tmp_path)
    version = house.resource(arn("solution/s/a1"))
    assert version is not None
    users = house.objects.local(version.private["artifact"]) / "users.safetensors"
    users.write_bytes(users.read_bytes()[:-1])
    assert _deploy(house) == "FAILED"
    status, reason = house.status(_CAMPAIGN)
    assert status == "CREATE FAILED"
    assert "users.safetensors" in str(reason)


def test_a_version_without_a_model_is_refused(house: House) -> None:
    house.add(arn("solution/s"), "solution", None, "ACTIVE")
    house.add(arn("solution/s/a1"), "solution-version", arn("solution/s"), "ACTIVE")
    assert _deploy(house) == "FAILED"
    assert "has no trained model" in str(house.status(_CAMPAIGN)[1])
