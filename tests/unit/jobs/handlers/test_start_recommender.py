"""Starting a recommender: only on a model that is whole, and without a training."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.jobs.rig import GROUP, House, arn, csv_rows, write_csv

from matinee.control import records
from matinee.control.outbox import JobKind
from matinee.jobs.handlers import HANDLERS
from matinee.jobs.workflow import run_job

RECOMMENDER = arn("recommender/r")


@pytest.fixture
def artifact(house: House, tmp_path: Path) -> str:
    """The place of a model, which the stopped recommender serves."""
    house.imported(write_csv(tmp_path / "a.csv", csv_rows(1500)))
    assert run_job(house.workshop, HANDLERS, house.train_job("a1", "aws-popularity-count")) == "DONE"
    version = house.resource(arn("solution/s/a1"))
    assert version is not None
    return str(version.private["artifact"])


def _start(house: House, artifact: str | None) -> str:
    house.add(RECOMMENDER, "recommender", GROUP, "START PENDING")
    with house.database.transaction() as connection:
        found = records.find(connection, RECOMMENDER)
        assert found is not None
        records.change(connection, found, private={"artifact": artifact} if artifact else {})
    return run_job(house.workshop, HANDLERS, house.job(JobKind.START_RECOMMENDER, RECOMMENDER))


def test_a_whole_model_is_served_again(house: House, artifact: str) -> None:
    assert _start(house, artifact) == "DONE"
    found = house.resource(RECOMMENDER)
    assert found is not None
    assert (found.status, found.private["artifact"]) == ("ACTIVE", artifact)


def test_an_altered_model_is_refused(house: House, artifact: str) -> None:
    items = house.objects.local(artifact) / "items.safetensors"
    items.write_bytes(items.read_bytes()[:-1])
    assert _start(house, artifact) == "FAILED"
    status, reason = house.status(RECOMMENDER)
    assert status == "INACTIVE"
    assert "items.safetensors" in str(reason)


def test_a_recommender_without_a_model_is_refused(house: House) -> None:
    assert _start(house, None) == "FAILED"
    assert "has no trained model" in str(house.status(RECOMMENDER)[1])
