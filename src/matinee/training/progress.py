"""The progress of a training that has several phases: one fraction from 0 to 1 that never goes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from matinee.models.base import FitOptions, Progress


class PhasedProgress:
    """Phases, each with a share of the whole; what a phase reports is scaled into its share.

    `phases` pairs a name with its weight, in the order in which they come. The time left is estimated from the time
    that the finished fraction took.
    """

    def __init__(self, phases: Sequence[tuple[str, float]], report: Callable[[Progress], None]) -> None:
        total = sum(weight for _, weight in phases)
        self._shares: dict[str, tuple[float, float]] = {}
        begin = 0.0
        for name, weight in phases:
            self._shares[name] = (begin, weight / total)
            begin += weight / total
        self._report = report
        self._reached = 0.0
        self._started = time.monotonic()

    def options(self, phase: str, options: FitOptions) -> FitOptions:
        """`options` for the fit of one phase: progress scaled, and a checkpoint folder of its own."""
        checkpoints: Path | None = None
        if options.checkpoints is not None:
            checkpoints = options.checkpoints / phase
            checkpoints.mkdir(parents=True, exist_ok=True)
        return replace(options, on_progress=lambda step: self.report(phase, step), checkpoints=checkpoints)

    def report(self, phase: str, step: Progress) -> None:
        """Pass on one step of a phase."""
        begin, share = self._shares[phase]
        self._reached = min(1.0, max(self._reached, begin + share * min(1.0, max(0.0, step.fraction))))
        self._report(replace(step, fraction=self._reached, seconds_left=self._seconds_left()))

    def start(self, phase: str, message: str) -> None:
        """Say that a phase begins."""
        self.report(phase, Progress(0.0, message))

    def _seconds_left(self) -> float | None:
        elapsed = time.monotonic() - self._started
        return elapsed * (1 - self._reached) / self._reached if self._reached > 0 else None
