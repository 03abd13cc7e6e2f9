"""Values kept in memory that are never older than the database at the moment a request came in.

On SQLite `PRAGMA data_version` tells in microseconds whether any connection of any process has committed since; while
it has not, what is kept needs no look at the database. On PostgreSQL every request looks, by index.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from matinee.serving.event_loop import WouldBlock
from matinee.storage.metadata import Database

Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept")


class View:
    """The database as one request sees it: not older than the request. The connection is taken on first use.

    `stamp` names the database's state; None when there is no cheap way to know it.
    """

    def __init__(self, database: Database, stamp: int | None, resources: ExitStack) -> None:
        self.stamp = stamp
        self._database = database
        self._resources = resources
        self._connection: sa.Connection | None = None
        #: Takes back what was counted for the request, when it begins anew in a thread.
        self.take_back: Callable[[], None] | None = None

    def undo(self) -> None:
        """Take back what was counted."""
        if self.take_back is not None:
            self.take_back()

    @property
    def connection(self) -> sa.Connection:
        """A read transaction that lasts as long as the view."""
        if self._connection is None:
            self._connection = self._resources.enter_context(self._database.read())
        return self._connection


class Freshness:
    """Where views come from. Holds one connection that never writes: `data_version` is relative to a connection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._watch: Any = database.engine.raw_connection() if database.is_sqlite else None

    @contextmanager
    def view(self) -> Iterator[View]:
        """The view of one request. The stamp is taken before anything is read, so that it never flatters."""
        with ExitStack() as resources:
            view = View(self._database, self._stamp(), resources)
            try:
                yield view
            except WouldBlock:
                view.undo()
                raise

    def close(self) -> None:
        """Give the watching connection back."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def _stamp(self) -> int | None:
        if self._watch is None:
            return None
        with self._lock:
            return int(self._watch.driver_connection.execute("PRAGMA data_version").fetchone()[0])


class FreshCache(Generic[Key, Kept]):
    """At most `size` values by key, the least recently used dropped. Safe to share between threads.

    `load(connection, key, previous)` reads a value; it may return `previous` when one indexed read shows that it holds.
    """

    def __init__(self, load: Callable[[View, Key, Kept | None], Kept], size: int) -> None:
        self._load = load
        self._size = size
        self._kept: OrderedDict[Key, tuple[int | None, Kept]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, view: View, key: Key) -> Kept:
        """The value as of `view`; raises what loading it raises, and then keeps nothing, unless it would only block."""
        with self._lock:
            stamp, previous = self._kept.get(key, (None, None))
            if previous is not None:
                self._kept.move_to_end(key)
                if stamp is not None and stamp == view.stamp:
                    return previous
        try:
            loaded = self._load(view, key, previous)
        except WouldBlock:  # nothing was found out: the same call in a thread goes on from what is kept
            raise
        except BaseException:
            with self._lock:
                self._kept.pop(key, None)
            raise
        with self._lock:
            self._kept[key] = (view.stamp, loaded)
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return loaded
