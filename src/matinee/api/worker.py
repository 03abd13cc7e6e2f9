"""The worker process beside the API: started, watched, restarted, and ended with it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields

import structlog

from matinee.errors import MatineeError
from matinee.settings import Settings

#: What carries out the jobs. It ends when its standard input closes, which happens however this process ends.
COMMAND = (sys.executable, "-m", "matinee.jobs.worker", "--watch-parent")
_STOP_SECONDS = 15.0
_FIRST_DELAY, _LONGEST_DELAY = 0.2, 10.0
#: A worker that ran this long had started well: the next restart comes without delay.
_SETTLED_SECONDS = 30.0

_log = structlog.get_logger(__name__)


class WorkerMissing(MatineeError):
    """The worker process does not run, so that no job goes on."""


def environment_of(settings: Settings) -> dict[str, str]:
    """This process's environment with `settings` in their variables: what another process reads them from."""
    environment = dict(os.environ)
    for setting in fields(settings):
        value, variable = getattr(settings, setting.name), setting.metadata["variable"]
        if value is None or value == ():
            environment.pop(variable, None)
        else:
            several = isinstance(value, tuple)
            environment[variable] = setting.metadata["separator"].join(map(str, value)) if several else str(value)
    # Each of the numeric libraries would otherwise take every core for itself.
    environment.setdefault("OMP_NUM_THREADS", str(settings.threads))
    environment.setdefault("TORCHINDUCTOR_CACHE_DIR", str(settings.home / "torch"))  # else in the temporary folder
    return environment


class WorkerProcess:
    """One child process that is kept running between `start` and `stop`.

    Its standard input is a pipe that nothing is written to: the kernel closes it when this process ends, even by
    SIGKILL, and the worker ends then. It has a process group of its own, so that Ctrl-C reaches the API alone.
    """

    def __init__(
        self,
        settings: Settings,
        command: Sequence[str] = COMMAND,
        *,
        inherit: Sequence[int] = (),
        variables: Mapping[str, str] | None = None,
        patience: float = _STOP_SECONDS,
        on_end: Callable[[int], object] = lambda pid: None,
    ) -> None:
        """`inherit`: file descriptors that the child has, too; `variables` of its environment beside the settings.

        `patience`: seconds in which it may end by itself. `on_end` is called with the id of each child that has ended.
        """
        self._command, self._environment = list(command), {**environment_of(settings), **(variables or {})}
        self._inherit, self._patience, self._on_end = tuple(inherit), patience, on_end
        self._stopping = threading.Event()
        self._lock = threading.Lock()  # guards _process against a start while it is being stopped
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id; None while there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Start the child and the thread that watches it."""
        self._launch()
        self._watcher = threading.Thread(target=self._watch, name="matinee-worker-watch", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """End the child: politely, and by force when it does not answer. It is not started again."""
        self._stopping.set()
        with self._lock:
            process = self._process
            if process is not None:
                _end(process, self._patience)
        if self._watcher is not None:
            self._watcher.join()

    def check(self) -> None:
        """Raise `WorkerMissing` when the child does not run, for readiness."""
        if self.pid is None:
            raise WorkerMissing("The worker process is not running. The log says why; it is started again.")

    def _launch(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._stopping.is_set():
                return None
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.PIPE,
                process_group=0,
                pass_fds=self._inherit,
            )
            return self._process

    def _watch(self) -> None:
        delay = 0.0
        process = self._process
        while process is not None:
            began = time.monotonic()
            status = process.wait()
            if process.stdin is not None:
                process.stdin.close()
            self._on_end(process.pid)
            if self._stopping.is_set():
                return
            settled = time.monotonic() - began >= _SETTLED_SECONDS
            delay = 0.0 if settled else min(max(delay * 2, _FIRST_DELAY), _LONGEST_DELAY)
            _log.warning("a child process ended; starting it again", status=status, delay_seconds=delay)
            if self._stopping.wait(delay):
                return
            process = self._launch()


def _end(process: subprocess.Popen[bytes], patience: float) -> None:
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
