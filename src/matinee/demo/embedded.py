"""A Matinee server in a process of its own, on a free port, for as long as a `with` block lasts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from matinee.errors import MatineeError

_START_SECONDS = 60
_STOP_SECONDS = 20


class ServerDidNotStart(MatineeError):
    """The server process ended or stayed silent before it was ready; carries the end of its log."""


#: Settings that would lead a server away from its home: an embedded one must never reach someone's real data.
_LEADS_AWAY = ("MATINEE_DATABASE_URL", "MATINEE_STORE_URL", "MATINEE_REDIS_URL", "MATINEE_FILE_ROOTS")


class EmbeddedServer:
    """`matinee serve` on loopback and a free port, with its data in `home`. Entering waits until it is ready.

    Leaving ends it: politely at first, and by force when it does not answer.
    """

    def __init__(self, home: Path, environment: dict[str, str] | None = None, options: Sequence[str] = ()) -> None:
        """`options` are further ones of `matinee serve`, such as `--no-worker`."""
        self.home, self._options = home, options
        inherited = {name: value for name, value in os.environ.items() if name not in _LEADS_AWAY}
        self._environment = {**inherited, **(environment or {}), "MATINEE_HOME": str(home)}
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    @property
    def log_path(self) -> Path:
        """Where the server's and the worker's log lines go."""
        return self.home / "server.log"

    @property
    def pid(self) -> int | None:
        """The server's process; None while there is none."""
        return None if self._process is None else self._process.pid

    def __enter__(self) -> Self:
        self.home.mkdir(parents=True, exist_ok=True)
        ready = self.home / "ready"
        ready.unlink(missing_ok=True)
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "matinee", "serve", "--port", "0", "--ready-file", str(ready), *self._options],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal reaches the client first, which then stops the server
            )
        try:
            self.url = self._await_ready(self._process, ready)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server and the worker that it started."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def kill(self) -> None:
        """End the server as a power cut would: SIGKILL, no clean-up."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _await_ready(self, process: subprocess.Popen[bytes], ready: Path) -> str:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            if ready.exists() and (url := ready.read_text().strip()):
                return url
            if process.poll() is not None:
                break
            time.sleep(0.02)
        tail = "\n".join(self.log_path.read_text(errors="replace").splitlines()[-20:])
        raise ServerDidNotStart(f"The server was not ready after {_START_SECONDS} s. The end of its log:\n{tail}")
