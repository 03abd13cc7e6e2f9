"""The S3 store: copies are checked, refusals are told."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from matinee.errors import SettingsProblem, StorageProblem
from matinee.storage.s3 import S3Objects


@pytest.fixture
def _endpoint(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)


@pytest.mark.usefixtures("_endpoint")
def test_a_changed_object_is_refused(bucket: str, tmp_path: Path) -> None:
    store = S3Objects(bucket, "place", cache=tmp_path)
    store.put_bytes("key", b"content")
    client = boto3.client("s3")
    metadata = client.head_object(Bucket=bucket, Key="place/key")["Metadata"]
    client.put_object(Bucket=bucket, Key="place/key", Body=b"altered", Metadata=metadata)
    with pytest.raises(StorageProblem, match="not what was stored"):
        store.local("key")


@pytest.mark.usefixtures("_endpoint")
def test_a_copy_is_fetched_once(bucket: str, tmp_path: Path) -> None:
    store = S3Objects(bucket, "", cache=tmp_path)
    store.put_bytes("key", b"content")
    first = store.local("key")
    again = S3Objects(bucket, "", cache=tmp_path).local("key")
    assert again == first
    assert first.stat().st_ino == again.stat().st_ino


@pytest.mark.usefixtures("_endpoint")
def test_a_bucket_that_is_not_there_is_told(tmp_path: Path) -> None:
    store = S3Objects("no-such-bucket-here", "", cache=tmp_path)
    with pytest.raises(StorageProblem, match="does not exist"):
        store.put_bytes("key", b"content")


def test_missing_credentials_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, s3_endpoint: str) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    with pytest.raises(SettingsProblem, match="AWS_ACCESS_KEY_ID"):
        S3Objects("bucket", "", cache=tmp_path)


@pytest.mark.usefixtures("_endpoint")
def test_copies_of_a_deleted_object_go_and_others_stay(bucket: str, tmp_path: Path) -> None:
    store = S3Objects(bucket, "", cache=tmp_path)
    for key in ("a/one", "a/two", "b/one"):
        store.put_bytes(key, b"content")
    one, folder, other = store.local("a/one"), store.local("a"), store.local("b/one")
    store.delete_prefix("a/one")
    assert [path.exists() for path in (one, folder, other)] == [False, False, True]
