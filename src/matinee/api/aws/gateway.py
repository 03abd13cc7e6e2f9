"""One request of an AWS client, from bytes to bytes: operation, body, caller, parameters, handler, answer.

A plain ASGI endpoint: what every recommendation passes through has no object that it does not need.
"""

from __future__ import annotations

import inspect
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from types import MappingProxyType
from typing import Any, Final, cast

import anyio.to_thread
import structlog
from starlette.types import Receive, Scope, Send

from matinee.api import audit
from matinee.api.aws.door import Door
from matinee.api.aws.errors import (
    CONTENT_TYPES,
    Answer,
    InternalFailure,
    RequestTooLarge,
    UnknownOperation,
    answer_to,
)
from matinee.api.aws.errors import Protocol as WireProtocol
from matinee.api.aws.model import Operation, Operations, Service
from matinee.api.aws.signature import SignedRequest
from matinee.api.aws.together import Encoded, Together
from matinee.api.metrics import Metrics
from matinee.api.throttling import Throttle
from matinee.control.context import Caller
from matinee.errors import ApiError
from matinee.serving.event_loop import WouldBlock
from matinee.serving.quick_answers import EncodedCall

Result = Mapping[str, Any]
#: What carries out an operation. Parameters and result have the wire's member names; the result's `@headers`, where
#: there are any, become response headers (for what Matinee says beside the AWS protocol).
Handler = Callable[[Caller, dict[str, Any]], Result | Awaitable[Result]]
HEADERS_MEMBER: Final = "@headers"


#: Ten items of the largest properties, every character escaped twice, are 2.2 MB.
BODY_LIMIT: Final = 4 * 2**20
#: Control operations that may wait on the database at the same time; fewer than its pool has connections.
CONTROL_THREADS: Final = 12

