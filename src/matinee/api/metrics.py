"""Request counts and latencies by operation and status, for Prometheus."""

from __future__ import annotations

from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest

#: Seconds. Recommendations are expected in milliseconds, control operations in tens of them.
BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The metrics of one application, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
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
        """The text that Prometheus reads, and its media type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
