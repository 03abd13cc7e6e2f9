"""The ASGI application: which part answers what, in which order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.routing import Mount

from matinee.api.aws.door import door
from matinee.api.aws.gateway import Gateway, Handler
from matinee.api.aws.model import Service, load
from matinee.api.aws.signature import KeyStore
from matinee.api.health import Check, routes
from matinee.api.loopback import LoopbackHosts
from matinee.api.metrics import Metrics
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
) -> Starlette:
    """The application that answers the three Personalize APIs and the operators' questions on one port.

    Without a `key_store` any credentials are taken, on loopback only and from requests that name it as their host, and
    the account is the settings'; with one, signatures are verified and the account is the key's. Operations without a
    handler answer as unknown. The hooks run in order at start, and at the end each one runs even when another failed.
    """
    metrics = Metrics() if metrics is None else metrics
    handlers: dict[Service, Mapping[str, Handler]] = {
        "personalize": control,
        "personalize-runtime": runtime,
        "personalize-events": events,
    }
    gateway = Gateway(load(), handlers, door(settings.account_id, key_store), metrics)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            for hook in on_start:
                await run_in_threadpool(hook)
            yield
        finally:
            await _run_each(on_stop)

    return Starlette(
        routes=[*routes(ready or {}, metrics), Mount("/", app=gateway)],
        middleware=[Middleware(LoopbackHosts)] if key_store is None else [],
        lifespan=lifespan,
    )


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
