"""Keeps web pages away from a server that takes any credentials: only requests that name this machine are answered.

A page of another site can make a browser send requests here under its own name, by letting that name resolve to
127.0.0.1 (DNS rebinding). The browser then says that name in `Host`, which no client of this machine does.
"""

from __future__ import annotations

import json
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from matinee.api.http import is_loopback

_CODE: Final = "AccessDeniedException"


class LoopbackHosts:
    """Answers 403 to requests whose `Host` is not this machine; one without `Host` comes from no browser."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for name, value in scope["headers"]:
                if name == b"host" and not is_loopback(host_of(value.decode("latin-1"))):
                    await _refuse(send)
                    return
        await self._app(scope, receive, send)


def host_of(header: str) -> str:
    """The host of a `Host` header, without port and brackets: `[::1]:8765` gives `::1`."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0].lower()


async def _refuse(send: Send) -> None:
    """The refusal in the form of both protocols, so that any client shows it."""
    message = (
        "Without access keys Matinee answers only requests to localhost, 127.0.0.1 or [::1], and the Host header names "
        "another host. Use such an address, or make a key with `matinee keys create` and start the server again."
    )
    body = json.dumps({"__type": _CODE, "message": message}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-errortype", _CODE.encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
