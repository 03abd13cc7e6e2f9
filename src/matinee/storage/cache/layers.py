"""Several caches as one: the nearest that has an entry answers, and the nearer ones learn it."""

from __future__ import annotations

from collections.abc import Sequence

from matinee.settings import Settings
from matinee.storage.cache.base import Cache
from matinee.storage.cache.memory import MemoryCache
from matinee.storage.cache.redis import RedisCache


class Layers:
    """Caches from the nearest to the farthest."""

    def __init__(self, caches: Sequence[Cache]) -> None:
        self.caches = tuple(caches)

    def get(self, key: str) -> tuple[bytes, str] | None:
        """The value and the name of the cache that had it."""
        for at, cache in enumerate(self.caches):
            value = cache.get(key)
            if value is not None:
                for nearer in self.caches[:at]:
                    nearer.put(key, value)
                return value, cache.name
        return None

    def put(self, key: str, value: bytes) -> None:
        """Keep the value in each."""
        for cache in self.caches:
            cache.put(key, value)

    def close(self) -> None:
        """Close each."""
        for cache in self.caches:
            cache.close()


def open_caches(settings: Settings) -> Layers:
    """The caches that the settings ask for: none when `MATINEE_CACHE_MB` is 0, else memory, and Redis where named.

    Raises `SettingsProblem` when Redis's setting cannot be used.
    """
    caches: list[Cache] = []
    if settings.cache_mb:
        caches.append(MemoryCache(settings.cache_mb * 2**20))
        if settings.redis_url:
            ca = settings.redis_ca
            caches.append(RedisCache(settings.redis_url, ca_file=ca))
    return Layers(caches)
