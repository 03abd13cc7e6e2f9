"""What a cache is: bytes by key that may be gone at any time. A miss is never an error."""

from __future__ import annotations

from typing import Protocol


class Cache(Protocol):
    """Bytes by key. No method raises because a backend is slow or away; what is put may be dropped."""

    #: What metrics call it.
    name: str

    def get(self, key: str) -> bytes | None:
        """What was put under `key`, None when it is not there or cannot be had at once."""

    def put(self, key: str, value: bytes) -> None:
        """Keep `value` under `key`, as long as there is room."""

    def close(self) -> None:
        """Give back threads and connections."""
