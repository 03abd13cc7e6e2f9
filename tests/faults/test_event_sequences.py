"""Random events with kill -9 and loss of Redis in between, on each database; `make faults` has many rounds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.faults.event_rounds import World


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    with World(tmp_path, database_url, random.Random(5)) as running:
        yield running


_HAPPENINGS = {
    "event": World.some_event,
    "item": World.some_item,
    "user": World.some_user,
    "action": World.some_action,
    "answer": World.some_answer,
    "look": World.look,
}


@settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(sorted(_HAPPENINGS)), min_size=4, max_size=12))
def _sequences(world: World, steps: list[str]) -> None:
    for step in steps:
        _HAPPENINGS[step](world)
        world.look()


def test_nothing_acknowledged_is_lost_and_nothing_excluded_is_recommended(world: World) -> None:
    _sequences(world)
    world.death()
    _sequences(world)
    world.loss()
    _sequences(world)
    assert (world.kills, world.losses) == (1, 1)
    assert world.asked > 100
    assert world.servers[0].hits() > 0
