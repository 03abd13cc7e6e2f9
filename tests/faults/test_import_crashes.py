"""kill -9 during imports: after the restart the job ends, no row is lost or doubled, nothing is half visible."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.faults.worker_process import WorkerProcess
from tests.unit.jobs.rig import DATASET, House, arn, csv_rows, write_csv

_POINTS = {"sqlite": ("begun", "stored", "committing"), "postgresql": ("stored", "committing")}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_kill_at_every_point_of_an_import(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue("postgres_url") if kind == "postgresql" else None
    house = House.build(tmp_path / "home", url)
    before, after = csv_rows(1000), csv_rows(3000, start=7000)
    house.imported(write_csv(tmp_path / "a.csv", before))
    job = house.import_job("second", write_csv(tmp_path / "b.csv", after))
    for point in _POINTS[kind]:
        with WorkerProcess(house.settings, dies_at=f"import.{point}") as worker:
            worker.await_death()
        assert house.status(arn("dataset-import-job/second")) == ("CREATE IN_PROGRESS", None)
        assert house.rows() == before
    with WorkerProcess(house.settings, dies_at="import.committed") as worker:
        worker.await_death()
    assert house.status(arn("dataset-import-job/second")) == ("ACTIVE", None)
    assert house.rows() == after
    with house.worker():
        house.await_end(house.settle("sign-of-life"))
    assert house.rows() == after
    assert house.stored_keys() == house.part_keys()
    assert house.row(job).attempts == len(_POINTS[kind]) + 1
    house.database.close()


def test_kills_at_random_while_many_imports_run(tmp_path: Path) -> None:
    chance = random.Random(20_26)
    house = House.build(tmp_path / "home")
    expected = csv_rows(6000)
    jobs = [
        house.import_job(
            f"job{number}",
            write_csv(tmp_path / f"{number}.csv", expected[number * 1000 : (number + 1) * 1000]),
            "INCREMENTAL" if number else "FULL",
        )
        for number in range(6)
    ]
    for _ in range(3):
        with WorkerProcess(house.settings) as worker:
            worker.crash(chance, longest=4.0)
        assert len(house.rows()) % 1000 == 0
    with house.worker():
        house.await_end(*jobs)
    assert {house.row(job).state for job in jobs} == {"DONE"}
    assert sorted(house.rows()) == sorted(expected)
    assert sorted(house.stored_keys()) == sorted(house.part_keys())
    house.database.close()


def test_a_kill_during_a_deletion_leaves_nothing_behind(tmp_path: Path) -> None:
    house = House.build(tmp_path / "home")
    house.imported(write_csv(tmp_path / "a.csv", csv_rows(1000)))
    deleted = house.delete(DATASET)
    with WorkerProcess(house.settings, dies_at="delete.committed") as worker:
        worker.await_death()
    assert house.resource(DATASET) is None
    with house.worker():
        house.await_end(deleted, house.settle("sign-of-life"))
    assert house.stored_keys() == []
    house.database.close()
