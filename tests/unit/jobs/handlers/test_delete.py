"""Deletions: rows and objects go together, and neither goes twice."""

from __future__ import annotations

from pathlib import Path

from tests.unit.jobs.rig import DATASET, House, csv_rows, write_csv

from matinee.control.outbox import JobKind
from matinee.jobs.handlers import HANDLERS
from matinee.jobs.workflow import run_job


def test_a_deleted_dataset_takes_its_parts_along(house: House, tmp_path: Path) -> None:
    run_job(house.workshop, HANDLERS, house.import_job("one", write_csv(tmp_path / "a.csv", csv_rows(1000))))
    assert len(house.stored_keys()) == 1
    assert run_job(house.workshop, HANDLERS, house.delete(DATASET)) == "DONE"
    assert house.resource(DATASET) is None
    assert house.part_keys() == []
    assert house.stored_keys() == []


def test_a_deletion_of_what_is_gone_does_nothing(house: House) -> None:
    run_job(house.workshop, HANDLERS, house.delete(DATASET))
    again = house.job(JobKind.DELETE, DATASET)
    assert run_job(house.workshop, HANDLERS, again) == "NOTHING"
