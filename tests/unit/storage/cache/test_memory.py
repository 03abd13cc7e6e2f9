"""The cache of one process."""

from __future__ import annotations

from matinee.storage.cache.memory import OVERHEAD, MemoryCache


def test_the_least_recently_used_goes_when_room_is_short() -> None:
    cache = MemoryCache(2 * (OVERHEAD + 11))
    cache.put("a", b"0123456789")
    cache.put("b", b"0123456789")
    assert cache.get("a") is not None
    cache.put("c", b"0123456789")

    assert [cache.get(key) is not None for key in "abc"] == [True, False, True]
    assert cache.size == 2 * (OVERHEAD + 11)


def test_what_is_larger_than_the_cache_is_not_kept() -> None:
    cache = MemoryCache(OVERHEAD)
    cache.put("a", b"0")

    assert (cache.get("a"), cache.size) == (None, 0)
