"""What operators ask the server: is it alive, is it ready, how is it doing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from matinee.api.metrics import Metrics
from matinee.errors import MatineeError

#: One thing that must work before requests can be answered: raises when it does not. May block.
Check = Callable[[], None]


class NotReady(MatineeError):
    """What is missing, in a sentence that anyone may read."""


_log = structlog.get_logger(__name__)


def routes(checks: Mapping[str, Check], metrics: Metrics) -> list[Route]:
    """`/healthz` (the process answers), `/readyz` (everything it needs works) and `/metrics`."""

    def failures() -> dict[str, str]:
        failed = {}
        for name, check in checks.items():
            try:
                check()
            except Exception as error:  # any failure means: not ready
                _log.warning("not ready", check=name, error=str(error))
                failed[name] = str(error) if isinstance(error, NotReady) else type(error).__name__
        return failed

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
