"""The child process: started, watched, restarted, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.api.waiting import gone, until

from matinee.api.worker import WorkerMissing, WorkerProcess, environment_of
from matinee.settings import Settings

# Says where it runs, then waits for the end of its standard input, as the worker does.
CHILD = "import os, sys; open(os.environ['NOTE'], 'a').write(f'{os.getpid()}\\n'); sys.stdin.read()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + CHILD


@pytest.fixture
def note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file to which every child writes its process id."""
    monkeypatch.setenv("NOTE", str(tmp_path / "note"))
    return tmp_path / "note"


@pytest.fixture
def worker(note: Path) -> Iterator[WorkerProcess]:
    process = WorkerProcess(Settings(), [sys.executable, "-c", CHILD])
    yield process
    process.stop()


def pids(note: Path) -> list[int]:
    return [int(line) for line in note.read_text().splitlines()] if note.exists() else []


def test_the_child_runs_between_start_and_stop(worker: WorkerProcess, note: Path) -> None:
    worker.start()
    until(lambda: pids(note) == [worker.pid])
    worker.check()

    worker.stop()

    assert worker.pid is None
    assert gone(pids(note)[0])


def test_a_child_that_dies_is_started_again(worker: WorkerProcess, note: Path) -> None:
    worker.start()
    until(lambda: len(pids(note)) == 1)

    os.kill(pids(note)[0], signal.SIGKILL)

    until(lambda: len(pids(note)) == 2 and worker.pid == pids(note)[1])


def test_a_child_that_was_stopped_is_not_started_again(worker: WorkerProcess, note: Path) -> None:
    worker.start()
    until(lambda: len(pids(note)) == 1)
    worker.stop()

    worker.start()

    assert worker.pid is None


def test_without_a_child_the_server_is_not_ready(worker: WorkerProcess) -> None:
    with pytest.raises(WorkerMissing, match="not running"):
        worker.check()


def test_a_child_that_does_not_answer_is_killed(note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matinee.api.worker._STOP_SECONDS", 0.1)
    worker = WorkerProcess(Settings(), [sys.executable, "-c", STUBBORN])
    worker.start()
    until(lambda: len(pids(note)) == 1)

    worker.stop()

    assert gone(pids(note)[0])


def test_the_child_ends_when_its_parent_is_killed(note: Path) -> None:
    parent = (
        "import sys, threading; from matinee.api.worker import WorkerProcess; from matinee.settings import Settings; "
        f"WorkerProcess(Settings(), [sys.executable, '-c', {CHILD!r}]).start(); threading.Event().wait()"
    )
    process = subprocess.Popen([sys.executable, "-c", parent])
    until(lambda: len(pids(note)) == 1)

    process.kill()
    process.wait()

    until(lambda: gone(pids(note)[0]))


def test_the_child_reads_the_settings_of_its_parent(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        datasets=(tmp_path / "a", tmp_path / "b"),
        account_id="111122223333",
        threads=1,
        log_level="DEBUG",
        aws_quotas=True,
    )

    assert Settings.from_environment(environment_of(settings)) == settings


def test_settings_that_are_not_given_are_not_inherited(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MATINEE_DATABASE_URL", "postgresql://elsewhere/matinee")

    assert Settings.from_environment(environment_of(Settings(home=tmp_path))).database_url is None
