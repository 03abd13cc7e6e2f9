"""`matinee serve` as a process: address, ready file, worker, end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog
from tests.unit.api.live import clients, get, post
from tests.unit.api.waiting import gone, until
from typer.testing import CliRunner

from matinee.cli.app import app


@pytest.fixture
def _log_as_before() -> Iterator[None]:
    """The command sets up logging for its process, which here is the tests'."""
    yield
    structlog.reset_defaults()


@contextmanager
def served(tmp_path: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a process of its own, once its ready file has the URL."""
    ready = tmp_path / "ready"
    command = [sys.executable, "-m", "matinee", "serve", "--port", "0"]
    command += ["--home", str(tmp_path / "home"), "--ready-file", str(ready)]
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
    try:
        until(lambda: ready.exists() or process.poll() is not None)
        yield process, ready.read_text().strip()
    finally:
        process.kill()
        process.communicate()


def test_it_listens_says_where_and_ends_when_it_is_asked(tmp_path: Path) -> None:
    with served(tmp_path, "--no-worker") as (process, url):
        assert get(url, "/readyz")[0] == 200
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)

    assert process.returncode == 0
    assert output == f"Matinee listens on {url}\n"


def test_the_worker_runs_beside_it_and_ends_with_it(tmp_path: Path) -> None:
    with served(tmp_path) as (process, url):
        until(lambda: json.loads(get(url, "/readyz")[2])["checks"]["worker"] == "ok")
        (worker,) = [pid for pid in _descendants(process.pid) if b"matinee.jobs.worker" in _command(pid)]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)

    assert process.returncode == 0
    until(lambda: gone(worker))


def test_the_worker_ends_when_the_server_is_killed(tmp_path: Path) -> None:
    with served(tmp_path) as (process, _):
        until(lambda: any(b"matinee.jobs.worker" in _command(pid) for pid in _descendants(process.pid)))
        (worker,) = [pid for pid in _descendants(process.pid) if b"matinee.jobs.worker" in _command(pid)]
        process.kill()
        process.wait()

        until(lambda: gone(worker))


@pytest.mark.usefixtures("_log_as_before")
def test_an_address_that_others_reach_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["serve", "--host", "192.0.2.1", "--home", str(tmp_path)])

    assert done.exit_code == 2
    assert done.stderr.startswith("Without access keys Matinee takes any credentials")
    assert "`matinee keys create`" in done.stderr


def test_signatures_are_checked_once_there_is_a_key(tmp_path: Path) -> None:
    made = CliRunner().invoke(app, ["keys", "create", "--home", str(tmp_path / "home")])
    assert made.exit_code == 0
    with served(tmp_path, "--no-worker") as (_, url):
        assert post(url, b"{}", {}, "/recommendations")[0] == 403


def test_signatures_are_checked_when_that_is_asked_for(tmp_path: Path) -> None:
    with served(tmp_path, "--no-worker", "--require-keys") as (_, url):
        assert post(url, b"{}", {}, "/recommendations")[0] == 403


def test_the_quotas_of_the_service_are_kept_when_that_is_asked_for(tmp_path: Path) -> None:
    with served(tmp_path, "--no-worker", "--aws-quotas") as (_, url):
        control = clients(url)["personalize"]
        for number in range(5):
            control.create_dataset_group(name=f"films-{number}")
        with pytest.raises(control.exceptions.LimitExceededException, match="More than 5 dataset groups"):
            control.create_dataset_group(name="one-more")


@pytest.mark.usefixtures("_log_as_before")
def test_a_setting_that_cannot_be_used_is_named() -> None:
    done = CliRunner(env={"MATINEE_ACCOUNT": "me"}).invoke(app, ["serve"])

    assert (done.exit_code, done.stderr) == (2, "MATINEE_ACCOUNT must be 12 digits, not 'me'.\n")


def _descendants(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task")
    found = [int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()]
    return found + [below for child in found for below in _descendants(child)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_a_server_that_drains_says_so_and_still_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATINEE_DRAIN_SECONDS", "600")
    with served(tmp_path, "--no-worker") as (process, url):
        assert get(url, "/readyz")[0] == 200
        process.send_signal(signal.SIGTERM)
        until(lambda: get(url, "/readyz")[0] == 503)
        assert json.loads(get(url, "/readyz")[2])["checks"]["server"].startswith("draining")
        assert get(url, "/healthz")[0] == 200
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)

    assert process.returncode == 0


def test_several_processes_share_the_port_and_one_that_is_killed_comes_back(tmp_path: Path) -> None:
    with served(tmp_path, "--no-worker", "--workers", "2") as (process, url):
        first = _api_processes(process.pid)
        assert len(first) == 2
        os.kill(first[0], signal.SIGKILL)
        assert {get(url, "/healthz")[0] for _ in range(10)} == {200}
        until(lambda: len(_api_processes(process.pid)) == 2)
        again = _api_processes(process.pid)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)

    assert process.returncode == 0
    assert set(again) != set(first)
    until(lambda: all(gone(pid) for pid in again))


def _api_processes(pid: int) -> list[int]:
    return [one for one in _descendants(pid) if b"matinee.api.processes" in _command(one) and not gone(one)]
