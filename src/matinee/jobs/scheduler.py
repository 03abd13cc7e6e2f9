"""The one scheduler: what a worker starts by the clock, beside the jobs that clients ask for.

Each duty looks for itself what is due, in its account's turn, so that several workers start nothing twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from matinee.control.attribution_schedule import start_attributing
from matinee.control.auto_training import start_due
from matinee.control.auto_update import start_updates
from matinee.control.batch_schedules import start_scheduled
from matinee.settings import Settings
from matinee.storage.metadata import Database

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 60.0
_BATCH_LOOK_SECONDS = 5.0


@dataclass(frozen=True)
class Duty:
    """Something that is looked for every so many seconds. `start` is given the time, epoch milliseconds, and returns
    the ARNs of what it started; `told` is what the log says of them."""

    told: str
    seconds: float
    start: Callable[[int], Sequence[str]]


def duties(database: Database, settings: Settings) -> list[Duty]:
    """What a worker with these settings has to look for."""
    found = [
        Duty(
            "batch jobs are due by schedule",
            _BATCH_LOOK_SECONDS,
            lambda now: start_scheduled(database, settings, now),
        )
    ]
    if settings.attribution_seconds:
        found.append(
            Duty(
                "events are attributed to recommendations",
                settings.attribution_seconds,
                lambda now: start_attributing(database, now),
            )
        )
    if settings.auto_training:
        found.append(
            Duty("trainings are due by schedule", _LOOK_SECONDS, lambda now: start_due(database, settings, now))
        )
    period = settings.auto_update_seconds
    if period:
        found.append(
            Duty(
                "deployed models take in new data",
                min(_LOOK_SECONDS, period),
                lambda now: start_updates(database, 1000 * period, now),
            )
        )
    return found


class Scheduler:
    """Carries out duties, each when its time has come; `clock` gives the time in epoch milliseconds."""

    def __init__(self, work: Sequence[Duty], clock: Callable[[], int]) -> None:
        self._work, self._clock = list(work), clock
        self._last = [float("-inf")] * len(self._work)

    def round(self) -> None:
        """Look once at everything whose time has come. What fails is told, and tried again at its next time."""
        for number, duty in enumerate(self._work):
            if time.monotonic() - self._last[number] < duty.seconds:
                continue
            self._last[number] = time.monotonic()
            try:
                started = duty.start(self._clock())
            except Exception:
                log.exception("a duty of the schedule failed; it is tried again", duty=duty.told)
                continue
            if started:
                log.info(duty.told, resources=list(started))
