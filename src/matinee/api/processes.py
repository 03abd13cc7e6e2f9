"""Several API processes behind one port: started, watched, restarted and ended together.

They accept on one listening socket that this process made and keeps, so that a connection waits in it, and is not
refused, while one of them is being started again.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from prometheus_client import multiprocess

from matinee.api.http import HttpServer, signals_call, url_of
from matinee.api.worker import WorkerProcess
from matinee.errors import MatineeError
from matinee.logs import log_to_stderr
from matinee.settings import Settings

COMMAND = (sys.executable, "-m", "matinee.api.processes")
#: Seconds in which each process must listen: importing everything on a busy machine.
_START_SECONDS = 120.0


class ProcessesDidNotStart(MatineeError):
    """An API process did not begin to listen; its log says why."""


def serve_together(
    settings: Settings,
    bound: socket.socket,
    count: int,
    on_listening: Callable[[str], None],
    *,
    require_keys: bool = False,
    worker: WorkerProcess | None = None,
) -> None:
    """Answer on `bound` with `count` processes until SIGTERM or SIGINT; `worker` runs beside them.

    `on_listening` is given the URL once all of them listen. Raises `ProcessesDidNotStart` when one does not.
    """
    bound.listen(2048)
    stop = threading.Event()
    with ExitStack() as resources:
        resources.enter_context(signals_call(lambda *_: stop.set()))
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="matinee-metrics-")))
        heard, told = os.pipe()
        resources.callback(os.close, heard)
        resources.callback(os.close, told)
        command = [*COMMAND, "--socket", str(bound.fileno()), "--told", str(told), "--of", str(count)]
        command += ["--require-keys"] * require_keys
        processes = [
            WorkerProcess(
                settings,
                command,
                inherit=(bound.fileno(), told),
                variables={"PROMETHEUS_MULTIPROC_DIR": str(folder)},
                patience=settings.drain_seconds + 30.0,
                on_end=lambda pid: multiprocess.mark_process_dead(pid, str(folder)),  # type: ignore[no-untyped-call]
            )
            for _ in range(count)
        ]
        if worker is not None:
            resources.callback(worker.stop)
            worker.start()
        resources.callback(_each, [process.stop for process in processes])
        for process in processes:
            process.start()
        if _all_listen(heard, count, stop):
            on_listening(url_of(bound))
            stop.wait()


def _all_listen(heard: int, count: int, stop: threading.Event) -> bool:
    """Wait for a byte from each process; False when it was asked to stop before."""
    os.set_blocking(heard, False)
    listening = 0
    for _ in range(int(_START_SECONDS / 0.05)):
        if stop.wait(0.05):
            return False
        try:
            listening += len(os.read(heard, count))
        except BlockingIOError:
            continue
        if listening >= count:
            return True
    raise ProcessesDidNotStart(f"Only {listening} of {count} API processes began to listen. The log says why.")


def _each(actions: Sequence[Callable[[], object]]) -> None:
    """Do all at the same time: each process drains while the others do."""
    threads = [threading.Thread(target=action) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(arguments: Sequence[str] | None = None) -> None:
    """One API process, as `serve_together` starts it; settings come from the environment."""
    from matinee.api.server import application, stored_keys

    parser = argparse.ArgumentParser(prog="matinee.api.processes")
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--told", type=int, required=True)
    parser.add_argument("--of", type=int, required=True)
    parser.add_argument("--require-keys", action="store_true")
    asked = parser.parse_args(arguments)
    settings = Settings.from_environment()
    log_to_stderr(settings.log_level)
    threading.Thread(target=_end_with_parent, name="watch-parent", daemon=True).start()
    with ExitStack() as resources:
        keys = stored_keys(settings, required=asked.require_keys)
        if keys is not None:
            resources.callback(keys.close)
        bound = resources.enter_context(socket.socket(fileno=asked.socket))
        app = application(settings, key_store=keys, processes=asked.of)

        def listening() -> None:
            os.write(asked.told, b"+")

        HttpServer(app, bound, listening, drain=settings.drain_seconds).serve_until_stopped()


def _end_with_parent() -> None:
    """Standard input ends when the parent does, even by kill -9: finish what was begun, as at SIGTERM."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
