"""Objects under keys: the protocol every backend keeps, and the way to open the one that the settings name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from matinee.errors import SettingsProblem, StorageProblem
from matinee.settings import Settings

# One segment of a key. A leading dot is kept for the backends' own bookkeeping.
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.=+-]*")


@dataclass(frozen=True)
class StoredObject:
    """One object of a listing: its key and its size in bytes."""

    key: str
    size: int


class ObjectStore(Protocol):
    """Immutable-by-habit objects under keys such as `datasets/1234/part.parquet`.

    A prefix names a folder: `a/b` covers `a/b` itself and `a/b/…`, never `a/bc`. Every write is atomic: readers see
    the whole object or none. A missing key raises `StorageProblem`, except where a method says otherwise.
    """

    def put_file(self, key: str, path: Path) -> None:
        """Store a copy of the file at `path`, durably, replacing what was under `key`."""

    def put_bytes(self, key: str, content: bytes) -> None:
        """Store `content`, durably, replacing what was under `key`."""

    def get_bytes(self, key: str) -> bytes:
        """The whole object."""

    def open_stream(self, key: str) -> BinaryIO:
        """The object as a binary file open for reading; the caller closes it."""

    def list(self, prefix: str) -> Sequence[StoredObject]:
        """The objects of a folder and of the folders in it, sorted by key; empty when there are none."""

    def exists(self, key: str) -> bool:
        """Whether an object, or a folder that holds one, is there."""

    def delete_prefix(self, prefix: str) -> None:
        """Remove an object or a whole folder; nothing happens when it is not there."""

    def local(self, key: str) -> Path:
        """A file (or, for a folder's prefix, a folder) on this machine's disk with the object's content.

        On a local store this is the stored file itself: read it, memory-map it, never write it.
        """

    def sweep(self) -> None:
        """Remove what interrupted writes left behind."""


def checked_key(key: str) -> str:
    """`key` without a trailing `/`; raises `StorageProblem` unless it is a plain relative path below the store."""
    trimmed = key.rstrip("/")
    if not trimmed or not all(_SEGMENT.fullmatch(segment) for segment in trimmed.split("/")):
        raise StorageProblem(f"{key!r} is not a key: use letters, digits and ._=+- in segments joined by /.")
    return trimmed


def put_folder(store: ObjectStore, prefix: str, folder: Path, *, last: str = "manifest.json") -> None:
    """Store every file below `folder` under `prefix`. The file named `last` goes last: it says that all is there."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in sorted(files, key=lambda path: path.relative_to(folder).as_posix() == last):
        store.put_file(f"{prefix}/{path.relative_to(folder).as_posix()}", path)


def open_store(settings: Settings) -> ObjectStore:
    """The store that `MATINEE_STORE_URL` names: `file:///folder`, `s3://bucket/prefix`, else `MATINEE_HOME/objects`."""
    from matinee.storage.local_disk import LocalDisk
    from matinee.storage.s3 import S3Objects

    if settings.store_url is None:
        return LocalDisk(settings.home / "objects")
    url = urlsplit(settings.store_url)
    if url.scheme == "file" and url.netloc in ("", "localhost") and url.path:
        return LocalDisk(Path(unquote(url.path)))
    if url.scheme == "s3" and url.netloc:
        return S3Objects(url.netloc, url.path.strip("/"), cache=settings.home / "cache")
    raise SettingsProblem(
        f"MATINEE_STORE_URL must read file:///folder or s3://bucket/prefix, not {settings.store_url!r}."
    )
