"""A real worker process for tests of crashes; started on this module, it dies at the point that its argument names."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from matinee.jobs.worker import run_worker
from matinee.settings import Settings

_ROOT = Path(__file__).parents[2]
_PATIENCE = 120


class WorkerProcess:
    """A worker of `settings`, with nothing to end it but kill -9 (`crash`) or the end of the `with` block."""

    def __init__(self, settings: Settings, *, dies_at: str = "") -> None:
        environment = {**os.environ, "MATINEE_HOME": str(settings.home), "MATINEE_THREADS": "1", "OMP_NUM_THREADS": "1"}
        environment["MATINEE_AUTO_TRAINING"] = "on" if settings.auto_training else "off"
        if settings.database_url is not None:
            environment["MATINEE_DATABASE_URL"] = settings.database_url
        settings.home.mkdir(parents=True, exist_ok=True)
        self.log_path = settings.home / "worker.log"
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.worker_process", dies_at],
                env=environment,
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def await_death(self) -> None:
        """Wait until the worker has died at its point."""
        assert self._process.wait(_PATIENCE) == -signal.SIGKILL, self.log_path.read_text()

    def crash(self, chance: random.Random, longest: float) -> None:
        """Kill the worker after a random time, at most `longest` seconds."""
        try:
            self._process.wait(chance.uniform(0, longest))
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()


def _die_at(wanted: str, point: str) -> None:
    if point == wanted:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    run_worker(Settings.from_environment(), reached=lambda point: _die_at(sys.argv[1], point))