_COMMON_HEADERS: Final = (
    (b"cache-control", b"no-cache"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
_log = structlog.get_logger(__name__)


class ClientGone(Exception):
    """The client closed the connection before its request was whole; nobody is left to answer."""


@dataclass(frozen=True)
class Endpoint:
    """An operation and what carries it out. `in_thread`: the handler may block, so it runs in the thread pool."""

    operation: Operation
    handler: Handler
    in_thread: bool
    together: Together | None = None


def endpoints(
    operations: Operations,
    handlers: Mapping[Service, Mapping[str, Handler]],
    encoded: Mapping[str, Encoded] = MappingProxyType({}),
) -> dict[str, Endpoint]:
    """Operation name to endpoint. Asynchronous handlers and the runtime's, which work in memory, run on the event loop.

    Raises `KeyError` for a handler of an operation that the service model does not have.
    """
    return {
        name: Endpoint(
            operations.of(service)[name],
            handler,
            in_thread=service != "personalize-runtime" and not inspect.iscoroutinefunction(handler),
            together=Together(encoded[name]) if name in encoded else None,
        )
        for service, named in handlers.items()
        for name, handler in named.items()
    }


class Gateway:
    """The ASGI application of the three APIs."""

    def __init__(
        self,
        operations: Operations,
        handlers: Mapping[Service, Mapping[str, Handler]],
        door: Door,
        metrics: Metrics,
        throttle: Throttle,
        encoded: Mapping[str, Encoded] = MappingProxyType({}),
    ) -> None:
        self._operations, self._door, self._metrics, self._throttle = operations, door, metrics, throttle
        self._endpoints = endpoints(operations, handlers, encoded)
        self._threads: anyio.CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        request_id = str(uuid.uuid4())
        headers = _headers(scope)
        target = headers.get("x-amz-target")
        path: str = scope["path"]
        protocol: WireProtocol = "json" if target is not None or path == "/" else "rest-json"
        name = "unknown"
        caller: Caller | None = None
        try:
            operation = self._operation(scope["method"], path, target)
            name = operation.name
            body = await _body(headers, receive)
            request = SignedRequest(
                scope["method"],
                scope["raw_path"].decode("latin-1"),
                scope["query_string"].decode("latin-1"),
                headers,
                body,
            )
            caller = self._door.admit(request, request_id)
            answer = await self._answer(operation, caller, body)
        except ClientGone:
            return
        except ApiError as error:
            answer = answer_to(error, protocol)
        except Exception:
            _log.exception("request failed", operation=name, request_id=request_id)
            answer = answer_to(
                InternalFailure(f"The request failed. The log has the cause under {request_id}."), protocol
            )
        self._metrics.observe(name, answer.status, perf_counter() - started)
        audit.record(name, caller, headers, request_id, answer.status)
        await _send(send, answer, protocol, request_id)

    def _operation(self, method: str, path: str, target: str | None) -> Operation:
        if method == "POST":
            if target is not None and path == "/":
                operation = self._operations.by_target.get(target.encode("latin-1"))
            else:
                operation = self._operations.by_path.get(path)
            if operation is not None:
                return operation
        raise UnknownOperation(
            "No such operation. Matinee answers the Amazon Personalize APIs: POST / with the header X-Amz-Target: "
            f"AmazonPersonalize.<Operation>, and POST {', '.join(sorted(self._operations.by_path))}."
        )

    async def _answer(self, operation: Operation, caller: Caller, body: bytes) -> Answer:
        endpoint = self._endpoints.get(operation.name)
        if endpoint is None:
            raise UnknownOperation(f"This version of Matinee does not have {operation.name} yet.")
        if endpoint.together is not None:
            return Answer(200, await self._encoded(endpoint.together, operation, caller, body))
        params = operation.parse(body)
        self._throttle.admit(operation.service, operation.name, caller, params)
        if endpoint.in_thread:
            if self._threads is None:  # a limiter belongs to the event loop that it is first used in
                self._threads = anyio.CapacityLimiter(CONTROL_THREADS)
            given = await anyio.to_thread.run_sync(endpoint.handler, caller, params, limiter=self._threads)
        else:
            try:
                given = endpoint.handler(caller, params)
            except WouldBlock:  # a model to be opened, data to be read: other requests need not wait for it
                given = await anyio.to_thread.run_sync(endpoint.handler, caller, params)
        result = given if isinstance(given, dict) else await cast(Awaitable[Result], given)
        if operation.serialise is None:
            return Answer(200, b"")
        answer = Answer(200, _encode(operation.serialise(result)).encode())
        extra = result.get(HEADERS_MEMBER)
        return replace(answer, headers=_extra_headers(extra)) if extra else answer

    async def _encoded(self, together: Together, operation: Operation, caller: Caller, body: bytes) -> bytes:
        known = together.encoded.known(caller, body)
        params = operation.parse(body) if known is None else known.params
        self._throttle.admit(operation.service, operation.name, caller, params)
        if known is not None:
            return together.encoded.again(known)
        call = EncodedCall(caller, params, body)
        try:
            return await together.answer(call)
        except WouldBlock:
            (answered,) = await anyio.to_thread.run_sync(together.encoded.compute, (call,))
            if isinstance(answered, Exception):
                raise answered from None
            return answered


def _headers(scope: Scope) -> dict[str, str]:
    """Header names in lower case to values; what came several times is joined, as signatures have it."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


async def _body(headers: Mapping[str, str], receive: Receive) -> bytes:
    """The whole body. Raises `RequestTooLarge` at the first byte too many, or before reading when it is announced."""
    too_large = RequestTooLarge(f"The request body is longer than {BODY_LIMIT} bytes.")
    announced = headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced[:20]) > BODY_LIMIT:
        raise too_large
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > BODY_LIMIT:
            raise too_large
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _send(send: Send, answer: Answer, protocol: WireProtocol, request_id: str) -> None:
    headers = [
        (b"x-amzn-requestid", request_id.encode()),
        (b"content-type", CONTENT_TYPES[protocol]),
        (b"content-length", str(len(answer.body)).encode()),
        *_COMMON_HEADERS,
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _extra_headers(extra: Mapping[str, object]) -> list[tuple[bytes, bytes]]:
    """Header values in printable ASCII, so that none can end its line."""
    return [
        (name.lower().encode("ascii"), "".join(c if " " <= c <= "~" else "?" for c in str(value)).encode())
        for name, value in extra.items()
    ]
