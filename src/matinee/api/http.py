"""The HTTP server: a bound socket, uvicorn on it, and an end that finishes what was begun."""

from __future__ import annotations

import contextlib
import ipaddress
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from matinee.errors import SettingsProblem

#: Longer than SDKs keep an idle connection before they use it again.
_KEEP_ALIVE_SECONDS: Final = 75
_GRACE_SECONDS: Final = 20


def bind(host: str, port: int) -> socket.socket:
    """A socket on `host` and `port` (0: any free one). Raises `SettingsProblem` when the address cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SettingsProblem(f"{host!r} is not an address of this machine: {error.strerror}.") from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise SettingsProblem(
            f"Cannot listen on {host}:{port}: {error.strerror}. Choose another --port, or 0 for any free one."
        ) from None
    return bound


def url_of(bound: socket.socket) -> str:
    """Where clients on this machine reach the socket."""
    host, port = bound.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class HttpServer(uvicorn.Server):
    """uvicorn on a socket that is already bound. `on_listening` is called once requests are answered."""

    def __init__(self, app: ASGIApp, bound: socket.socket, on_listening: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                http="httptools",
                ws="none",
                lifespan="on",
                access_log=False,
                log_config=None,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._bound, self._on_listening = bound, on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then accept."""
        await super().startup(sockets)
        if self.started:
            self._on_listening()

    def serve_until_stopped(self) -> None:
        """Answer requests until SIGTERM, SIGINT or `should_exit`; what was begun is finished first."""
        with _signals_call(self._ask_to_stop):
            self.run(sockets=[self._bound])

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.should_exit = True


@contextlib.contextmanager
def _signals_call(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Handle signals outside uvicorn's own loop: before it starts, and when it raises what ended it once more."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
