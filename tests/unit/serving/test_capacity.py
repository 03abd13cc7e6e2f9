"""Reservations, the ceiling, and what is told when there is no room."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from matinee.errors import Throttling
from matinee.serving.capacity import WINDOW, Capacity


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def _of(arn: str, reserved: int) -> Any:
    return SimpleNamespace(arn=arn, reserved=reserved)


def _admitted(capacity: Capacity, deployment: Any, asked: int) -> int:
    admitted = 0
    for _ in range(asked):
        try:
            capacity.admit(deployment)
        except Throttling:
            continue
        admitted += 1
    return admitted


def test_without_a_ceiling_everything_is_admitted() -> None:
    assert _admitted(Capacity(0, clock=Clock()), _of("a", 1), 1000) == 1000


def test_a_busy_campaign_leaves_another_one_its_reservation() -> None:
    capacity = Capacity(20, clock=Clock())
    busy, calm = _of("busy", 5), _of("calm", 8)
    capacity.reserve([("busy", 5), ("calm", 8)])

    assert _admitted(capacity, busy, 100) == 5 + 7  # its own, and all that nobody reserved
    assert _admitted(capacity, calm, 100) == 8


def test_there_is_room_again_as_time_goes_by() -> None:
    clock = Clock()
    capacity, one = Capacity(4, clock=clock), _of("one", 4)
    assert _admitted(capacity, one, 10) == 4
    clock.now += 0.5
    assert _admitted(capacity, one, 10) == 2


def test_a_process_has_its_share() -> None:
    assert _admitted(Capacity(20, share=0.5, clock=Clock()), _of("one", 20), 100) == 10


def test_utilisation_is_of_the_last_five_minutes() -> None:
    clock = Clock()
    capacity, one = Capacity(0, clock=clock), _of("one", 2)
    _admitted(capacity, one, 2 * WINDOW)
    assert capacity.utilisation("one") == 1.0
    clock.now += 2 * WINDOW
    assert capacity.utilisation("one") == 0.0


def test_the_refusal_says_what_to_do() -> None:
    capacity = Capacity(1, clock=Clock())
    capacity.admit(_of("one", 1))
    with pytest.raises(Throttling, match=r"one has 1 requests a second reserved.*raise minProvisionedTPS"):
        capacity.admit(_of("one", 1))
