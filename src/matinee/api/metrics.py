"""Request counts and latencies by operation and status, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

#: Seconds. Recommendations are expected in milliseconds, control operations in tens of them.
BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The metrics of one application, in a registry of their own."""

    def __init__(self, shared: Path | None = None) -> None:
        """`shared`: the folder in which processes that answer on one port keep their numbers."""
        self.registry, self._shared = CollectorRegistry(), shared
        #: Called before the numbers are shown, to bring those up to date that are not counted as things happen.
        self.before: list[Callable[[], None]] = []
        self._requests = Counter(
            "matinee_requests", "Answered requests.", ("operation", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "matinee_request_seconds",
            "Seconds from the first byte of a request's headers to its answer.",
            ("operation",),
            buckets=BUCKETS,
            registry=self.registry,
        )
        # Looking a labelled child up costs more than counting, so each is kept.
        self._children: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def observe(self, operation: str, status: int, seconds: float) -> None:
        """Count one answer. `operation` comes from a closed set, so that callers cannot make series."""
        pair = self._children.get((operation, status))
        if pair is None:
            pair = self._requests.labels(operation, str(status)), self._seconds.labels(operation)
            self._children[operation, status] = pair
        pair[0].inc()
        pair[1].observe(seconds)

    def expose(self) -> tuple[bytes, str]:
        """The text that Prometheus reads, of all processes that answer on one port together, and its media type."""
        for update in self.before:
            update()
        registry = self.registry
        if self._shared is not None:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, str(self._shared))  # type: ignore[no-untyped-call]
        return generate_latest(registry), CONTENT_TYPE_LATEST
