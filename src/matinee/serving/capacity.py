"""Capacity: how many requests a second a campaign has for itself, and what is refused when the server is full.

A campaign or recommender has its minProvisionedTPS (minRecommendationRequestsPerSecond) reserved. What the ceiling
leaves beyond all reservations is open to whoever comes first. A request that finds neither gets ThrottlingException.
Rates are kept by the generic cell rate algorithm (ITU-T I.371): one time for each rate, no queue.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge

from matinee.errors import Throttling
from matinee.serving.deployments import Deployment

#: Seconds of a rate that may come at once after a pause.
BURST = 1.0
#: Utilisation is the mean rate of this many seconds, as the service bills, over the reservation.
WINDOW = 300
_SECONDS_A_SLOT = 10
#: Seconds by which sums of steps may be off.
_ROUNDING = 1e-6


class Rate:
    """At most `per_second` requests a second on average, `BURST` seconds' worth (at least one) at once."""

    def __init__(self, per_second: float) -> None:
        self.per_second = per_second
        self._due = 0.0

    def take(self, now: float) -> bool:
        """Whether one more request at `now`, monotonic seconds, keeps within the rate; counts it then."""
        if self.per_second <= 0:
            return False
        step = 1 / self.per_second
        due = max(self._due, now)
        if due - now > max(BURST - step, 0) + _ROUNDING:
            return False
        self._due = due + step
        return True

    def idle(self, now: float) -> bool:
        """Whether all that was taken lies so far back at `now` that a new rate would admit the same."""
        return self._due <= now

    def give(self) -> None:
        """Take back the last request that was counted."""
        if self.per_second > 0:
            self._due -= 1 / self.per_second


@dataclass
class Use:
    """What one deployment uses: its reservation's rate, and requests by slots of time."""

    reserved: float
    rate: Rate
    slots: deque[list[int]] = field(default_factory=deque)

    def count(self, now: float) -> None:
        """Count an admitted request."""
        slot = int(now) // _SECONDS_A_SLOT
        if not self.slots or self.slots[-1][0] != slot:
            self.slots.append([slot, 0])
            self.forget(now)
        self.slots[-1][1] += 1

    def forget(self, now: float) -> None:
        """Drop what lies before the window."""
        while self.slots and self.slots[0][0] <= (int(now) - WINDOW) // _SECONDS_A_SLOT:
            self.slots.popleft()

    def utilisation(self, now: float) -> float:
        """Mean requests a second of the window, over the reservation."""
        self.forget(now)
        return sum(count for _, count in self.slots) / WINDOW / self.reserved


class Capacity:
    """Admits requests by deployment. Safe to share between threads.

    `ceiling` is in requests a second, 0 for none; `share` is the part of it, and of every reservation, that this
    process has: one over the number of processes that share a port.
    """

    def __init__(
        self,
        ceiling: float,
        *,
        share: float = 1.0,
        registry: CollectorRegistry | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ceiling, self._share, self._clock = ceiling * share, share, clock
        self._uses: dict[str, Use] = {}
        self._shared = Rate(self._ceiling)
        self._lock = threading.Lock()
        registry = CollectorRegistry() if registry is None else registry
        self._throttled = Counter(
            "matinee_throttled", "Runtime requests refused for want of capacity.", ("arn",), registry=registry
        )
        self._utilisation = Gauge(
            "matinee_capacity_utilisation",
            "Mean requests a second of the last five minutes over minProvisionedTPS.",
            ("arn",),
            registry=registry,
            multiprocess_mode="livesum",
        )

    def admit(self, deployment: Deployment) -> Rate | None:
        """Count a request to an ACTIVE deployment. Raises `Throttling` when there is no room for it.

        Returns the rate that it was counted on, None without a ceiling: what `take_back` is given.
        """
        now = self._clock()
        with self._lock:
            use = self._uses.get(deployment.arn)
            if use is None or use.reserved != deployment.reserved:
                use = self._reserve(deployment.arn, deployment.reserved)
            rates = (use.rate, self._shared) if self._ceiling else ()
            found = next((rate for rate in rates if rate.take(now)), None)
            if found is not None or not rates:
                use.count(now)
                return found
        self._throttled.labels(deployment.arn).inc()
        raise Throttling(
            f"Rate exceeded: {deployment.arn} has {deployment.reserved} requests a second reserved, and the server's "
            f"capacity beyond the reservations is in use. Try again, or raise minProvisionedTPS."
        )

    def take_back(self, deployment: Deployment, counted_on: Rate | None) -> None:
        """Undo `admit` for a request that begins anew, and is then admitted once more."""
        with self._lock:
            if counted_on is not None:
                counted_on.give()
            use = self._uses.get(deployment.arn)
            if use is not None and use.slots and use.slots[-1][1]:
                use.slots[-1][1] -= 1

    def reserve(self, active: Iterable[tuple[str, int]]) -> None:
        """Make (ARN, requests a second) the reservations there are; those of others end."""
        wanted = dict(active)
        with self._lock:
            for arn in self._uses.keys() - wanted.keys():
                del self._uses[arn]
                self._utilisation.remove(arn)
            for arn, reserved in wanted.items():
                if arn not in self._uses or self._uses[arn].reserved != reserved:
                    self._reserve(arn, reserved)
            self._share_out()

    def observe(self) -> None:
        """Set the metric of utilisation to the present."""
        now = self._clock()
        with self._lock:
            for arn, used in self._utilisations(now):
                self._utilisation.labels(arn).set(used)

    def utilisation(self, arn: str) -> float:
        """That of one deployment; 0 when it has had no request."""
        with self._lock:
            return self._uses[arn].utilisation(self._clock()) if arn in self._uses else 0.0

    def _utilisations(self, now: float) -> Iterator[tuple[str, float]]:
        return ((arn, use.utilisation(now)) for arn, use in self._uses.items())

    def _reserve(self, arn: str, reserved: int) -> Use:
        """A new reservation takes its part from what is shared; requests counted so far stay counted."""
        before = self._uses.get(arn)
        use = Use(reserved, Rate(reserved * self._share), deque() if before is None else before.slots)
        self._uses[arn] = use
        self._share_out()
        return use

    def _share_out(self) -> None:
        left = self._ceiling - sum(use.rate.per_second for use in self._uses.values())
        self._shared.per_second = max(0.0, left)
