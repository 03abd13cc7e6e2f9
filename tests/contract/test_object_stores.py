"""What every object store must do, run on each backend: local disk and S3."""

from __future__ import annotations

from pathlib import Path

import pytest

from matinee.errors import StorageProblem
from matinee.settings import Settings
from matinee.storage.objects import ObjectStore, StoredObject, open_store, put_folder


@pytest.fixture(params=["local disk", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """An empty store of each kind."""
    if request.param == "local disk":
        return open_store(Settings(home=tmp_path / "home"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", request.getfixturevalue("s3_endpoint"))
    bucket = request.getfixturevalue("bucket")
    return open_store(Settings(home=tmp_path / "home", store_url=f"s3://{bucket}/some/place"))


def test_bytes_come_back(store: ObjectStore) -> None:
    store.put_bytes("a/b.bin", b"one")
    assert store.get_bytes("a/b.bin") == b"one"


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    store.put_bytes("empty", b"")
    assert store.get_bytes("empty") == b""
    assert store.exists("empty")


def test_a_file_comes_back_and_its_source_stays(store: ObjectStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x" * 6_000_000)  # above the size at which S3 uploads go in parts
    store.put_file("big.bin", source)
    assert store.local("big.bin").read_bytes() == source.read_bytes()


def test_a_second_put_replaces(store: ObjectStore) -> None:
    store.put_bytes("key", b"first")
    assert store.local("key").read_bytes() == b"first"
    store.put_bytes("key", b"other")
    assert store.get_bytes("key") == b"other"
    assert store.local("key").read_bytes() == b"other"


def test_a_stream_reads_from_the_beginning(store: ObjectStore) -> None:
    store.put_bytes("key", b"line 1\nline 2\n")
    with store.open_stream("key") as stream:
        assert stream.readline() == b"line 1\n"
        assert stream.read() == b"line 2\n"


def test_a_listing_is_sorted_and_has_sizes(store: ObjectStore) -> None:
    for key, content in (("d/b", b"22"), ("d/a/x", b"1"), ("e", b"")):
        store.put_bytes(key, content)
    assert list(store.list("d")) == [StoredObject("d/a/x", 1), StoredObject("d/b", 2)]
    assert list(store.list("d/")) == list(store.list("d"))


def test_a_listing_of_an_object_is_that_object(store: ObjectStore) -> None:
    store.put_bytes("d/b", b"22")
    assert list(store.list("d/b")) == [StoredObject("d/b", 2)]


def test_a_listing_of_nothing_is_empty(store: ObjectStore) -> None:
    assert list(store.list("nothing")) == []


def test_a_prefix_ends_at_a_segment(store: ObjectStore) -> None:
    store.put_bytes("a/b/1", b"in")
    store.put_bytes("a/bc/1", b"out")
    store.delete_prefix("a/b")
    assert not store.exists("a/b")
    assert store.get_bytes("a/bc/1") == b"out"


def test_deleting_one_object_leaves_its_neighbours(store: ObjectStore) -> None:
    store.put_bytes("a/1", b"")
    store.put_bytes("a/2", b"")
    store.delete_prefix("a/1")
    assert [stored.key for stored in store.list("a")] == ["a/2"]


def test_deleting_nothing_is_no_error(store: ObjectStore) -> None:
    store.delete_prefix("never/there")
    assert not store.exists("never/there")


def test_a_folder_is_handed_out_with_its_layout(store: ObjectStore, tmp_path: Path) -> None:
    folder = tmp_path / "artifact"
    (folder / "model").mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    (folder / "model" / "weights.safetensors").write_bytes(b"w")
    put_folder(store, "artifacts/1", folder)
    copy = store.local("artifacts/1")
    assert (copy / "manifest.json").read_text() == "{}"
    assert (copy / "model" / "weights.safetensors").read_bytes() == b"w"


@pytest.mark.parametrize("call", ["get_bytes", "open_stream", "local"])
def test_a_missing_key_is_named(store: ObjectStore, call: str) -> None:
    with pytest.raises(StorageProblem, match="no object under 'not/there'"):
        getattr(store, call)("not/there")


@pytest.mark.parametrize(
    "key", ["", "/", "/etc/passwd", "a/../b", "..", "a//b", "./a", "a/.hidden", "a\\b", "a\0b", "a b"]
)
def test_a_key_that_could_lead_astray_is_refused(store: ObjectStore, key: str) -> None:
    with pytest.raises(StorageProblem, match="is not a key"):
        store.put_bytes(key, b"")


def test_a_sweep_leaves_objects_alone(store: ObjectStore) -> None:
    store.put_bytes("a/1", b"kept")
    store.sweep()
    assert store.get_bytes("a/1") == b"kept"
