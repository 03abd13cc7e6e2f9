"""kill -9 during a training: after the restart the version ends ACTIVE, and is never half there before."""

from __future__ import annotations

from pathlib import Path

from tests.faults.worker_process import WorkerProcess
from tests.unit.jobs.rig import House, arn, csv_rows, write_csv

from matinee.training.artifact import Artifact


def test_a_kill_at_every_point_of_a_training(tmp_path: Path) -> None:
    house = House.build(tmp_path / "home")
    house.imported(write_csv(tmp_path / "a.csv", csv_rows(1500)))
    job = house.train_job("a1", "aws-popularity-count")
    for point in ("fitted", "stored", "committing"):
        with WorkerProcess(house.settings, dies_at=f"train.{point}") as worker:
            worker.await_death()
        version = house.resource(arn("solution/s/a1"))
        assert version is not None
        assert version.status == "CREATE IN_PROGRESS"
        assert version.private == {}
    with house.worker():
        house.await_end(job)
    version = house.resource(arn("solution/s/a1"))
    assert version is not None
    assert version.status == "ACTIVE"
    assert Artifact.open(house.objects.local(version.private["artifact"])).n_items == 211
    assert list(house.workshop.scratch.iterdir()) == []
    house.database.close()
