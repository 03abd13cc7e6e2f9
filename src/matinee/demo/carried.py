"""Listeners of a plan that is carried out: one keeps the times of its actions, one tells all of them as one step."""

from __future__ import annotations

import time

from matinee.demo.narrator import Step
from matinee.project.carrying_out import Listener
from matinee.project.kinds import BY_WORD
from matinee.project.plan import Action, Verb


class Timed:
    """Passes everything on to `inner` and keeps, in seconds, how long each action and each training took.

    `training_seconds` is by the solution's key. One worker trains one solution after the other, so that a training
    begins when it is asked for or when the one before it has ended.
    """

    def __init__(self, inner: Listener) -> None:
        self.inner = inner
        self.seconds: dict[str, float] = {}
        self.training_seconds: dict[str, float] = {}
        self._started: dict[str, float] = {}
        self._trained = 0.0

    def started(self, action: Action) -> None:
        """The action was asked of the service."""
        self._started[action.id] = time.monotonic()
        self.inner.started(action)

    def looked(self, action: Action, status: str, fraction: float | None, message: str) -> None:
        """It is under way."""
        self.inner.looked(action, status, fraction, message)

    def ended(self, action: Action, problem: str) -> None:
        """It is done, or `problem` says why not."""
        now = time.monotonic()
        started = self._started.get(action.id, now)
        self.seconds[_titled(action)] = round(now - started, 2)
        if action.verb is Verb.TRAIN:
            self.training_seconds[action.address.key] = round(now - max(started, self._trained), 2)
            self._trained = now
        self.inner.ended(action, problem)

    def skipped(self, action: Action, because: str) -> None:
        """It was not begun."""
        self.inner.skipped(action, because)


class Together:
    """Tells a whole plan as one step: how many of its actions are done, and what is under way."""

    def __init__(self, step: Step, actions: int) -> None:
        self.step = step
        self.actions = actions
        self.done = 0

    def started(self, action: Action) -> None:
        """The action was asked of the service."""
        self._tell(_titled(action))

    def looked(self, action: Action, status: str, fraction: float | None, message: str) -> None:
        """It is under way."""
        self._tell(_titled(action))

    def ended(self, action: Action, problem: str) -> None:
        """It is done, or `problem` says why not."""
        self.done += 1
        self._tell(problem or _titled(action))

    def skipped(self, action: Action, because: str) -> None:
        """It was not begun."""
        self.done += 1
        self._tell(f"{_titled(action)} left out")

    def _tell(self, message: str) -> None:
        self.step.update(self.done / self.actions, message)


def _titled(action: Action) -> str:
    if action.verb is Verb.IMPORT:
        return f"import of {action.address.key.lower()}"
    if action.verb is Verb.TRAIN:
        return f"training of {action.address.key}"
    return f"{action.verb} {BY_WORD[action.address.kind].title} {action.name}"
