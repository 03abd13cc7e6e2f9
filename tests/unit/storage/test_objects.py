"""Opening the store that the settings name, and storing folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from matinee.errors import SettingsProblem
from matinee.settings import Settings
from matinee.storage.local_disk import LocalDisk
from matinee.storage.objects import open_store, put_folder


class _Recorder(LocalDisk):
    """A store that remembers the order of what was put."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.order: list[str] = []

    def put_file(self, key: str, path: Path) -> None:
        self.order.append(key)
        super().put_file(key, path)


def test_objects_lie_in_the_home_folder_by_default(tmp_path: Path) -> None:
    open_store(Settings(home=tmp_path)).put_bytes("a", b"1")
    assert (tmp_path / "objects" / "a").read_bytes() == b"1"


def test_a_file_url_names_the_folder(tmp_path: Path) -> None:
    open_store(Settings(home=tmp_path, store_url=f"file://{tmp_path}/my%20objects")).put_bytes("a", b"1")
    assert (tmp_path / "my objects" / "a").read_bytes() == b"1"


@pytest.mark.parametrize("url", ["gs://bucket", "s3://", "file://host/x", "somewhere"])
def test_another_url_is_refused_with_the_setting_named(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsProblem, match="MATINEE_STORE_URL"):
        open_store(Settings(home=tmp_path, store_url=url))


def test_the_manifest_of_a_folder_goes_last(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("a", "manifest.json", "z"):
        (folder / name).write_text(name)
    store = _Recorder(tmp_path / "root")
    put_folder(store, "p", folder)
    assert store.order == ["p/a", "p/z", "p/manifest.json"]
