"""The worker from the outside: jobs that are written get done, failures are told, and only one holds a slot."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.jobs.rig import GROUP, PATIENCE, House, arn, csv_rows, write_csv

from matinee.control import outbox, records, states
from matinee.control.outbox import JobKind
from matinee.control.records import Resource, now_ms
from matinee.control.training_schedule import HOUR
from matinee.errors import JobFailed
from matinee.jobs.task import Outcome, Task
from matinee.jobs.worker import Worker


def _fails(_: Task) -> Outcome:
    raise JobFailed("The sky is too low. Raise it.")


def _breaks(_: Task) -> Outcome:
    raise ValueError("unforeseen")


def test_jobs_settle_their_resources(house: House) -> None:
    ids = [house.settle(f"g{number}") for number in range(20)]
    with house.worker():
        house.await_end(*ids)
    assert {house.status(arn(f"dataset-group/g{number}")) for number in range(20)} == {("ACTIVE", None)}
    assert {house.row(job).attempts for job in ids} == {1}


def test_a_job_written_while_the_worker_runs_is_seen(house: House) -> None:
    with house.worker():
        house.await_end(house.settle("first"))
        house.await_end(house.settle("second"))
    assert house.status(arn("dataset-group/second")) == ("ACTIVE", None)


def test_a_failure_is_the_resources_reason(house: House) -> None:
    job = house.settle("g")
    with house.worker({JobKind.SETTLE: _fails}):
        house.await_end(job)
    assert house.status(arn("dataset-group/g")) == ("CREATE FAILED", "The sky is too low. Raise it.")
    assert (house.row(job).state, house.row(job).reason) == ("FAILED", "The sky is too low. Raise it.")


def test_an_unforeseen_error_fails_the_job_and_not_the_worker(house: House) -> None:
    job = house.settle("g")
    with house.worker({JobKind.SETTLE: _breaks}):
        house.await_end(job)
    status, reason = house.status(arn("dataset-group/g"))
    assert status == "CREATE FAILED"
    assert reason is not None
    assert reason.startswith("Internal error: ValueError: unforeseen.")


def test_a_kind_without_handler_fails_with_its_name(house: House) -> None:
    job = house.settle("g")
    with house.worker({}):
        house.await_end(job)
    assert house.status(arn("dataset-group/g"))[1] == "This server cannot carry out jobs of kind 'settle'."


def test_a_running_job_stops_when_it_is_asked_to(house: House) -> None:
    started = threading.Event()

    def endless(task: Task) -> Outcome:
        started.set()
        while True:
            task.check()

    house.add(arn("solution/s/1"), "solution-version", None, "CREATE PENDING", {"solutionArn": arn("solution/s")})
    job = house.job(JobKind.TRAIN, arn("solution/s/1"))
    with house.worker({JobKind.TRAIN: endless}):
        assert started.wait(60)
        with house.database.transaction() as connection:
            outbox.request_stop(connection, arn("solution/s/1"), at_once=False)
        house.await_end(job)
    assert house.row(job).state == "STOPPED"


def test_a_job_that_does_not_hear_that_it_should_stop_has_ended_all_the_same(house: House) -> None:
    started, go, done = threading.Event(), threading.Event(), threading.Event()

    def deaf(task: Task) -> Outcome:
        task.objects.put_bytes(f"{task.claim('artifacts/of-the-deaf')}/model", b"")
        started.set()
        assert go.wait(PATIENCE)
        done.set()
        return Outcome(private={"artifact": "artifacts/of-the-deaf"})

    version = arn("solution/s/1")
    house.add(version, "solution-version", None, "CREATE PENDING", {"solutionArn": arn("solution/s")})
    job = house.job(JobKind.TRAIN, version)
    with house.worker({JobKind.TRAIN: deaf}):
        assert started.wait(PATIENCE)
        with house.database.transaction() as connection:
            states.advance(connection, version, "CREATE STOPPING")
            outbox.request_stop(connection, version, at_once=False)
        house.await_end(job)
        assert house.status(version) == ("CREATE STOPPED", None)
        go.set()
        assert done.wait(PATIENCE)
        _await(lambda: not house.objects.exists("artifacts/of-the-deaf"))
    assert house.status(version) == ("CREATE STOPPED", None)


def test_progress_reaches_the_table(house: House) -> None:
    def half_way(task: Task) -> Outcome:
        task.report(0.5, "half way", 3.0, {"loss": 1.25})
        return Outcome()

    job = house.settle("g")
    with house.worker({JobKind.SETTLE: half_way}):
        house.await_end(job)
    assert house.row(job).progress == {
        "fraction": 0.5,
        "message": "half way",
        "seconds_left": 3.0,
        "metrics": {"loss": 1.25},
    }


def test_an_orderly_end_lets_running_jobs_finish(house: House) -> None:
    started, go = threading.Event(), threading.Event()

    def waits(_: Task) -> Outcome:
        started.set()
        assert go.wait(60)
        return Outcome()

    job = house.settle("g")
    stop = threading.Event()
    worker = threading.Thread(
        target=Worker(house.settings, handlers={JobKind.SETTLE: waits}).run, args=(stop,), kwargs={"drain_seconds": 60}
    )
    worker.start()
    assert started.wait(60)
    stop.set()
    go.set()
    worker.join()
    assert house.row(job).state == "DONE"


# On PostgreSQL the abandoned thread would leave its connection open; tests/faults does it there with kill -9.
@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_what_an_ended_worker_left_running_is_taken_up(house: House) -> None:
    started, stuck = threading.Event(), threading.Event()

    def hangs(_: Task) -> Outcome:
        started.set()
        stuck.wait(60)
        raise JobFailed("The first attempt is over and must change nothing any more.")

    job = house.settle("g")
    stop = threading.Event()
    worker = threading.Thread(
        target=Worker(house.settings, handlers={JobKind.SETTLE: hangs}).run, args=(stop,), kwargs={"drain_seconds": 0}
    )
    worker.start()
    assert started.wait(60)
    stop.set()
    worker.join()
    with house.worker():
        house.await_end(job)
        stuck.set()
    assert (house.row(job).state, house.row(job).attempts) == ("DONE", 2)
    assert house.status(arn("dataset-group/g")) == ("ACTIVE", None)


def test_jobs_survive_the_loss_of_the_engines_file(house: House) -> None:
    job = house.settle("g")
    with house.database.transaction() as connection:
        outbox.mark(connection, job, "DISPATCHED")
    with house.worker():
        house.await_end(job)
    assert house.row(job).state == "DONE"


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)  # PostgreSQL has a slot for each
def test_a_second_worker_waits_for_the_slot(house: House) -> None:
    stop = threading.Event()
    second = Worker(house.settings)
    with house.worker():
        house.await_end(house.settle("first"))
        waiting = threading.Thread(target=second.run, args=(stop,))
        waiting.start()
        house.await_end(house.settle("second"))
        assert waiting.is_alive()
        stop.set()
        waiting.join()
    assert house.status(arn("dataset-group/second")) == ("ACTIVE", None)


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)  # a file to look into
def test_the_database_of_jobs_holds_no_pickle(house: House, tmp_path: Path) -> None:
    job = house.settle("g")
    with house.worker():
        house.await_end(job)
    content = b"".join(path.read_bytes() for path in (tmp_path / "home").glob("matinee.jobs.db*"))
    assert b"portable_json" in content
    assert b"py_pickle" not in content


def test_the_points_of_a_job_are_told_in_order(house: House) -> None:
    told: list[str] = []
    stop = threading.Event()
    worker = threading.Thread(target=Worker(house.settings, reached=told.append).run, args=(stop,))
    worker.start()
    house.await_end(house.settle("g"))
    _await(lambda: "settle.committed" in told)  # the job's row says so a moment before the worker does
    stop.set()
    worker.join()
    assert told == ["settle.begun", "settle.handled", "settle.committing", "settle.committed"]


def _automatic(house: House, tmp_path: Path) -> str:
    """A solution that is trained automatically, and interactions; gives its ARN."""
    house.imported(write_csv(tmp_path / "a.csv", csv_rows(1500)))
    recipe = "arn:aws:personalize:::recipe/aws-popularity-count"
    described = {
        "datasetGroupArn": GROUP,
        "recipeArn": recipe,
        "performHPO": False,
        "performAutoML": False,
        "performAutoTraining": True,
        "solutionConfig": {},
    }
    house.add(arn("solution/s"), "solution", GROUP, "ACTIVE", described)
    return arn("solution/s")


def _versions(house: House, solution: str) -> list[Resource]:
    with house.database.read() as connection:
        return records.children(connection, solution, "solution-version")


def test_a_training_that_is_due_is_started_and_carried_out(house: House, tmp_path: Path) -> None:
    solution = _automatic(house, tmp_path)
    stop = threading.Event()
    worker = threading.Thread(target=Worker(house.settings, clock=lambda: now_ms() + 2 * HOUR).run, args=(stop,))
    worker.start()
    _await(lambda: [version.status for version in _versions(house, solution)] == ["ACTIVE"])
    stop.set()
    worker.join()
    (version,) = _versions(house, solution)
    assert (version["trainingMode"], version["trainingType"]) == ("AUTOTRAIN", "AUTOMATIC")


def test_automatic_training_can_be_turned_off(house: House, tmp_path: Path) -> None:
    solution = _automatic(house, tmp_path)
    stop = threading.Event()
    settings = replace(house.settings, auto_training=False)
    worker = threading.Thread(target=Worker(settings, clock=lambda: now_ms() + 2 * HOUR).run, args=(stop,))
    worker.start()
    house.await_end(house.settle("g"))
    stop.set()
    worker.join()
    assert _versions(house, solution) == []


def _await(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.02)
