"""The dispatcher: in order, once, quick jobs only as far as there is room."""

from __future__ import annotations

from tests.unit.jobs.rig import House, arn

from matinee.control import outbox as control
from matinee.control.outbox import JobKind
from matinee.jobs.outbox import dispatch, unfinished


def test_jobs_go_in_the_order_of_writing_and_once(house: House) -> None:
    ids = [house.settle(f"g{number}") for number in range(3)]
    started: list[str] = []
    assert dispatch(house.database, lambda job, _: started.append(job), room=8) == 3
    assert dispatch(house.database, lambda job, _: started.append(job), room=8) == 0
    assert sorted(started) == sorted(ids)
    assert {house.row(job).state for job in ids} == {"DISPATCHED"}


def test_quick_jobs_wait_for_room_and_heavy_ones_do_not(house: House) -> None:
    quick = [house.settle(f"g{number}") for number in range(3)]
    heavy = house.job(JobKind.TRAIN, arn("solution/s/1"))
    started: list[tuple[str, str]] = []
    dispatch(house.database, lambda job, kind: started.append((job, kind)), room=1)
    assert (heavy, "train") in started
    assert len(started) == 2
    assert sum(house.row(job).state == "QUEUED" for job in quick) == 2


def test_a_job_that_began_meanwhile_stays_running(house: House) -> None:
    job = house.settle("g")

    def start(job_id: str, _: str) -> None:
        with house.database.transaction() as connection:
            control.mark(connection, job_id, "RUNNING")

    dispatch(house.database, start, room=8)
    assert house.row(job).state == "RUNNING"
    assert unfinished(house.database) == [(job, "settle")]
