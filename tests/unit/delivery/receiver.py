"""A webhook's receiver for tests, and a verifier of its own, written from the text of Standard Webhooks 1.0."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


def is_genuine(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether some signature of the header is that of the content `id.timestamp.body` under the secret's bytes."""
    key = base64.b64decode(secret.split("_", 1)[1])
    content = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    expected = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    signatures = [one.partition(",") for one in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(given, expected) for version, _, given in signatures)


class Receiver:
    """Answers POSTs on a port of this machine; keeps what it took. `answer` gives the status for the n-th POST."""

    def __init__(
        self, answer: Callable[[int], int] = lambda _: 204, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.asked = 0
        guard, receiver = threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if len(body) < int(self.headers["Content-Length"]):
                    return  # the sender died on the way: there is no message, and nobody to answer
                with guard:
                    receiver.asked += 1
                    status = answer(receiver.asked)
                    if 200 <= status < 300:
                        receiver.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(status)
                if status in (301, 302):
                    self.send_header("Location", f"http://127.0.0.1:{receiver.port}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in http.server
                """Nothing is told."""

        ThreadingHTTPServer.allow_reuse_address = True
        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self._scheme}://127.0.0.1:{self.port}/hook?shop=films"

    @property
    def events(self) -> list[dict[str, Any]]:
        """The CloudEvents taken, in the order in which they came."""
        return [json.loads(body) for _, body in self.taken]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
