"""Quotas of size: a job whose input is too large fails before it begins, and says how much it may take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.jobs.orders import batch_job, deletion_job, run, segment_job, trained, write_lines
from tests.unit.jobs.rig import House, arn, csv_rows, write_csv

from matinee.errors import JobFailed
from matinee.jobs.sizes import check_bytes, check_files, check_records
from matinee.quotas import Limit
from matinee.settings import Settings
from matinee.storage.locations import SourceFile, list_sources


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house on SQLite."""
    built = House.build(tmp_path / "home")
    yield built
    built.database.close()


def limited(house: House, **limits: int) -> House:
    """The same house with other quotas, their names with underscores."""
    given = tuple(Limit(name.replace("_", "-"), number) for name, number in limits.items())
    return House(replace(house.settings, quotas=given), house.database, house.objects)


def reason(house: House, resource: str) -> str:
    """Why a resource failed."""
    status, why = house.status(arn(resource))
    assert status in ("CREATE FAILED", "FAILED")
    return str(why)


@pytest.mark.parametrize("mode", ["FULL", "INCREMENTAL"])
def test_an_import_may_have_so_many_bytes(house: House, tmp_path: Path, mode: str) -> None:
    location = write_csv(tmp_path / "rows.csv", csv_rows(1500))
    other = "INCREMENTAL" if mode == "FULL" else "FULL"
    small = limited(house, **{f"{mode.lower()}_import_bytes": 1000})
    assert run(small, small.import_job("large", location, mode)) == "FAILED"
    assert f"an import with importMode {mode} takes 1,000 at most" in reason(house, "dataset-import-job/large")
    assert run(small, small.import_job("other", location, other)) == "DONE"


def test_a_data_deletion_may_have_so_many_bytes(house: House, tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("USER_ID\nuser1\n")
    small = limited(house, data_deletion_bytes=10)
    assert run(small, deletion_job(small, f"file://{tmp_path}/users.csv")) == "FAILED"
    assert "a data deletion takes 10 at most" in reason(house, "data-deletion-job/forget")


def test_lines_of_batch_inference(house: House, tmp_path: Path) -> None:
    version = trained(house, tmp_path, "aws-popularity-count")
    write_lines(tmp_path / "in" / "a.json", [{"userId": "a"}])
    write_lines(tmp_path / "in" / "b.json", [{"userId": str(number)} for number in range(4)])
    source, target = f"file://{tmp_path}/in/", f"file://{tmp_path}/out/"
    few = limited(house, batch_records=3)
    assert run(few, batch_job(few, version, source, target)) == "FAILED"
    assert "b.json has more than 3 lines" in reason(house, "batch-inference-job/batch")
    assert not (tmp_path / "out").exists()
    enough = limited(house, batch_records=4)
    assert run(enough, batch_job(enough, version, source, target, "again")) == "DONE"


def test_files_and_bytes_of_a_batch_job(house: House, tmp_path: Path) -> None:
    version = trained(house, tmp_path, "aws-popularity-count")
    for name in ("a", "b", "c"):
        write_lines(tmp_path / "in" / f"{name}.json", [{"userId": "a"}])
    source, target = f"file://{tmp_path}/in/", f"file://{tmp_path}/out/"
    few = limited(house, batch_files=2)
    assert run(few, batch_job(few, version, source, target, "files")) == "FAILED"
    assert "has 3 files; a batch job takes 2 at most" in reason(house, "batch-inference-job/files")
    small = limited(house, batch_bytes=20)
    assert run(small, batch_job(small, version, source, target, "bytes")) == "FAILED"
    assert "a batch job takes 20 at most" in reason(house, "batch-inference-job/bytes")


def test_the_services_queries_of_segments(house: House, tmp_path: Path) -> None:
    version = trained(house, tmp_path, "aws-item-affinity")
    real = House(replace(house.settings, aws_quotas=True), house.database, house.objects)
    source = write_lines(tmp_path / "in.json", [{"itemId": "film1"}] * 501)
    assert run(real, segment_job(real, version, source, f"file://{tmp_path}/out")) == "FAILED"
    assert "in.json has more than 500 lines, the most in a file for aws-item-affinity" in reason(
        house, "batch-segment-job/segment"
    )
    assert run(house, segment_job(house, version, source, f"file://{tmp_path}/out", "generous")) == "DONE"


@pytest.mark.parametrize(
    ("quota", "lines", "kept"),
    [
        ("item-affinity-queries", 500, True),
        ("item-affinity-queries", 501, False),
        ("attribute-affinity-queries", 10, True),
        ("attribute-affinity-queries", 11, False),
        ("themed-records", 100, True),
        ("themed-records", 101, False),
    ],
)
def test_the_services_lines_blank_ones_aside(tmp_path: Path, quota: str, lines: int, kept: bool) -> None:
    (tmp_path / "in.json").write_text("{}\n\n" * lines)
    sources = list_sources(f"file://{tmp_path}/in.json")
    check_records(sources, Settings(), quota, "a job")
    if kept:
        check_records(sources, Settings(aws_quotas=True), quota, "a job")
    else:
        with pytest.raises(JobFailed, match="more than"):
            check_records(sources, Settings(aws_quotas=True), quota, "a job")


@pytest.mark.parametrize(
    ("quota", "size"),
    [
        ("full-import-bytes", 100 * 10**9),
        ("incremental-import-bytes", 10**9),
        ("data-deletion-bytes", 100 * 10**6),
        ("batch-bytes", 10**9),
    ],
)
def test_the_services_bytes(quota: str, size: int) -> None:
    half = SourceFile("half.csv", size // 2)
    check_bytes([half, half], Settings(aws_quotas=True), quota, "a job")
    with pytest.raises(JobFailed, match=f"takes {size:,} at most"):
        check_bytes([half, half, SourceFile("one.csv", 1)], Settings(aws_quotas=True), quota, "a job")


def test_the_services_files() -> None:
    check_files([SourceFile("a", 1)] * 1000, Settings(aws_quotas=True))
    check_files([SourceFile("a", 1)] * 1001, Settings())
    with pytest.raises(JobFailed, match="takes 1,000 at most"):
        check_files([SourceFile("a", 1)] * 1001, Settings(aws_quotas=True))
