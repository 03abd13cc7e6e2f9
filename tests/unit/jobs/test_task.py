"""A task: progress is not written too often, stopping is asked of the table, working files are the job's own."""

from __future__ import annotations

import pytest
from tests.unit.jobs.rig import GROUP, House, arn

from matinee.control import lifecycle, outbox
from matinee.control.outbox import Job
from matinee.errors import JobFailed, JobStopped
from matinee.jobs.task import Task


def _begun(house: House) -> Task:
    job_id = house.settle("g")
    with house.database.transaction() as connection:
        job = lifecycle.begin(connection, job_id)
    assert isinstance(job, Job)
    return Task(house.workshop, job, attempt=1)


def test_only_the_first_of_two_quick_reports_is_written(house: House) -> None:
    task = _begun(house)
    task.report(0.1, "first")
    task.report(0.2, "second")
    assert house.row(task.job.id).progress["message"] == "first"


def test_metrics_of_a_report_that_was_not_written_show_with_the_next(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = _begun(house)
    task.report(0.1, "epoch 1", metrics={"loss": 3.0})
    task.report(0.2, "epoch 1", metrics={"loss": 2.5, "ndcg_at_10": 0.25})
    assert house.row(task.job.id).progress["metrics"] == {"loss": 3.0}
    monkeypatch.setattr("matinee.jobs.task._REPORT_SECONDS", 0.0)
    task.report(0.3, "epoch 2", 40.0, {"loss": 2.0})
    written = house.row(task.job.id).progress
    assert written["metrics"] == {"loss": 2.0, "ndcg_at_10": 0.25}
    assert (written["message"], written["seconds_left"]) == ("epoch 2", 40.0)


def test_a_request_to_stop_is_seen(house: House) -> None:
    task = _begun(house)
    with house.database.transaction() as connection:
        outbox.request_stop(connection, task.job.arn, at_once=False)
    with pytest.raises(JobStopped, match="dataset-group/g"):
        task.check()


def test_a_newer_attempt_stops_the_older(house: House) -> None:
    task = _begun(house)
    with house.database.transaction() as connection:
        lifecycle.begin(connection, task.job.id)
    assert task.should_stop()


def test_a_task_that_nobody_stops_goes_on(house: House) -> None:
    task = _begun(house)
    assert not task.should_stop()


def test_attempts_share_their_working_files(house: House) -> None:
    task = _begun(house)
    (task.scratch / "checkpoint").write_text("half")
    again = Task(house.workshop, task.job, attempt=2)
    assert (again.scratch / "checkpoint").read_text() == "half"
    again.tidy()
    assert list(again.scratch.iterdir()) == []


def test_resources_are_found_or_named(house: House) -> None:
    task = _begun(house)
    assert task.resource(GROUP).arn == GROUP
    with pytest.raises(JobFailed, match="solution/none does not exist"):
        task.resource(arn("solution/none"))
