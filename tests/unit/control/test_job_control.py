"""Jobs are looked at, cancelled and tried again; their resources go through legal states only."""

from __future__ import annotations

import pytest
from tests.unit.jobs.conftest import house as house
from tests.unit.jobs.orders import run
from tests.unit.jobs.rig import House, arn, csv_rows, write_csv

from matinee.control import job_control, lifecycle
from matinee.control.job_control import CANCELLED, JobRow
from matinee.errors import InvalidInput, ResourceInUse, ResourceNotFound

_IMPORT = arn("dataset-import-job/late")


def _cancel(house: House, job: str) -> JobRow:
    with house.database.transaction() as connection:
        return job_control.cancel(connection, house.settings, job)


def _retry(house: House, job: str) -> JobRow:
    with house.database.transaction() as connection:
        return job_control.retry(connection, job)


def test_a_waiting_import_is_cancelled_and_tried_again(house: House) -> None:
    location = write_csv(house.settings.home / "a.csv", csv_rows(1000))
    job = house.import_job("late", location)
    assert _cancel(house, job).state == "FAILED"
    assert house.status(_IMPORT) == ("CREATE FAILED", CANCELLED)
    assert run(house, job) == "NOTHING"
    again = _retry(house, job)
    assert again.id != job
    assert house.status(_IMPORT) == ("CREATE PENDING", None)
    assert run(house, again.id) == "DONE"
    assert house.status(_IMPORT) == ("ACTIVE", None)
    assert len(house.rows()) == 1000


def test_a_running_training_stops_as_the_api_stops_it(house: House) -> None:
    job = house.train_job("a1", "aws-popularity-count")
    with house.database.transaction() as connection:
        assert lifecycle.begin(connection, job) is not None
    assert _cancel(house, job).state == "RUNNING"
    assert house.status(arn("solution/s/a1"))[0] == "CREATE STOPPING"
    assert house.row(job).cancel_requested


def test_what_has_ended_or_only_deletes_is_not_cancelled(house: House) -> None:
    settled = house.settle("g")
    assert run(house, settled) == "DONE"
    with pytest.raises(InvalidInput, match="has ended"):
        _cancel(house, settled)
    with pytest.raises(InvalidInput, match="cannot be cancelled"):
        _cancel(house, house.delete(arn("dataset-group/g")))
    with pytest.raises(InvalidInput, match="only FAILED and STOPPED"):
        _retry(house, settled)


def test_nothing_is_tried_again_inside_what_is_being_deleted(house: House) -> None:
    job = house.import_job("late", "file:///none/")
    _cancel(house, job)
    house.delete(arn("dataset/films/INTERACTIONS"))
    with pytest.raises(ResourceInUse, match="being deleted"):
        _retry(house, job)


def test_jobs_are_listed_newest_first_and_found_by_their_beginning(house: House) -> None:
    first, second = house.settle("g1"), house.settle("g2")
    run(house, first)
    with house.database.read() as connection:
        assert {row.id for row in job_control.listed(connection)} == {first, second}
        assert [row.id for row in job_control.listed(connection, only=["DONE"])] == [first]
        assert job_control.listed(connection, kinds=["import"]) == []
        assert job_control.one(connection, second[:13]).id == second
        with pytest.raises(ResourceNotFound):
            job_control.one(connection, "none")
