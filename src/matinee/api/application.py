"""The ASGI application: which part answers what, in which order."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from matinee.api.aws.door import door
from matinee.api.aws.gateway import Gateway, Handler
from matinee.api.aws.model import Operations, Service, load
from matinee.api.aws.signature import KeyStore
from matinee.api.aws.together import Encoded
from matinee.api.health import Check, routes
from matinee.api.loopback import LoopbackHosts
from matinee.api.metrics import Metrics
from matinee.api.throttling import Throttle
from matinee.settings import Settings

#: Runs once, before the first request or after the last one. May block.
Hook = Callable[[], None]


def create_app(
    settings: Settings,
    *,
    control: Mapping[str, Handler],
    runtime: Mapping[str, Handler],
    events: Mapping[str, Handler],
    key_store: KeyStore | None = None,
    ready: Mapping[str, Check] | None = None,
    on_start: Sequence[Hook] = (),
    on_stop: Sequence[Hook] = (),
    metrics: Metrics | None = None,
    throttle: Throttle | None = None,
    encoded: Mapping[str, Encoded] = MappingProxyType({}),
) -> Starlette:
    """The application that answers the three Personalize APIs and the operators' questions on one port.

    What `encoded` has of the runtime's operations is asked instead of their handlers.

    Without a `key_store` any credentials are taken, on loopback only and from requests that name it as their host, and
    the account is the settings'; with one, signatures are verified and the account is the key's. Operations without a
    handler answer as unknown; rates are kept by `throttle`, by default those of one process. The hooks run in order at
    start, and at the end each one runs even when another failed.
    """
    metrics = Metrics() if metrics is None else metrics
    handlers: dict[Service, Mapping[str, Handler]] = {
        "personalize": control,
        "personalize-runtime": runtime,
        "personalize-events": events,
    }
    operations, admitted = load(), door(settings.account_id, key_store)
    gateway = Gateway(operations, handlers, admitted, metrics, throttle or Throttle(settings), encoded)
    guarded: ASGIApp = gateway if key_store is not None else LoopbackHosts(gateway)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            for hook in on_start:
                await run_in_threadpool(hook)
            # What there is now stays: the collector need not look at it again and again while requests wait.
            gc.collect()
            gc.freeze()
            yield
        finally:
            gc.unfreeze()
            await _run_each(on_stop)

    return _Application(
        guarded,
        operations,
        routes=[*routes(ready or {}, metrics), Mount("/", app=gateway)],
        middleware=[Middleware(LoopbackHosts)] if key_store is None else [],
        lifespan=lifespan,
    )


class _Application(Starlette):
    """Starlette, past whose layers requests of the three APIs go straight to the gateway, which answers any error."""

    def __init__(self, gateway: ASGIApp, operations: Operations, **options: Any) -> None:
        super().__init__(**options)
        self._gateway = gateway
        self._paths = frozenset({"/", *operations.by_path})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in self._paths:
            await self._gateway(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


async def _run_each(hooks: Sequence[Hook]) -> None:
    """Run every hook; then raise the failures together."""
    failures: list[Exception] = []
    for hook in hooks:
        try:
            await run_in_threadpool(hook)
        except Exception as failure:
            failures.append(failure)
    if failures:
        raise ExceptionGroup("the server did not stop cleanly", failures)
