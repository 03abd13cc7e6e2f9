"""Where a data set comes from: a path, a folder of MATINEE_DATASETS, a checked download, or the generated sample."""

from __future__ import annotations

import hashlib
import os
import queue
import shutil
import threading
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO, Literal

from matinee.data.movielens_files import MovieLens
from matinee.data.sample import generate_sample
from matinee.errors import DataProblem
from matinee.settings import Settings

SAMPLE = "sample"
_BASE = "https://files.grouplens.org/datasets/movielens"
# A machine without a network should reach the sample in seconds, even where names resolve slowly.
_ANSWER_SECONDS = 8.0
_CHUNK = 1 << 18

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Release:
    """A zip that can be downloaded, with the digest it must have. Digests: GroupLens publishes the MD5 of some zips."""

    url: str
    algorithm: Literal["md5", "sha256"]
    digest: str


RELEASES = {
    "ml-100k": Release(f"{_BASE}/ml-100k.zip", "md5", "0e33842e24a9c977be4e0107933c0723"),
    "ml-1m": Release(f"{_BASE}/ml-1m.zip", "md5", "c4d9eecfca2ab87c1945afe126590906"),
    "ml-latest-small": Release(
        f"{_BASE}/ml-latest-small.zip", "sha256", "696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436"
    ),
}


@dataclass(frozen=True)
class Source:
    """A data set that was found. `why` is a sentence for the user: which one it is, and why."""

    path: Path
    kind: Literal["path", "datasets", "download", "sample"]
    why: str


def resolve(
    name: str,
    settings: Settings,
    *,
    progress: Progress | None = None,
    releases: dict[str, Release] | None = None,
) -> Source:
    """Find the data set called `name`: a path, or one of `ml-100k`, `ml-1m`, `ml-latest-small`, `sample`.

    A known name that is on no disk is downloaded into MATINEE_HOME/downloads; when that fails the generated sample
    takes its place, and `why` says so. `progress` is given the bytes done and in all. Raises `DataProblem` for a path
    that is no MovieLens data set and for an unknown name.
    """
    known = RELEASES if releases is None else releases
    if name == SAMPLE:
        return Source(_sample(settings), "sample", "Using the generated sample, as asked.")
    path = Path(name).expanduser()
    if name not in known and not path.exists():
        raise DataProblem(
            f"There is no data set {name!r}.",
            fix=f"Name an existing folder or zip, or one of {', '.join([*known, SAMPLE])}.",
        )
    if path.exists() and (name not in known or _is_dataset(path)):
        return Source(MovieLens.find(path).path, "path", f"Using {path}, the path given.")
    for folder in settings.datasets:
        for candidate in (folder / name, folder / f"{name}.zip", folder):
            if candidate.name in {name, f"{name}.zip"} and _is_dataset(candidate):
                return Source(candidate, "datasets", f"Using {candidate}, found through MATINEE_DATASETS.")
    release = known[name]
    kept = settings.home / "downloads" / f"{name}.zip"
    if kept.exists() and _digest(kept, release.algorithm) == release.digest:
        return Source(kept, "download", f"Using {kept}, downloaded earlier.")
    try:
        download(release, kept, progress)
    except (OSError, HTTPException, DataProblem) as error:
        return Source(
            _sample(settings),
            "sample",
            f"Using the generated sample: {name} is not in MATINEE_DATASETS, and downloading it from {release.url} "
            f"failed ({_reason(error)}).",
        )
    return Source(kept, "download", f"Using {name}, downloaded from {release.url} into {kept}.")


def download(release: Release, into: Path, progress: Progress | None = None) -> Path:
    """Fetch the zip, check its digest and only then give it its name.

    Raises `OSError` when it cannot be fetched and `DataProblem` when its digest is wrong.
    """
    into.parent.mkdir(parents=True, exist_ok=True)
    partial = into.with_name(f"{into.name}.{os.getpid()}.partial")
    try:
        response, total = _answer(release.url)
        done = 0
        with response, partial.open("wb") as file:
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                done += len(chunk)
                if progress is not None:
                    progress(done, max(total, done))
        found = _digest(partial, release.algorithm)
        if found != release.digest:
            raise DataProblem(
                f"The download's {release.algorithm} is {found}, not {release.digest}.",
                fix="Try again, or get the file by hand and name its path.",
                file=release.url,
            )
        partial.replace(into)
    finally:
        partial.unlink(missing_ok=True)
    return into


def _answer(url: str) -> tuple[IO[bytes], int]:
    """The open response and its length; `TimeoutError` when none has begun after a few seconds.

    In a thread, because looking up a name has no timeout of its own.
    """
    answers: queue.SimpleQueue[tuple[IO[bytes], int] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            response = urllib.request.build_opener().open(url, timeout=_ANSWER_SECONDS)
            answers.put((response, int(response.headers.get("Content-Length") or 0)))
        except Exception as error:  # whatever went wrong is raised again in the caller's thread
            answers.put(error)

    threading.Thread(target=ask, name="download", daemon=True).start()
    try:
        answer = answers.get(timeout=_ANSWER_SECONDS)
    except queue.Empty:
        raise TimeoutError(f"no answer within {_ANSWER_SECONDS:g} seconds") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _digest(path: Path, algorithm: Literal["md5", "sha256"]) -> str:
    with path.open("rb") as file:
        # MD5 is what GroupLens publishes: it tells a damaged download, nothing more.
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


def _is_dataset(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        MovieLens.find(path)
    except DataProblem:
        return False
    return True


def _sample(settings: Settings) -> Path:
    """The generated sample's folder; written when it is not there yet."""
    folder = settings.home / "downloads" / "sample"
    if not _is_dataset(folder):
        partial = folder.with_name(f"sample.{os.getpid()}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        generate_sample().write(partial)
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)
    return folder


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return str(reason or error or type(error).__name__)
