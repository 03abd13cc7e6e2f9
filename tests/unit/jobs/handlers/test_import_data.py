"""Imports: what arrives, what is replaced, and that a bad file changes nothing."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest
from tests.unit.jobs.rig import House, arn, csv_rows, write_csv

from matinee.control import outbox
from matinee.jobs.handlers import HANDLERS
from matinee.jobs.workflow import run_job


def _import(house: House, name: str, location: str, mode: str = "FULL") -> str:
    return run_job(house.workshop, HANDLERS, house.import_job(name, location, mode))


def test_every_row_arrives_in_order(house: House, tmp_path: Path) -> None:
    rows = csv_rows(1500)
    assert _import(house, "one", write_csv(tmp_path / "a.csv", rows)) == "DONE"
    assert house.rows() == rows
    assert house.status(arn("dataset-import-job/one")) == ("ACTIVE", None)


def test_a_folder_arrives_file_by_file(house: House, tmp_path: Path) -> None:
    rows = csv_rows(2000)
    write_csv(tmp_path / "in" / "2.csv", rows[1000:])
    write_csv(tmp_path / "in" / "1.csv", rows[:1000])
    assert _import(house, "one", f"file://{tmp_path}/in/") == "DONE"
    assert house.rows() == rows


def test_an_import_from_s3(
    house: House, s3_endpoint: str, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    rows = csv_rows(1000)
    write_csv(tmp_path / "a.csv", rows)
    boto3.client("s3").upload_file(str(tmp_path / "a.csv"), bucket, "in/a.csv")
    assert _import(house, "one", f"s3://{bucket}/in/") == "DONE"
    assert house.rows() == rows


def test_full_replaces_and_the_old_object_goes(house: House, tmp_path: Path) -> None:
    _import(house, "one", write_csv(tmp_path / "a.csv", csv_rows(1000)))
    rows = csv_rows(1200, start=5000)
    _import(house, "two", write_csv(tmp_path / "b.csv", rows))
    assert house.rows() == rows
    assert house.stored_keys() == house.part_keys()


def test_incremental_adds(house: House, tmp_path: Path) -> None:
    first, second = csv_rows(1000), csv_rows(1000, start=1000)
    _import(house, "one", write_csv(tmp_path / "a.csv", first))
    _import(house, "two", write_csv(tmp_path / "b.csv", second), "INCREMENTAL")
    assert house.rows() == first + second


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("USER_ID,ITEM_ID\nu,i\n", "Input CSV is missing the following columns: [TIMESTAMP]."),
        ("", "The file is empty."),
        ("USER_ID,ITEM_ID,TIMESTAMP\nu,i,1\n", "needs at least 1000 rows"),
        ("USER_ID,ITEM_ID,TIMESTAMP\n" + "u,i,1\n" * 1000 + "u,i,late\n", "line 1002, column TIMESTAMP"),
    ],
)
def test_a_bad_file_fails_with_the_place_and_changes_nothing(
    house: House, tmp_path: Path, content: str, reason: str
) -> None:
    before = csv_rows(1000)
    _import(house, "good", write_csv(tmp_path / "good.csv", before))
    (tmp_path / "bad.csv").write_text(content)
    assert _import(house, "bad", f"file://{tmp_path}/bad.csv") == "FAILED"
    status, said = house.status(arn("dataset-import-job/bad"))
    assert status == "CREATE FAILED"
    assert said is not None
    assert reason in said
    assert "bad.csv" in said
    assert house.rows() == before
    assert house.stored_keys() == house.part_keys()


def test_a_location_that_is_not_there_fails_in_the_services_words(house: House, tmp_path: Path) -> None:
    assert _import(house, "bad", f"file://{tmp_path}/nothing.csv") == "FAILED"
    assert str(house.status(arn("dataset-import-job/bad"))[1]).startswith("Invalid Data location.")


def test_a_full_import_leaves_what_was_asked_for_later(house: House, tmp_path: Path) -> None:
    early, late = csv_rows(1000), csv_rows(1000, start=1000)
    first = house.import_job("first", write_csv(tmp_path / "a.csv", early))
    second = house.import_job("second", write_csv(tmp_path / "b.csv", late), "INCREMENTAL")
    run_job(house.workshop, HANDLERS, second)
    run_job(house.workshop, HANDLERS, first)
    assert sorted(house.rows()) == sorted(early + late)


def test_a_full_import_that_ends_after_a_later_one_is_without_effect(house: House, tmp_path: Path) -> None:
    late = csv_rows(1000, start=1000)
    first = house.import_job("first", write_csv(tmp_path / "a.csv", csv_rows(1000)))
    second = house.import_job("second", write_csv(tmp_path / "b.csv", late))
    run_job(house.workshop, HANDLERS, second)
    run_job(house.workshop, HANDLERS, first)
    assert house.rows() == late
    assert house.stored_keys() == house.part_keys()


def test_an_import_that_is_stopped_leaves_nothing(house: House, tmp_path: Path) -> None:
    job = house.import_job("one", write_csv(tmp_path / "a.csv", csv_rows(1000)))
    with house.database.transaction() as connection:
        outbox.request_stop(connection, arn("dataset-import-job/one"), at_once=False)
    assert run_job(house.workshop, HANDLERS, job) == "STOPPED"
    assert house.rows() == []
    assert house.stored_keys() == []


def test_working_files_are_gone_at_the_end(house: House, tmp_path: Path) -> None:
    _import(house, "one", write_csv(tmp_path / "a.csv", csv_rows(1000)))
    assert list(house.workshop.scratch.iterdir()) == []
