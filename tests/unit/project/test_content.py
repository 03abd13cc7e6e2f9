"""Fingerprints of data, and the place where the service reads it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from tests.unit.project import stage

from matinee.project.content import bring, chained, fingerprint, local_files, readable_location
from matinee.project.desired import DataFile
from matinee.project.problems import ProjectProblem
from matinee.project.service import Service


@pytest.fixture
def service(s3_endpoint: str) -> Service:
    """A service of one's own, with S3 at the moto endpoint."""
    own = Service.of(stage.project(), "http://127.0.0.1:1")
    return replace(own, s3=boto3.client("s3", endpoint_url=s3_endpoint, region_name="us-east-1"))


def local(path: Path, version: str | None = None) -> DataFile:
    """A file or folder on this machine."""
    return DataFile(f"{path}/" if path.is_dir() else str(path), {}, version, stage.PLACE)


def test_a_local_file_is_known_by_its_content(tmp_path: Path, service: Service) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text("a")
    two.write_text("a")
    assert fingerprint(local(one), service.s3) == fingerprint(local(two), service.s3)
    two.write_text("b")
    assert fingerprint(local(one), service.s3) != fingerprint(local(two), service.s3)


def test_a_folder_is_all_its_files_but_the_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", ".hidden", "_SUCCESS"):
        (tmp_path / name).write_text(name)
    assert [path.name for path in local_files(local(tmp_path))] == ["a.csv", "b.csv"]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectProblem, match="holds no files"):
        local_files(local(tmp_path))


def test_a_version_stands_for_the_content(tmp_path: Path, service: Service) -> None:
    file = tmp_path / "one.csv"
    file.write_text("a")
    before = fingerprint(local(file, "1"), service.s3)
    file.write_text("b")
    assert fingerprint(local(file, "1"), service.s3) == before


@pytest.mark.parametrize("key", ["d/day.csv", "d/"])
def test_objects_are_known_by_their_etags(service: Service, bucket: str, key: str) -> None:
    data = DataFile(f"s3://{bucket}/{key}", {}, None, stage.PLACE)
    service.s3.put_object(Bucket=bucket, Key="d/day.csv", Body=b"a")
    service.s3.put_object(Bucket=bucket, Key="d/deeper/other.csv", Body=b"x")
    before = fingerprint(data, service.s3)
    service.s3.put_object(Bucket=bucket, Key="d/deeper/other.csv", Body=b"y")
    assert fingerprint(data, service.s3) == before
    service.s3.put_object(Bucket=bucket, Key="d/day.csv", Body=b"b")
    assert fingerprint(data, service.s3) != before


def test_a_place_with_nothing_is_refused(service: Service, bucket: str) -> None:
    with pytest.raises(ProjectProblem, match="There is nothing at"):
        fingerprint(DataFile(f"s3://{bucket}/none.csv", {}, None, stage.PLACE), service.s3)


def test_a_bucket_that_cannot_be_listed_is_refused_with_a_way_out(service: Service) -> None:
    with pytest.raises(ProjectProblem, match="give a `version` beside the location"):
        fingerprint(DataFile("s3://no-such-bucket-here/a.csv", {}, None, stage.PLACE), service.s3)


def test_each_hash_depends_on_all_before_it() -> None:
    files = (DataFile("/a", {}, None, stage.PLACE), DataFile("/b", {}, None, stage.PLACE))
    first, second = chained(("1", "2"), files)
    assert chained(("9", "2"), files)[1] != second
    assert chained(("1", "9"), files)[0] == first


def test_a_server_of_ones_own_reads_the_file_where_it_is(tmp_path: Path, service: Service) -> None:
    file = tmp_path / "one.csv"
    file.write_text("a")
    assert readable_location(local(file), service, None) == file.as_uri()
    assert readable_location(local(tmp_path), service, None) == f"{tmp_path.as_uri()}/"


def test_aws_needs_a_place_to_upload_to(tmp_path: Path, service: Service) -> None:
    (tmp_path / "one.csv").write_text("a")
    with pytest.raises(ProjectProblem, match="Give `upload: s3://bucket/folder`"):
        readable_location(local(tmp_path), replace(service, is_aws=True), None)


def test_an_upload_goes_where_its_content_says_and_only_once(tmp_path: Path, service: Service, bucket: str) -> None:
    (tmp_path / "one.csv").write_text("a")
    location = readable_location(local(tmp_path), service, f"s3://{bucket}/up/")
    assert location.startswith(f"s3://{bucket}/up/")
    bring(local(tmp_path), location, service.s3)
    key = location.removeprefix(f"s3://{bucket}/") + "one.csv"
    first = service.s3.head_object(Bucket=bucket, Key=key)["LastModified"]
    bring(local(tmp_path), location, service.s3)
    assert service.s3.head_object(Bucket=bucket, Key=key)["LastModified"] == first
