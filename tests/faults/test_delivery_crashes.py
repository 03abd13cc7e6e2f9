"""kill -9 during delivery: nothing is lost, and each user's events come in order. `make faults` has 20 rounds."""

from __future__ import annotations

import random
from pathlib import Path

from tests.faults.delivery_rounds import POINTS, rounds


def test_a_kill_at_every_point_of_a_delivery_and_one_at_random(tmp_path: Path) -> None:
    events, messages = rounds(tmp_path, [*POINTS, None], random.Random(6))
    assert events == 120
    assert messages >= events


def test_the_same_on_postgresql(tmp_path: Path, furnished_postgres_url: str) -> None:
    deaths = ["delivery.sent", None, "delivery.settled"]
    events, messages = rounds(tmp_path, deaths, random.Random(7), furnished_postgres_url)
    assert events == 90
    assert messages >= events
