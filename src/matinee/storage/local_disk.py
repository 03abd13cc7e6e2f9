"""Objects as plain files below one folder: written aside, forced to disk, then renamed into place."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from matinee.errors import StorageProblem
from matinee.storage.objects import StoredObject, checked_key

# Writes in progress and deletions in progress live here. No key can begin with a dot, so no listing shows it.
_ASIDE = ".aside"
_STALE_SECONDS = 3600.0


class LocalDisk:
    """An object store below `root`, which is made when missing."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        (self.root / _ASIDE).mkdir(parents=True, exist_ok=True)

    def put_file(self, key: str, path: Path) -> None:
        """Store a copy of the file at `path`, durably, replacing what was under `key`."""
        self._put(key, lambda aside: shutil.copyfile(path, aside))

    def put_bytes(self, key: str, content: bytes) -> None:
        """Store `content`, durably, replacing what was under `key`."""
        self._put(key, lambda aside: aside.write_bytes(content))

    def get_bytes(self, key: str) -> bytes:
        """The whole object."""
        with self.open_stream(key) as stream:
            return stream.read()

    def open_stream(self, key: str) -> BinaryIO:
        """The object as a binary file open for reading; the caller closes it."""
        path = self._path(key)
        if not path.is_file():
            raise _missing(key)
        return path.open("rb")

    def list(self, prefix: str) -> Sequence[StoredObject]:
        """The objects of a folder and of the folders in it, sorted by key; empty when there are none."""
        start = self._path(prefix)
        files = [start] if start.is_file() else (path for path in start.rglob("*") if path.is_file())
        found = (StoredObject(path.relative_to(self.root).as_posix(), path.stat().st_size) for path in files)
        return sorted(found, key=lambda stored: stored.key)

    def exists(self, key: str) -> bool:
        """Whether an object, or a folder that holds one, is there."""
        return self._path(key).is_file() or bool(self.list(key))

    def delete_prefix(self, prefix: str) -> None:
        """Remove an object or a whole folder; nothing happens when it is not there."""
        path = self._path(prefix)
        aside = self._aside()
        try:
            path.rename(aside)  # gone in one step, however much is in it
        except FileNotFoundError:
            return
        _force(path.parent)
        _remove(aside)

    def local(self, key: str) -> Path:
        """The stored file or folder itself: read it, memory-map it, never write it."""
        path = self._path(key)
        if not path.exists():
            raise _missing(key)
        return path

    def sweep(self) -> None:
        """Remove what interrupted writes left behind, leaving alone what another process may still be writing."""
        oldest = time.time() - _STALE_SECONDS
        for path in (self.root / _ASIDE).iterdir():
            if path.stat().st_mtime < oldest:
                _remove(path)

    def _path(self, key: str) -> Path:
        return self.root / checked_key(key)

    def _aside(self) -> Path:
        return self.root / _ASIDE / uuid.uuid4().hex

    def _put(self, key: str, write: Callable[[Path], object]) -> None:
        path, aside = self._path(key), self._aside()
        try:
            write(aside)
            _force(aside)
            self._make_folder(path.parent)
            aside.replace(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        _force(path.parent)

    def _make_folder(self, folder: Path) -> None:
        """Make `folder` so that it, too, is still there after a power cut."""
        new = [parent for parent in (folder, *folder.parents) if not parent.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for made in new:
            _force(made.parent)


def _force(path: Path) -> None:
    """Have the file's content, or the folder's entries, reach the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _missing(key: str) -> StorageProblem:
    return StorageProblem(f"There is no object under {key!r}.")
