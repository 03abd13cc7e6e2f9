"""Two workers on one PostgreSQL: every job runs once, also when one of them is killed."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path

from tests.faults.worker_process import WorkerProcess
from tests.unit.jobs.rig import House, csv_rows, write_csv

from matinee.jobs.slots import take_slot


def test_two_workers_share_the_jobs(postgres_url: str, tmp_path: Path) -> None:
    house = House.build(tmp_path / "home", postgres_url)
    with WorkerProcess(house.settings), house.worker():
        house.await_end(*(house.settle(f"g{number}") for number in range(30)))
        jobs = [house.settle(f"h{number}") for number in range(60)]
        house.await_end(*jobs)
    assert {house.row(job).state for job in jobs} == {"DONE"}
    assert {house.row(job).attempts for job in jobs} == {1}
    house.database.close()


def test_the_living_worker_takes_up_what_the_dead_one_left(postgres_url: str, tmp_path: Path) -> None:
    house = House.build(tmp_path / "home", postgres_url)
    rows = csv_rows(2000)
    job = house.import_job("one", write_csv(tmp_path / "a.csv", rows))
    with WorkerProcess(house.settings, dies_at="import.stored") as dying:
        dying.await_death()
    slot = take_slot(house.database, threading.Event())
    assert slot is not None
    assert slot.number == 0
    held = ExitStack()
    held.enter_context(slot)
    with house.worker():  # while the dead one's slot is held, its job is nobody else's
        house.await_end(house.settle("sign-of-life"))
        assert house.row(job).state == "RUNNING"
        held.close()
        house.await_end(job)
    assert (house.row(job).state, house.row(job).attempts) == ("DONE", 2)
    assert house.rows() == rows
    house.database.close()
