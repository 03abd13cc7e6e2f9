"""A real HTTP server that speaks the chat completions format, and does what a test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """One answer: a status, a body or the content of a completion, further headers. `hangs`: none comes."""

    content: str = '{"theme": "Quiet dramas"}'
    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False

    @property
    def whole(self) -> bytes:
        """The body as it is sent."""
        if self.body is not None:
            return self.body
        message = {"role": "assistant", "content": self.content}
        return json.dumps({"object": "chat.completion", "choices": [{"index": 0, "message": message}]}).encode()


@dataclass
class Endpoint:
    """Where it listens, what it replies in turn (the last for ever), and what it was asked: path, headers, body."""

    url: str
    replies: list[Reply]
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)


@contextmanager
def endpoint(replies: Sequence[Reply] = (Reply(),)) -> Iterator[Endpoint]:
    """An endpoint that gives these replies in turn, the last one for ever."""
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            made.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            reply = made.replies.pop(0) if len(made.replies) > 1 else made.replies[0]
            if reply.hangs:
                released.wait()
                return
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.whole)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.whole)

        def log_message(self, *_: object, **__: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        made = Endpoint(f"http://127.0.0.1:{server.server_port}/v1", list(replies))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield made
        finally:
            released.set()
            server.shutdown()
            thread.join()
