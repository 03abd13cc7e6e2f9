"""Customers' own places, `s3://…` and `file://…`: what lies there, reading it, writing beside it.

S3 is reached through boto3, so its environment variables (endpoint, region, credentials, profile) apply.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, cast
from urllib.parse import quote, unquote, urlsplit

from matinee.errors import DataProblem
from matinee.storage import s3_reading

# Names that writers of data leave beside it (`_SUCCESS`, `.part.crc`); no customer means them as data.
_SKIPPED = (".", "_")


@dataclass(frozen=True)
class SourceFile:
    """One file of a location: `name` as messages show it, `size` in bytes; `version` changes with the content."""

    name: str
    size: int
    version: str = ""
    _path: Path | None = field(default=None, repr=False)
    _key: s3_reading.Key | None = field(default=None, repr=False)

    def open(self) -> BinaryIO:
        """The content from its beginning, as a binary file; the caller closes it. Raises `DataProblem`."""
        if self._key is not None:
            return cast("BinaryIO", io.BufferedReader(s3_reading.Reader(self._key), buffer_size=1 << 20))
        path = cast("Path", self._path)
        try:
            return path.open("rb")
        except OSError as error:
            raise _unreadable(self.name, error) from error


def list_sources(location: str, *, roots: Sequence[Path] = (), deep: bool = False) -> tuple[SourceFile, ...]:
    """The files that `location` names, in the order of their names; at least one.

    `s3://bucket/key.csv` and `file:///path.csv` name one file, `…/folder/` all files directly in it (`deep`: and in the
    folders in it), names that begin with `.` or `_` left out. Without the closing `/`, a folder is tried when there is
    no such file. When `roots` are given, `file://` reaches only what really lies below one of them, links followed.

    Raises `DataProblem` in the words of the Personalize service, followed by what was found in the way.
    """
    url = urlsplit(location)
    if url.scheme == "s3" and url.netloc:
        found = _list_s3(url.netloc, location.split("/", 3)[3] if location.count("/") > 2 else "", deep=deep)
    elif url.scheme == "file":
        found = _list_files(_file_path(location, roots), location, roots, deep=deep)
    else:
        raise _invalid(location, "Give s3://bucket/key, s3://bucket/folder/ or file:///path.")
    if not found:
        raise _invalid(location, "No file is there: check the spelling, and end a folder with /.")
    return tuple(sorted(found, key=lambda source: source.name))


@contextmanager
def open_output(location: str, *, roots: Sequence[Path] = (), writer: str = "") -> Iterator[IO[bytes]]:
    """A binary file whose content appears at `location` when the block ends, and not at all when it raises.

    In a folder it is made beside its place. A process that is killed leaves it there, unless the same `writer` (a job,
    say) comes again, which takes it over; no two of a name may write at once.
    """
    url = urlsplit(location)
    if url.scheme == "s3" and url.netloc and url.path.strip("/"):
        with tempfile.TemporaryFile() as aside:
            yield aside
            aside.seek(0)
            s3_reading.upload(aside, s3_reading.Key(url.netloc, location.split("/", 3)[3]))
    elif url.scheme == "file":
        path = _file_path(location, roots)
        path.parent.mkdir(parents=True, exist_ok=True)
        with _beside(path, writer) as aside:
            try:
                yield aside
                aside.flush()
                os.fsync(aside.fileno())
                Path(aside.name).replace(path)
            except BaseException:
                Path(aside.name).unlink(missing_ok=True)
                raise
    else:
        raise _invalid(location, "Give s3://bucket/key or file:///path.")


def _beside(path: Path, writer: str) -> IO[bytes]:
    """The file in which what is to stand at `path` is made."""
    if writer:
        return path.with_name(f".{path.name[:100]}.{writer}").open("wb")
    return cast("IO[bytes]", tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False))


def inside(folder: str, name: str) -> str:
    """The location of a file called `name` in a folder's location, with or without its closing `/`."""
    return f"{folder.rstrip('/')}/{quote(name) if folder.startswith('file:') else name}"


def _list_s3(bucket: str, key: str, *, deep: bool) -> list[SourceFile]:
    if key and not key.endswith("/"):
        exact = [entry for entry in s3_reading.listing(bucket, key) if entry.key == key]
        if exact:
            return [_of_s3(bucket, exact[0])]
    folder = key if not key or key.endswith("/") else f"{key}/"
    entries = (entry for entry in s3_reading.listing(bucket, folder, deep=deep) if not entry.key.endswith("/"))
    return [_of_s3(bucket, entry) for entry in entries if not _is_skipped(entry.key[len(folder) :])]


def _is_skipped(relative: str) -> bool:
    return any(part.startswith(_SKIPPED) for part in relative.split("/"))


def _of_s3(bucket: str, entry: s3_reading.Entry) -> SourceFile:
    key = s3_reading.Key(bucket, entry.key, entry.e_tag)
    return SourceFile(f"s3://{bucket}/{entry.key}", entry.size, entry.e_tag, _key=key)


def _of_file(path: Path) -> SourceFile:
    facts = path.stat()
    return SourceFile(str(path), facts.st_size, f"{facts.st_mtime_ns}-{facts.st_ino}", _path=path)


def _list_files(path: Path, location: str, roots: Sequence[Path], *, deep: bool) -> list[SourceFile]:
    try:
        if path.is_file():
            if location.endswith("/"):
                raise _invalid(location, "This is a file, not a folder: leave the closing / out.")
            return [_of_file(path)]
        if not path.is_dir():
            return []
        # The folder was checked, what its links point to was not: a link that leads out counts as not there.
        return [
            _of_file(entry)
            for entry in (path.rglob("*") if deep else path.iterdir())
            if not _is_skipped(entry.relative_to(path).as_posix())
            and entry.is_file()
            and _allowed(entry.resolve(), roots)
        ]
    except OSError as error:
        raise _unreadable(location, error) from error


def _file_path(location: str, roots: Sequence[Path]) -> Path:
    """The real path that a `file://` location names; refuses one that does not lie below `roots`."""
    url = urlsplit(location)
    if url.netloc not in ("", "localhost") or not url.path.startswith("/") or "\0" in unquote(url.path):
        raise _invalid(location, "Write file:///absolute/path, with three slashes.")
    path = Path(unquote(url.path)).resolve()
    if not _allowed(path, roots):
        raise _invalid(location, "This server reads files only below the folders of MATINEE_FILE_ROOTS.")
    return path


def _allowed(path: Path, roots: Sequence[Path]) -> bool:
    return not roots or any(path.is_relative_to(root.resolve()) for root in roots)


def _invalid(location: str, fix: str) -> DataProblem:
    return DataProblem("Invalid Data location.", file=location, fix=fix)


def _unreadable(location: str, error: OSError) -> DataProblem:
    return _invalid(location, f"The file system answered: {error.strerror}. Let the server's user read it.")
