"""Customers' locations: what is found, what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from matinee.errors import DataProblem
from matinee.storage.locations import inside, list_sources, open_output


@pytest.fixture
def s3(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, bucket: str) -> str:
    """A bucket with a folder of data in it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    client = boto3.client("s3")
    for key in (
        "data/",
        "data/b.csv",
        "data/a.csv",
        "data/_SUCCESS",
        "data/deeper/c.csv",
        "data.csv",
        "database/x.csv",
    ):
        client.put_object(Bucket=bucket, Key=key, Body=key.encode())
    return bucket


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of data on disk."""
    for name in ("b.csv", "a.csv", ".hidden", "_SUCCESS", "deeper/c.csv"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "data"


def test_an_s3_key_is_one_file(s3: str) -> None:
    (source,) = list_sources(f"s3://{s3}/data/a.csv")
    assert (source.name, source.size) == (f"s3://{s3}/data/a.csv", 10)
    with source.open() as stream:
        assert stream.read() == b"data/a.csv"


@pytest.mark.parametrize("closing", ["/", ""])
def test_an_s3_folder_is_its_first_level_in_order(s3: str, closing: str) -> None:
    names = [source.name for source in list_sources(f"s3://{s3}/data{closing}")]
    assert names == [f"s3://{s3}/data/a.csv", f"s3://{s3}/data/b.csv"]


def test_a_bucket_alone_is_its_first_level(s3: str) -> None:
    assert [source.name for source in list_sources(f"s3://{s3}")] == [f"s3://{s3}/data.csv"]


@pytest.mark.parametrize("key", ["nothing.csv", "nothing/", "dat"])
def test_an_s3_location_with_nothing_is_invalid(s3: str, key: str) -> None:
    with pytest.raises(DataProblem, match=rf"^Invalid Data location\. At file s3://{s3}/{key}\."):
        list_sources(f"s3://{s3}/{key}")


def test_a_bucket_that_is_not_there_says_what_s3_answered(s3: str) -> None:
    with pytest.raises(DataProblem, match=r"^Invalid Data location\..*NoSuchBucket"):
        list_sources(f"s3://{s3}-other/x.csv")


def test_a_large_object_streams_whole(s3: str) -> None:
    content = bytes(range(256)) * 20_000
    boto3.client("s3").put_object(Bucket=s3, Key="large.csv", Body=content)
    (source,) = list_sources(f"s3://{s3}/large.csv")
    with source.open() as stream:
        assert stream.read() == content


def test_an_object_replaced_while_it_is_read_is_told(s3: str) -> None:
    (source,) = list_sources(f"s3://{s3}/data.csv")
    boto3.client("s3").put_object(Bucket=s3, Key="data.csv", Body=b"other content")
    with source.open() as stream, pytest.raises(DataProblem, match="replaced while it was read"):
        stream.read()


def test_missing_credentials_are_insufficient_privileges(
    s3: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(DataProblem, match=rf"^Insufficient privileges for accessing data in S3\..*policy on {s3}\."):
        list_sources(f"s3://{s3}/data/")


def test_a_file_url_is_one_file(folder: Path) -> None:
    (source,) = list_sources(f"file://{folder}/a.csv")
    assert (source.name, source.size) == (str(folder / "a.csv"), 5)
    with source.open() as stream:
        assert stream.read() == b"a.csv"


@pytest.mark.parametrize("closing", ["/", ""])
def test_a_file_folder_is_its_first_level_in_order(folder: Path, closing: str) -> None:
    names = [Path(source.name).name for source in list_sources(f"file://{folder}{closing}")]
    assert names == ["a.csv", "b.csv"]


@pytest.mark.parametrize(
    "location",
    [
        "",
        "a.csv",
        "/data/a.csv",
        "http://host/a.csv",
        "s3://",
        "s3:///key",
        "file://host/a.csv",
        "file:a.csv",
        "file:///a%00b",
    ],
)
def test_what_is_no_location_is_invalid(location: str) -> None:
    with pytest.raises(DataProblem, match=r"^Invalid Data location\."):
        list_sources(location)


def test_a_file_named_as_a_folder_is_invalid(folder: Path) -> None:
    with pytest.raises(DataProblem, match="leave the closing / out"):
        list_sources(f"file://{folder}/a.csv/")


@pytest.mark.parametrize("way", ["{folder}/../secret.csv", "{folder}/link.csv", "{folder}/%2e%2e/secret.csv"])
def test_nothing_outside_the_roots_is_reached(folder: Path, way: str) -> None:
    secret = folder.parent / "secret.csv"
    secret.write_text("secret")
    (folder / "link.csv").symlink_to(secret)
    with pytest.raises(DataProblem, match="MATINEE_FILE_ROOTS"):
        list_sources(f"file://{way.format(folder=folder)}", roots=[folder])


def test_a_link_in_a_folder_is_followed_only_within_the_roots(folder: Path) -> None:
    (folder.parent / "secret.csv").write_text("secret")
    (folder / "link.csv").symlink_to(folder.parent / "secret.csv")
    inside = [Path(source.name).name for source in list_sources(f"file://{folder}/", roots=[folder])]
    anywhere = [Path(source.name).name for source in list_sources(f"file://{folder}/")]
    assert inside == ["a.csv", "b.csv"]
    assert anywhere == ["a.csv", "b.csv", "link.csv"]


def test_an_output_appears_when_it_is_complete(tmp_path: Path, s3: str) -> None:
    for location in (f"file://{tmp_path}/out/result.csv", f"s3://{s3}/out/result.csv"):
        with open_output(location) as output:
            output.write(b"written")
        (source,) = list_sources(location)
        with source.open() as stream:
            assert stream.read() == b"written"


def _half_written(location: str) -> None:
    with open_output(location) as output:
        output.write(b"half")
        raise ValueError("broken")


def test_what_a_killed_writer_left_is_taken_over_by_its_next_attempt(tmp_path: Path) -> None:
    location = f"file://{tmp_path}/out.csv"
    killed = open_output(location, writer="job-1")
    killed.__enter__().write(b"half of it, and nobody ever")  # what kill -9 leaves: the block never ends
    assert [path.name for path in tmp_path.iterdir()] == [".out.csv.job-1"]
    with open_output(location, writer="job-1") as output:
        output.write(b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    assert (tmp_path / "out.csv").read_bytes() == b"whole"


def test_an_output_that_fails_never_appears(tmp_path: Path, s3: str) -> None:
    for location in (f"file://{tmp_path}/out/result.csv", f"s3://{s3}/out/result.csv"):
        with pytest.raises(ValueError, match="broken"):
            _half_written(location)
        with pytest.raises(DataProblem, match="Invalid Data location"):
            list_sources(location)
    assert list((tmp_path / "out").iterdir()) == []


def test_an_output_outside_the_roots_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(DataProblem, match="MATINEE_FILE_ROOTS"),
        open_output(f"file://{tmp_path}/x.csv", roots=[tmp_path / "inside"]),
    ):
        pytest.fail("the output was opened")


def test_deep_reaches_the_folders_below(s3: str, folder: Path) -> None:
    names = [source.name for source in list_sources(f"s3://{s3}/data/", deep=True)]
    assert names == [f"s3://{s3}/data/{name}" for name in ("a.csv", "b.csv", "deeper/c.csv")]
    (folder / "deeper" / ".hidden").mkdir()
    (folder / "deeper" / ".hidden" / "d.csv").write_text("d")
    found = [source.name for source in list_sources(f"file://{folder}/", deep=True)]
    assert found == [str(folder / name) for name in ("a.csv", "b.csv", "deeper/c.csv")]


def test_a_version_changes_with_the_content(s3: str, folder: Path) -> None:
    (before,) = list_sources(f"s3://{s3}/data/a.csv")
    boto3.client("s3").put_object(Bucket=s3, Key="data/a.csv", Body=b"data/x.csv")
    (after,) = list_sources(f"s3://{s3}/data/a.csv")
    assert before.size == after.size
    assert before.version != after.version
    (before,) = list_sources(f"file://{folder}/a.csv")
    (folder / "new").write_text("other")
    (folder / "new").replace(folder / "a.csv")
    (after,) = list_sources(f"file://{folder}/a.csv")
    assert before.version != after.version


@pytest.mark.parametrize("closing", ["/", ""])
def test_a_name_inside_a_folder_may_hold_anything(folder: Path, closing: str) -> None:
    assert inside(f"s3://bucket{closing}", "a b.out") == "s3://bucket/a b.out"
    with open_output(inside(f"file://{folder}{closing}", "100% #1.out")) as output:
        output.write(b"x")
    assert (folder / "100% #1.out").read_bytes() == b"x"
