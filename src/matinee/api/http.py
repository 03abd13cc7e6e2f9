"""The HTTP server: a bound socket, uvicorn on it, and an end that finishes what was begun."""

from __future__ import annotations

import contextlib
import ipaddress
import signal
import socket
import threading
import time
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

    def __init__(
        self, app: ASGIApp, bound: socket.socket, on_listening: Callable[[], None], *, drain: float = 0
    ) -> None:
        """`drain`: seconds for which it still answers after it was asked to stop, `app.state.draining` being true."""
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
        self._bound, self._on_listening, self._drain = bound, on_listening, drain
        self._stop_at: float | None = None
        self._state = getattr(app, "state", None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then accept."""
        await super().startup(sockets)
        if self.started:
            self._on_listening()

    def serve_until_stopped(self) -> None:
        """Answer requests until SIGTERM, SIGINT or `should_exit`; what was begun is finished first."""
        with signals_call(self._ask_to_stop):
            self.run(sockets=[self._bound])

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether it is time to end."""
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            self.should_exit = True
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """What uvicorn calls for a signal while it serves."""
        self._ask_to_stop(sig, frame)

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        """Drain first, and say so to whoever asks for readiness; asked once more, end now."""
        if self._state is not None:
            self._state.draining = True
        if not self._drain or self._stop_at is not None or not self.started:
            self.should_exit = True
        else:
            self._stop_at = time.monotonic() + self._drain


@contextlib.contextmanager
def signals_call(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
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
