"""Listeners of the demo: the times of actions, and a whole plan as one step."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from matinee.demo import carried
from matinee.demo.carried import Timed, Together
from matinee.demo.narrator import Narrator, Step
from matinee.project.desired import Address
from matinee.project.plan import Action, Verb


class _Heard:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def started(self, action: Action) -> None:
        self.calls.append(f"started {action.name}")

    def looked(self, action: Action, status: str, fraction: float | None, message: str) -> None:
        self.calls.append(f"looked {action.name} {status}")

    def ended(self, action: Action, problem: str) -> None:
        self.calls.append(f"ended {action.name} {problem}")

    def skipped(self, action: Action, because: str) -> None:
        self.calls.append(f"skipped {action.name} {because}")


class _Step(Step):
    def __init__(self, narrator: Narrator, title: str) -> None:
        super().__init__(narrator, title)
        self.told: list[tuple[float | None, str]] = []

    def update(self, fraction: float | None, message: str) -> None:
        self.told.append((fraction, message))


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    """Time as the test wants it."""
    clock = _Clock()
    monkeypatch.setattr(carried, "time", clock)
    return clock


def training(key: str) -> Action:
    """The training of one solution."""
    return Action(Verb.TRAIN, Address("version", key), f"movies-{key}")


def test_a_training_that_waited_for_another_is_timed_from_that_ones_end(clock: _Clock) -> None:
    timed = Timed(_Heard())
    first, second = training("popularity"), training("similar")
    timed.started(first)
    timed.started(second)
    clock.now = 3.0
    timed.ended(first, "")
    clock.now = 5.0
    timed.ended(second, "")
    assert timed.training_seconds == {"popularity": 3.0, "similar": 2.0}
    assert timed.seconds == {"training of popularity": 3.0, "training of similar": 5.0}


def test_everything_is_passed_on() -> None:
    heard = _Heard()
    timed, action = Timed(heard), training("similar")
    timed.started(action)
    timed.looked(action, "CREATE IN_PROGRESS", 0.5, "half")
    timed.ended(action, "no data")
    timed.skipped(action, "a failure")
    assert heard.calls == [
        "started movies-similar",
        "looked movies-similar CREATE IN_PROGRESS",
        "ended movies-similar no data",
        "skipped movies-similar a failure",
    ]


def test_a_plan_is_told_as_one_step_that_counts_its_actions() -> None:
    step = _Step(Narrator(Console(file=io.StringIO())), "everything deleted")
    together = Together(step, 2)
    group = Action(Verb.DELETE, Address("group", "group"), "movies")
    together.started(group)
    together.ended(group, "")
    together.skipped(training("similar"), "a failure")
    assert step.told == [
        (0.0, "delete dataset group movies"),
        (0.5, "delete dataset group movies"),
        (1.0, "training of similar left out"),
    ]
