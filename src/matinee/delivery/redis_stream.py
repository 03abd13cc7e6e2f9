"""A Redis stream: each message one entry (XADD) with the fields `id`, `user` and `event`, the CloudEvent as JSON."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit, urlunsplit

from matinee.delivery.cloud_event import Message
from matinee.errors import DeliveryFailed, InvalidInput

_TIMEOUT = 10.0


class RedisStream:
    """Appends to one stream. Redis keeps the order in which entries came."""

    def __init__(self, url: str) -> None:
        """`url` as in `redis://host:6379/0?stream=NAME`, or `rediss://`; `unix:` sockets by the query `socket`."""
        try:
            import redis
        except ImportError:
            raise InvalidInput("Redis streams need the extra `redis`: pip install 'matinee[redis]'.") from None
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        if set(query) != {"stream"} and set(query) != {"stream", "socket"}:
            raise InvalidInput("A Redis stream is named by its URL: redis://host:6379/0?stream=NAME.")
        self._stream = query["stream"][0]
        timeouts = {"socket_timeout": _TIMEOUT, "socket_connect_timeout": _TIMEOUT}
        self._error: type[Exception] = redis.RedisError
        if "socket" in query:
            self._redis = redis.Redis(unix_socket_path=query["socket"][0], socket_timeout=_TIMEOUT)
        else:
            self._redis = redis.Redis.from_url(urlunsplit(parts._replace(query="")), **timeouts)

    def send(self, message: Message) -> None:
        """Return when Redis has appended the entry; raises `DeliveryFailed`."""
        try:
            self._redis.xadd(self._stream, {"id": message.id, "user": message.lane, "event": message.body})
        except self._error as problem:
            raise DeliveryFailed(f"Redis did not take the entry: {type(problem).__name__}.") from None

    def close(self) -> None:
        """Let connections go."""
        self._redis.close()
