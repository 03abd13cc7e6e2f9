"""The cache of one process: a bounded number of bytes, the least recently used dropped first."""

from __future__ import annotations

import threading
from collections import OrderedDict

#: What an entry takes beside its key's and its value's own bytes: two objects and a place in the table.
OVERHEAD = 300


class MemoryCache:
    """At most `limit` bytes in all, keys and overhead included. Safe to share between threads."""

    name = "memory"

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes in use."""
        return self._size

    def get(self, key: str) -> bytes | None:
        """The value, which then counts as used."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: str, value: bytes) -> None:
        """Keep a value; one that is larger than the whole cache is not kept."""
        if _weight(key, value) > self._limit:
            return
        with self._lock:
            before = self._kept.pop(key, None)
            if before is not None:
                self._size -= _weight(key, before)
            self._kept[key] = value
            self._size += _weight(key, value)
            while self._size > self._limit:
                self._size -= _weight(*self._kept.popitem(last=False))

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._size = 0


def _weight(key: str, value: bytes) -> int:
    return len(key) + len(value) + OVERHEAD
