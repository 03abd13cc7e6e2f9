"""The cache that several processes share: Redis, with AUTH and TLS. A dead or slow one costs a bounded time.

The path of a request never connects: it asks over one open connection, waits at most `PATIENCE`, and after the first
failure does not ask again until a thread of the cache's own has connected anew. That thread also does the writing.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from matinee.errors import SettingsProblem

if TYPE_CHECKING:
    from redis.connection import ConnectionPool

#: Seconds that a request waits for Redis. Computing the answer takes less.
PATIENCE = 0.02
#: An answer that takes longer than this is slow; after so many slow ones in a row Redis is left alone for a while.
SLOW, MOST_SLOW = 0.005, 3
#: Seconds in which a connection, with TLS and AUTH, must stand, and in which a write must be done.
CONNECTING = 2.0
#: Seconds between attempts to connect: the first, and what doubling leads to.
FIRST_DELAY, LONGEST_DELAY = 0.25, 8.0
#: A connection that lived this long had been good: the next attempt comes soon.
SETTLED = 30.0
#: Seconds after which an entry goes. Entries that nothing asks for any more are left to this.
LIFETIME = 600
#: Writes that may wait; more are dropped.
MOST_WAITING = 1000
_PREFIX = "matinee:"

_log = structlog.get_logger(__name__)


class RedisCache:
    """Entries in the Redis at `url`: `redis://`, `rediss://` (TLS) or `unix://`, with `user:password@` where it asks.

    `ca_file` are the certificates that the server's must be signed by; without it the system's. Raises
    `SettingsProblem` when the URL or the file cannot be used, or the client library is missing; never because Redis
    does not answer.
    """

    name = "redis"

    def __init__(
        self, url: str, *, ca_file: Path | None = None, patience: float = PATIENCE, lifetime: int = LIFETIME
    ) -> None:
        self._pool = _pool(url, ca_file)
        self._patience, self._lifetime = patience, lifetime
        self._connection: Any = None
        self._asking = threading.Lock()
        self._slow = 0
        self._failures = 0
        self._closing = threading.Event()
        self._lost = threading.Event()
        self._waiting: queue.Queue[tuple[str, bytes] | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="matinee-redis", daemon=True)
        self._thread.start()

    @property
    def connected(self) -> bool:
        """Whether requests ask it now."""
        return self._connection is not None

    @property
    def failures(self) -> int:
        """How often it was given up."""
        return self._failures

    def get(self, key: str) -> bytes | None:
        """The value, when Redis gives it within the patience. While another thread asks, nothing."""
        if self._connection is None or not self._asking.acquire(blocking=False):
            return None
        try:
            connection = self._connection
            return None if connection is None else self._ask(connection, key)
        finally:
            self._asking.release()

    def put(self, key: str, value: bytes) -> None:
        """Have the value written, soon; dropped while Redis is away or behind."""
        if self._connection is None:
            return
        try:
            self._waiting.put_nowait((key, value))
        except queue.Full:
            return

    def close(self) -> None:
        """Write what waits, as far as that goes quickly, and end the thread."""
        self._closing.set()
        self._lost.set()
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            _log.info("answers that were not written to Redis yet are dropped", answers=self._waiting.qsize())
        self._thread.join(2 * CONNECTING)
        self._pool.disconnect()

    def _ask(self, connection: Any, key: str) -> bytes | None:
        began = time.monotonic()
        try:
            connection.send_command("GET", _PREFIX + key)
            value: Any = connection.read_response(timeout=self._patience)
        except Exception as problem:  # whatever it is, the answer can be computed without Redis
            self._give_up(connection, problem)
            return None
        self._slow = self._slow + 1 if time.monotonic() - began > SLOW else 0
        if self._slow >= MOST_SLOW:
            self._give_up(connection, None)
        return value if isinstance(value, bytes) else None

    def _give_up(self, connection: Any, problem: Exception | None) -> None:
        """Stop asking. The problem's text may hold a host or a password, so only its kind is told."""
        if self._connection is not connection:
            return
        self._connection = None
        self._failures += 1
        reason = "slow" if problem is None else type(problem).__name__
        _log.warning("Redis is left alone for a while; answers are computed without it", reason=reason)
        _quietly(connection.disconnect)
        self._lost.set()

    def _run(self) -> None:
        delay = FIRST_DELAY
        while not self._closing.is_set():
            began = time.monotonic()
            try:
                asking, writing = self._connect(), self._connect()
            except Exception as problem:  # whatever it is, the next attempt may do better
                _log.info("Redis cannot be reached", reason=type(problem).__name__, again_in_seconds=delay)
            else:
                self._slow = 0
                self._lost.clear()
                self._connection = asking
                _log.info("Redis is asked for answers")
                self._write_until_lost(asking, writing)
                _quietly(writing.disconnect)
                delay = FIRST_DELAY if time.monotonic() - began > SETTLED else delay
            self._closing.wait(delay)
            delay = min(2 * delay, LONGEST_DELAY)
        connection, self._connection = self._connection, None
        if connection is not None:
            _quietly(connection.disconnect)

    def _connect(self) -> Any:
        """An open connection that Redis has answered on."""
        # Of the client's connections only half of the types are told.
        connection: Any = self._pool.make_connection()
        connection.connect()
        connection.send_command("PING")
        connection.read_response()
        return connection

    def _write_until_lost(self, asking: Any, writing: Any) -> None:
        while True:
            try:
                waiting = self._waiting.get(timeout=0.2)
            except queue.Empty:
                if self._lost.is_set():
                    return
                continue
            if waiting is None or (self._lost.is_set() and not self._closing.is_set()):
                return
            try:
                writing.send_command("SET", _PREFIX + waiting[0], waiting[1], "EX", str(self._lifetime))
                writing.read_response()
            except Exception as problem:  # a full Redis, a lost connection: the same remedy
                self._give_up(asking, problem)
                return


def _pool(url: str, ca_file: Path | None) -> ConnectionPool:
    try:
        from redis.backoff import NoBackoff
        from redis.connection import ConnectionPool
        from redis.retry import Retry
    except ImportError:
        raise SettingsProblem(
            "MATINEE_REDIS_URL is set, but Redis's client is missing: pip install 'matinee[redis]'."
        ) from None
    options: dict[str, Any] = {
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": CONNECTING,
        "socket_connect_timeout": CONNECTING,
    }
    if ca_file is not None:
        if not url.startswith("rediss://"):
            raise SettingsProblem("MATINEE_REDIS_CA is for rediss:// URLs; MATINEE_REDIS_URL is none.")
        if not ca_file.is_file():
            raise SettingsProblem(f"MATINEE_REDIS_CA names {ca_file}, which is no file.")
        options["ssl_ca_certs"] = str(ca_file)
    try:
        return ConnectionPool.from_url(url, **options)
    except ValueError:  # its text may hold the password
        raise SettingsProblem(
            "MATINEE_REDIS_URL must look like redis://user:password@host:6379/0, rediss://… or unix://…."
        ) from None


def _quietly(action: Callable[[], object]) -> None:
    """Close what may be broken already."""
    try:
        action()
    except Exception as problem:
        _log.debug("closing a connection to Redis failed", reason=type(problem).__name__)
