"""One job: attempts, fencing, and what happens when the database is away."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.unit.jobs.rig import House, arn, csv_rows, write_csv

from matinee.control.outbox import JobKind
from matinee.errors import JobFailed
from matinee.jobs import workflow
from matinee.jobs.handlers import HANDLERS
from matinee.jobs.task import Outcome, Task
from matinee.jobs.workflow import MOST_ATTEMPTS, run_job
from matinee.storage.metadata import jobs


def test_a_job_that_has_ended_is_not_done_again(house: House) -> None:
    job = house.settle("g")
    assert run_job(house.workshop, HANDLERS, job) == "DONE"
    assert run_job(house.workshop, HANDLERS, job) == "NOTHING"
    assert house.row(job).attempts == 1


def test_a_job_that_does_not_exist_is_nothing(house: House) -> None:
    assert run_job(house.workshop, HANDLERS, "no such job") == "NOTHING"


def test_a_job_that_kills_its_worker_again_and_again_is_given_up(house: House) -> None:
    job = house.settle("g")
    with house.database.transaction() as connection:
        connection.execute(sa.update(jobs).values(attempts=MOST_ATTEMPTS, state="RUNNING"))
    assert run_job(house.workshop, HANDLERS, job) == "FAILED"
    assert "want of memory" in str(house.status(arn("dataset-group/g"))[1])


def test_an_attempt_that_was_overtaken_changes_nothing(house: House, tmp_path: Path) -> None:
    """Two workers believe that the job is theirs; only the one that began last may end it."""
    job = house.import_job("one", write_csv(tmp_path / "a.csv", csv_rows(1000)))

    def overtaken(task: Task) -> Outcome:
        outcome = HANDLERS[JobKind.IMPORT](task)
        assert run_job(house.workshop, HANDLERS, task.job.id) == "DONE"
        return outcome

    assert run_job(house.workshop, {JobKind.IMPORT: overtaken}, job) == "NOTHING"
    assert house.rows() == csv_rows(1000)
    assert house.stored_keys() == house.part_keys()


def test_a_failure_after_being_overtaken_changes_nothing(house: House, tmp_path: Path) -> None:
    job = house.import_job("one", write_csv(tmp_path / "a.csv", csv_rows(1000)))

    def overtaken(task: Task) -> Outcome:
        assert run_job(house.workshop, HANDLERS, task.job.id) == "DONE"
        raise JobFailed("too late")

    assert run_job(house.workshop, {JobKind.IMPORT: overtaken}, job) == "NOTHING"
    assert house.status(arn("dataset-import-job/one")) == ("ACTIVE", None)
    assert house.rows() == csv_rows(1000)


def test_a_database_that_is_away_for_a_moment_fails_no_job(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflow, "_DATABASE_WAITS", (0.0, 0.0))
    tries: list[int] = []

    def unlucky(task: Task) -> Outcome:
        tries.append(task.attempt)
        if len(tries) < 3:
            raise sa.exc.OperationalError("SELECT 1", None, Exception("the server closed the connection"))
        return Outcome()

    assert run_job(house.workshop, {JobKind.SETTLE: unlucky}, house.settle("g")) == "DONE"
    assert tries == [1, 2, 3]


def test_too_little_memory_is_said(house: House) -> None:
    def greedy(_: Task) -> Outcome:
        raise MemoryError

    assert run_job(house.workshop, {JobKind.SETTLE: greedy}, house.settle("g")) == "FAILED"
    assert "not enough memory" in str(house.status(arn("dataset-group/g"))[1])


def test_what_a_failed_handler_wrote_is_removed(house: House) -> None:
    def half(task: Task) -> Outcome:
        task.objects.put_bytes(task.claim("datasets/half") + "/x", b"half")
        raise JobFailed("no more")

    run_job(house.workshop, {JobKind.SETTLE: half}, house.settle("g"))
    assert not house.objects.exists("datasets/half")


def test_an_object_that_a_dead_attempt_left_is_removed_first(house: House) -> None:
    house.objects.put_bytes("datasets/half/x", b"left by a dead attempt")
    seen: list[bool] = []

    def again(task: Task) -> Outcome:
        task.claim("datasets/half")
        seen.append(task.objects.exists("datasets/half"))
        return Outcome()

    run_job(house.workshop, {JobKind.SETTLE: again}, house.settle("g"))
    assert seen == [False]
