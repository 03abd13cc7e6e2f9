"""Answers that were computed before. What is kept is all of an answer but what each call gets for itself.

An answer is two lists of elements in the wire's names, promoted ones and others. Where the promoted ones stand among
the others is drawn for each call, and so is the recommendationId.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import structlog
from prometheus_client import CollectorRegistry, Counter

from matinee.serving.answer_key import AnswerKeys
from matinee.serving.scene import Scene
from matinee.storage.cache.layers import Layers

_log = structlog.get_logger(__name__)


class Elements(NamedTuple):
    """The elements of an answer, each list best first; `propensities` by item ID where it was explored."""

    promoted: list[dict[str, Any]]
    others: list[dict[str, Any]]
    propensities: Mapping[str, float] = MappingProxyType({})
    #: Whether it is kept, so that the same call is given the same as long as nothing changes.
    kept: bool = False


class Looked(NamedTuple):
    """What was found of an answer, and its key; None for one that is not to be given again."""

    key: str | None
    found: Elements | None


_NOTHING = Looked(None, None)


class AnswerCache:
    """Finds answers in `layers`, or has them computed. Safe to share between threads."""

    def __init__(self, layers: Layers, keys: AnswerKeys, registry: CollectorRegistry | None = None) -> None:
        """What is found is counted in `registry`, as `matinee_answers_total` by where the answer came from."""
        self._layers, self._keys = layers, keys
        counter = Counter(
            "matinee_answers",
            "Runtime answers by source: memory and redis are hits of the cache; computed; unrepeatable, never kept.",
            ("source",),
            registry=CollectorRegistry() if registry is None else registry,
        )
        names = [*(cache.name for cache in layers.caches), "computed", "unrepeatable"]
        self._counts = {name: counter.labels(name) for name in names}

    def elements(self, scene: Scene, compute: Callable[[], Elements]) -> Elements:
        """The elements of a scene's answer. Raises what `compute` raises, and then keeps nothing."""
        looked = self.look(scene)
        return self.keep(looked.key, compute()) if looked.found is None else looked.found

    def look(self, scene: Scene) -> Looked:
        """What there is of a scene's answer, and the key under which to keep it."""
        if not self._layers.caches:
            self._counts["computed"].inc()
            return _NOTHING
        key = self._keys.key(scene)
        if key is None:
            self._counts["unrepeatable"].inc()
            return _NOTHING
        found = self._layers.get(key)
        elements = None if found is None else _decoded(found[0])
        if found is not None and elements is not None:
            self._counts[found[1]].inc()
            return Looked(key, elements._replace(kept=True))
        self._counts["computed"].inc()
        return Looked(key, None)

    def keep(self, key: str | None, computed: Elements) -> Elements:
        """Keep what was computed, where it may be given again."""
        if key is None:
            return computed
        self._layers.put(key, json.dumps(computed[:2], separators=(",", ":")).encode())
        return computed._replace(kept=True)

    def found_quickly(self) -> None:
        """Count an answer that was found in this process's memory without a key."""
        self._counts[self._layers.caches[0].name].inc()

    def age(self, scene: Scene) -> tuple[int | None, int]:
        """When the newest event was that the model reads, None where it reads no time, and its bucket now."""
        return self._keys.age(scene)

    def close(self) -> None:
        """Close the caches."""
        self._layers.close()


def _decoded(kept: bytes) -> Elements | None:
    """None for what is no answer: whoever can write to Redis may have put anything there."""
    try:
        promoted, others = json.loads(kept)
        if all(isinstance(one["itemId"], str) for one in (*promoted, *others)):
            return Elements(promoted, others)
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    _log.warning("an entry of the cache is no answer; it is computed again")
    return None
