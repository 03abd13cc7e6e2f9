"""Batch jobs by the clock: each time makes one job, a missed one is made up for once, zones are minded."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.unit.jobs.conftest import house as house
from tests.unit.jobs.rig import ACCOUNT, REGION, House, arn

from matinee.control import batch_schedules
from matinee.control.batch_schedules import Schedule, next_time, start_scheduled
from matinee.errors import InvalidInput, ResourceNotFound

_DAY = 86_400_000
_REQUEST = {
    "solutionArn": arn("solution/s"),
    "jobInput": {"s3DataSource": {"path": "file:///in/users.json"}},
    "jobOutput": {"s3DataDestination": {"path": "file:///out/"}},
    "roleArn": "arn:aws:iam::123456789012:role/personalize",
    "numResults": 5,
}


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("cron", "zone", "after", "following"),
    [
        ("0 3 * * *", "UTC", "2026-11-23T02:59", "2026-11-23T03:00"),
        ("0 3 * * *", "UTC", "2026-11-23T03:00", "2026-11-24T03:00"),
        ("0 3 * * *", "Europe/Berlin", "2026-07-01T00:30", "2026-07-01T01:00"),
        ("0 3 * * *", "Europe/Berlin", "2026-12-01T00:30", "2026-12-01T02:00"),
        ("*/15 * * * 1", "UTC", "2026-11-24T00:00", "2026-11-30T00:00"),
    ],
)
def test_the_next_time(cron: str, zone: str, after: str, following: str) -> None:
    assert next_time(cron, zone, _ms(after)) == _ms(following)


@pytest.mark.parametrize(("cron", "zone"), [("0 3 * *", "UTC"), ("0 25 * * *", "UTC"), ("0 3 * * *", "Mars/Base")])
def test_what_is_no_schedule(cron: str, zone: str) -> None:
    with pytest.raises(InvalidInput):
        next_time(cron, zone, 0)


def _nightly(house: House, *, version: bool = True) -> Schedule:
    recipe = {"recipeArn": "arn:aws:personalize:::recipe/aws-popularity-count", "solutionArn": arn("solution/s")}
    described = {**recipe, "datasetGroupArn": arn("dataset-group/films")}
    house.add(arn("solution/s"), "solution", arn("dataset-group/films"), "ACTIVE", described)
    if version:
        house.add(arn("solution/s/a1"), "solution-version", arn("solution/s"), "ACTIVE", described)
    with house.database.transaction() as connection:
        return batch_schedules.add(connection, "nightly", "0 3 * * *", "UTC", _REQUEST)


def test_a_time_makes_one_job_and_missed_ones_one_together(house: House) -> None:
    made = _nightly(house)
    assert start_scheduled(house.database, house.settings, made.next_at - 1) == []
    late = made.next_at + 3 * _DAY + 1
    (job,) = start_scheduled(house.database, house.settings, late)
    assert start_scheduled(house.database, house.settings, late) == []
    found = house.resource(job)
    assert found is not None
    assert (found.kind, found.status) == ("batch-inference-job", "CREATE PENDING")
    assert found["solutionVersionArn"] == arn("solution/s/a1")
    assert found["jobOutput"]["s3DataDestination"]["path"] == f"file:///out/{found.name}/"
    with house.database.read() as connection:
        (kept,) = batch_schedules.every(connection)
    assert (kept.last_result, kept.next_at) == (job, made.next_at + 4 * _DAY)


def test_why_no_job_was_made_is_kept(house: House) -> None:
    made = _nightly(house, version=False)
    assert start_scheduled(house.database, house.settings, made.next_at) == []
    with house.database.transaction() as connection:
        (kept,) = batch_schedules.every(connection)
        assert kept.last_result == f"{arn('solution/s')} has no ACTIVE version."
        batch_schedules.remove(connection, ACCOUNT, REGION, "nightly")
        assert batch_schedules.every(connection) == []
        with pytest.raises(ResourceNotFound):
            batch_schedules.remove(connection, ACCOUNT, REGION, "nightly")
