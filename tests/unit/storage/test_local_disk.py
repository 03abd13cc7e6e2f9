"""The local store: nothing half written is ever seen, and leftovers go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from matinee.storage.local_disk import LocalDisk


def test_a_put_that_fails_leaves_the_object_before(tmp_path: Path) -> None:
    store = LocalDisk(tmp_path / "root")
    store.put_bytes("a/key", b"before")
    with pytest.raises(FileNotFoundError):
        store.put_file("a/key", tmp_path / "no such file")
    assert store.get_bytes("a/key") == b"before"
    assert list((tmp_path / "root" / ".aside").iterdir()) == []


def test_local_is_the_stored_file_itself(tmp_path: Path) -> None:
    store = LocalDisk(tmp_path / "root")
    store.put_bytes("a/key", b"content")
    assert store.local("a/key") == tmp_path / "root" / "a" / "key"


def test_a_deleted_object_stays_readable_to_who_has_it_open(tmp_path: Path) -> None:
    store = LocalDisk(tmp_path / "root")
    store.put_bytes("a/key", b"content")
    with store.open_stream("a/key") as stream:
        store.delete_prefix("a")
        assert stream.read() == b"content"


def test_a_sweep_removes_old_leftovers_only(tmp_path: Path) -> None:
    store = LocalDisk(tmp_path / "root")
    old, new = (tmp_path / "root" / ".aside" / name for name in ("old", "new"))
    old.write_bytes(b"half")
    new.write_bytes(b"being written")
    os.utime(old, (0, 0))
    store.sweep()
    assert not old.exists()
    assert new.exists()


def test_leftovers_show_in_no_listing(tmp_path: Path) -> None:
    store = LocalDisk(tmp_path / "root")
    (tmp_path / "root" / ".aside" / "half").write_bytes(b"half")
    store.put_bytes("a", b"")
    assert [stored.key for stored in store.list("a")] == ["a"]
