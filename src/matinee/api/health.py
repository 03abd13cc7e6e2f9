"""What operators ask the server: is it alive, is it ready, how is it doing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from matinee.api.metrics import Metrics
from matinee.errors import MatineeError

#: One thing that must work before requests can be answered: raises when it does not. May block.
Check = Callable[[], None]
#: Seconds that a check may take: a database that hangs is as good as gone.
PATIENCE = 5.0


class NotReady(MatineeError):
    """What is missing, in a sentence that anyone may read."""


_log = structlog.get_logger(__name__)


class _Asked:
    """A check in a thread of its own. One that hangs takes one thread, however often it is asked for."""

    def __init__(self, name: str, check: Check) -> None:
        self._name, self._check = name, check
        self._running: Future[str | None] | None = None
        self._lock = threading.Lock()

    def begin(self) -> Future[str | None]:
        """What will be wrong, None for nothing; of the check under way where there is one."""
        with self._lock:
            if self._running is None or self._running.done():
                self._running = Future()
                threading.Thread(target=self._run, args=(self._running,), name="matinee-check", daemon=True).start()
            return self._running

    def _run(self, found: Future[str | None]) -> None:
        try:
            self._check()
        except Exception as error:  # any failure means: not ready
            _log.warning("not ready", check=self._name, error=str(error))
            found.set_result(str(error) if isinstance(error, NotReady) else type(error).__name__)
        else:
            found.set_result(None)


def routes(checks: Mapping[str, Check], metrics: Metrics, patience: float = PATIENCE) -> list[Route]:
    """`/healthz` (the process answers), `/readyz` (everything it needs works) and `/metrics`.

    A check that has not ended within `patience` seconds has failed.
    """
    asked = {name: _Asked(name, check) for name, check in checks.items()}

    def failures() -> dict[str, str]:
        found = {name: one.begin() for name, one in asked.items()}
        wait(found.values(), timeout=patience)
        said = {name: one.result() if one.done() else f"no answer in {patience:g} s" for name, one in found.items()}
        return {name: wrong for name, wrong in said.items() if wrong is not None}

    async def alive(request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def ready(request: Request) -> Response:
        failed = await run_in_threadpool(failures)
        state = {name: failed.get(name, "ok") for name in checks}
        if getattr(request.app.state, "draining", False):
            failed["server"] = state["server"] = "draining: it was asked to stop"
        return JSONResponse(
            {"status": "not ready" if failed else "ready", "checks": state}, status_code=503 if failed else 200
        )

    async def numbers(request: Request) -> Response:
        text, media_type = metrics.expose()
        return Response(text, media_type=media_type)

    return [Route("/healthz", alive), Route("/readyz", ready), Route("/metrics", numbers)]
