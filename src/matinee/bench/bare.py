"""The yardstick: an ASGI application that reads a request and answers bytes it was given, on the server of `serve`.

    python -m matinee.bench.bare ANSWER READY-FILE

ANSWER holds the headers and the body as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from matinee.api.http import HttpServer, bind, url_of
from matinee.bench.wrk import BenchProblem

_START_SECONDS = 60


def bare_application(headers: Mapping[str, str], body: bytes) -> ASGIApp:
    """Answers every request alike, after reading it."""
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    return application


@contextmanager
def bare_server(folder: Path, headers: Mapping[str, str], body: str) -> Iterator[tuple[str, int]]:
    """The URL of the application in a process of its own, and the process's number."""
    answer, ready = folder / "bare.json", folder / "bare.ready"
    answer.write_text(json.dumps({"headers": dict(headers), "body": body}))
    process = subprocess.Popen([sys.executable, "-m", "matinee.bench.bare", str(answer), str(ready)])
    try:
        end = time.monotonic() + _START_SECONDS
        while not (ready.exists() and (url := ready.read_text())):
            if process.poll() is not None or time.monotonic() > end:
                raise BenchProblem("The bare server did not start.")
            time.sleep(0.02)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait()


def main(answer: Path, ready: Path) -> None:
    """Serve until SIGTERM."""
    given = json.loads(answer.read_text())
    bound = bind("127.0.0.1", 0)
    application = bare_application(given["headers"], given["body"].encode())
    HttpServer(application, bound, lambda: _tell(ready, url_of(bound))).serve_until_stopped()


def _tell(ready: Path, url: str) -> None:
    ready.write_text(url)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
