"""Exports: what was imported, what was streamed, both; and that import reads what export wrote."""

from __future__ import annotations

import csv
from pathlib import Path

import boto3
import pytest
from tests.unit.jobs.orders import add_users, export_job, put_event, put_user, run
from tests.unit.jobs.rig import DATASET, House, arn, csv_rows, write_csv


def _exported(house: House, folder: Path, mode: str, kind: str = "INTERACTIONS") -> list[list[str]]:
    """The rows of the exported file, header first."""
    assert run(house, export_job(house, f"file://{folder}/", mode, mode, kind)) == "DONE"
    with (folder / f"{mode}.csv").open(newline="") as file:
        return list(csv.reader(file))


def test_bulk_is_what_was_imported(house: House, tmp_path: Path) -> None:
    rows = csv_rows(1000)
    house.imported(write_csv(tmp_path / "a.csv", rows))
    put_event(house, "ann", "film1")
    header, *found = _exported(house, tmp_path / "out", "BULK")
    assert header == ["USER_ID", "ITEM_ID", "TIMESTAMP"]
    assert found == [[user, item, str(at)] for user, item, at in rows]


def test_put_is_what_was_streamed_a_session_under_its_users_name(house: House, tmp_path: Path) -> None:
    house.imported(write_csv(tmp_path / "a.csv", csv_rows(1000)))
    put_event(house, None, "film1", session="evening")
    put_event(house, "ann", "film2", session="evening")
    put_event(house, None, "film3", session="nobodys")
    _, *found = _exported(house, tmp_path / "out", "PUT")
    at = "2000000000"
    assert found == [["ann", "film1", at], ["ann", "film2", at], ["", "film3", at]]


def test_equal_rows_are_there_once(house: House, tmp_path: Path) -> None:
    rows = csv_rows(1000)
    house.imported(write_csv(tmp_path / "a.csv", [*rows, *rows[:10]]))
    user, item, at = rows[0]
    put_event(house, user, item, at=at)
    assert len(_exported(house, tmp_path / "out", "ALL")) == 1001


def test_all_has_only_the_newest_record_of_a_user(house: House, tmp_path: Path) -> None:
    add_users(house, tmp_path, {"ann": "old", "bob": "imported"})
    put_user(house, "ann", "newer")
    put_user(house, "ann", "newest")
    assert sorted(_exported(house, tmp_path / "out", "ALL", "USERS")[1:]) == [["ann", "newest"], ["bob", "imported"]]
    assert _exported(house, tmp_path / "out", "PUT", "USERS")[1:] == [["ann", "newer"], ["ann", "newest"]]


def test_import_reads_what_export_wrote(house: House, tmp_path: Path) -> None:
    rows = csv_rows(1000)
    odd = [('a"b', "x,y", 1), ("back\\slash", 'both\\",', 2), ("ü", "plain", 3)]
    house.imported(write_csv(tmp_path / "a.csv", rows))
    for user, item, at in odd:
        put_event(house, user, item, session=user, at=at)
    assert run(house, export_job(house, f"file://{tmp_path}/out", "ALL")) == "DONE"
    house.imported(f"file://{tmp_path}/out/export.csv")
    assert house.rows() == [*rows, *odd]


def test_a_dataset_without_rows_gives_the_header_alone(house: House, tmp_path: Path) -> None:
    assert _exported(house, tmp_path / "out", "ALL") == [["USER_ID", "ITEM_ID", "TIMESTAMP"]]


def test_streamed_events_without_an_interactions_schema(house: House, tmp_path: Path) -> None:
    described = {"datasetGroupArn": arn("dataset-group/films"), "datasetType": "EVENT_INTERACTIONS"}
    house.add(arn("dataset/films/EVENT_INTERACTIONS"), "dataset", DATASET, "ACTIVE", described)
    put_event(house, "ann", "film1")
    header, row = _exported(house, tmp_path / "out", "PUT", "EVENT_INTERACTIONS")
    assert header == ["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE"]
    assert row == ["ann", "film1", "2000000000", "watch", ""]


def test_an_export_to_s3(
    house: House, s3_endpoint: str, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    put_event(house, "ann", "film1")
    assert run(house, export_job(house, f"s3://{bucket}/out", "PUT")) == "DONE"
    body = boto3.client("s3").get_object(Bucket=bucket, Key="out/export.csv")["Body"].read()
    assert body == b"USER_ID,ITEM_ID,TIMESTAMP\nann,film1,2000000000\n"
    assert list(house.workshop.scratch.iterdir()) == []
