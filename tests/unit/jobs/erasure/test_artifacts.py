"""Artifacts and deletions: a training that began before is waited for."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.unit.jobs.orders import deletion_job, run, trained
from tests.unit.jobs.rig import House, arn

from matinee.control import outbox


def test_a_training_that_runs_is_waited_for_and_its_end_ends_the_waiting(house: House, tmp_path: Path) -> None:
    trained(house, tmp_path, "aws-popularity-count")
    training = house.train_job("b2", "aws-popularity-count")
    with house.database.transaction() as connection:
        outbox.mark(connection, training, "RUNNING")
    (tmp_path / "gone.csv").write_text("USER_ID\nuser3\n")
    job = deletion_job(house, f"file://{tmp_path}/gone.csv")
    # The parts' names, not their rows: a part that is replaced goes while it is being read.
    before = house.part_keys()
    deleting = threading.Thread(target=run, args=(house, job))
    deleting.start()
    while house.part_keys() == before and deleting.is_alive():
        threading.Event().wait(0.02)
    assert "user3" not in {user for user, _, _ in house.rows()}
    assert house.row(job).state == "RUNNING"
    with house.database.transaction() as connection:
        outbox.mark(connection, training, "DONE")
    deleting.join()
    assert house.status(arn("data-deletion-job/forget")) == ("COMPLETED", None)
