"""Sources: a path, MATINEE_DATASETS, a checked download, the sample; in that order."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.unit.data.releases import release_100k, release_csv, zipped

from matinee.data import sources
from matinee.data.movielens_files import MovieLens
from matinee.data.sources import RELEASES, Release, download, resolve
from matinee.errors import DataProblem
from matinee.settings import Settings


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_: object, **__: object) -> None:
        """Nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A real web server for the files of a folder."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def unreachable() -> dict[str, Release]:
    """A release at a port where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return {"ml-100k": Release(f"http://127.0.0.1:{port}/ml-100k.zip", "md5", "0" * 32)}


def test_a_path_comes_first(tmp_path: Path, settings: Settings) -> None:
    folder = release_100k(tmp_path / "mine")
    source = resolve(str(folder), settings)
    assert (source.kind, source.path) == ("path", folder)
    assert str(folder) in source.why


@pytest.mark.parametrize("form", ["folder", "zip", "the folder itself"])
def test_then_the_folders_of_matinee_datasets(tmp_path: Path, form: str) -> None:
    folder = release_100k(tmp_path / "sets/ml-100k")
    root, expected = folder.parent, folder
    if form == "zip":
        expected = zipped(folder)
        for file in folder.iterdir():
            file.unlink()
    elif form == "the folder itself":
        root = folder
    found = resolve("ml-100k", Settings(home=tmp_path / "home", datasets=(tmp_path / "none", root)))
    assert (found.kind, found.path) == ("datasets", expected)
    assert "MATINEE_DATASETS" in found.why


def test_then_a_download_that_is_kept(tmp_path: Path, settings: Settings) -> None:
    archive = zipped(release_csv(tmp_path / "web/ml-latest-small"), top="ml-latest-small/")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    steps: list[tuple[int, int]] = []
    with served(archive.parent) as url:
        releases = {"ml-latest-small": Release(f"{url}/{archive.name}", "sha256", digest)}
        first = resolve("ml-latest-small", settings, releases=releases, progress=lambda *step: steps.append(step))
    again = resolve("ml-latest-small", settings, releases=releases)
    assert (first.kind, again.kind) == ("download", "download")
    assert first.path == again.path == settings.home / "downloads/ml-latest-small.zip"
    assert "earlier" in again.why
    assert MovieLens.find(first.path).layout == "csv"
    assert steps[-1] == (archive.stat().st_size, archive.stat().st_size)


def test_a_download_with_a_wrong_digest_is_refused_and_not_kept(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/ml.zip").write_bytes(b"not what was published")
    with served(tmp_path / "web") as url, pytest.raises(DataProblem, match="md5"):
        download(Release(f"{url}/ml.zip", "md5", "0" * 32), tmp_path / "kept/ml.zip")
    assert list((tmp_path / "kept").iterdir()) == []


def test_at_last_the_sample_and_why(settings: Settings) -> None:
    source = resolve("ml-100k", settings, releases=unreachable())
    assert source.kind == "sample"
    assert "generated sample" in source.why
    assert "not in MATINEE_DATASETS" in source.why
    assert "refused" in source.why
    assert MovieLens.find(source.path).layout == "csv"


def test_a_server_that_does_not_answer_is_given_up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_ANSWER_SECONDS", 0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/ml-100k.zip"
        source = resolve("ml-100k", settings, releases={"ml-100k": Release(url, "md5", "0" * 32)})
    assert source.kind == "sample"


def test_the_sample_can_be_asked_for_and_is_made_once(settings: Settings) -> None:
    first = resolve("sample", settings)
    made = (first.path / "ratings.csv").stat().st_mtime_ns
    assert resolve("sample", settings).path == first.path
    assert (first.path / "ratings.csv").stat().st_mtime_ns == made


def test_an_unknown_name_is_refused_with_the_known_ones(settings: Settings) -> None:
    with pytest.raises(DataProblem, match="no data set 'ml-9'") as refused:
        resolve("ml-9", settings)
    assert all(name in refused.value.fix for name in (*RELEASES, "sample"))


def test_a_path_that_is_no_data_set_is_refused(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(DataProblem, match="not a MovieLens data set"):
        resolve(str(tmp_path), settings)


def test_releases_are_fetched_from_grouplens_over_https() -> None:
    assert all(release.url.startswith("https://files.grouplens.org/") for release in RELEASES.values())
