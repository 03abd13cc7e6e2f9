"""Access keys of the metadata as the front door asks for them: from memory, at most half a second old."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from matinee.api.aws.signature import Key
from matinee.storage import access_keys
from matinee.storage.metadata import Database

#: How long a key is believed without a look at the database.
FRESH_SECONDS: Final = 0.5
MOST_KEYS: Final = 4096


class SqlKeys:
    """A `KeyStore` over the metadata. A key that is used costs one indexed read every half second, however often.

    Only keys that are let in are kept, the least recently read dropped above `size`: a new key works at once, and made
    up names neither fill the memory nor push known keys out. Meant for one event loop.
    """

    def __init__(self, database: Database, *, size: int = MOST_KEYS, now: Callable[[], float] = time.monotonic) -> None:
        self._database, self._size, self._now = database, size, now
        self._kept: OrderedDict[str, tuple[float, Key]] = OrderedDict()

    def find(self, access_key: str) -> Key | None:
        """The enabled key of that name, or None."""
        now = self._now()  # before the read: what was read is never believed for longer than it may be
        read_at, kept = self._kept.get(access_key, (0.0, None))
        if kept is not None and now - read_at < FRESH_SECONDS:
            return kept
        self._kept.pop(access_key, None)
        found = self._read(access_key)
        if found is not None:
            self._kept[access_key] = (now, found)
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return found

    def _read(self, access_key: str) -> Key | None:
        if not access_keys.ACCESS_KEY.fullmatch(access_key):
            return None
        row = access_keys.find(self._database, access_key)
        return Key(row.access_key, row.secret, row.account) if row is not None and row.enabled else None

    def close(self) -> None:
        """Give the database's connections back."""
        self._database.close()
