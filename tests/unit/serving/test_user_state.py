"""The history at training and the stream as one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.serving.shop import Event, log_of

from matinee.models.popularity import Popularity
from matinee.serving.item_table import ItemTable
from matinee.serving.streamed_events import HORIZON, StreamedEvent
from matinee.serving.user_state import UserState, UserStates, user_state
from matinee.training.artifact import Artifact, write_artifact

ROWS: list[Event] = [("u1", "a", 100, "Watch"), ("u1", "b", 101, "click"), ("u1", "a", 102, "click")]


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> ItemTable:
    """Items a (0), b (1), c (2); nothing is known beyond."""
    folder: Path = tmp_path_factory.mktemp("artifact") / "v"
    log = log_of([*ROWS, ("u2", "c", 50, "Watch")])
    write_artifact(folder, model=Popularity().fit(log.interactions), log=log, manifest={"recipe": "r"})
    return ItemTable(Artifact.open(folder), None)


def _state(items: ItemTable, *streamed: StreamedEvent, user: str = "u1") -> UserState:
    artifact = items.artifact
    return user_state(artifact.user_history(user), artifact.event_types, streamed, items)


def test_the_stream_follows_the_history(items: ItemTable) -> None:
    state = _state(items, StreamedEvent("c", "watch", 200))
    assert state.items.tolist() == [0, 1, 0, 2]
    assert state.timestamps.tolist() == [100, 101, 102, 200]


def test_a_late_event_takes_its_place_in_time(items: ItemTable) -> None:
    assert _state(items, StreamedEvent("c", "watch", 101)).items.tolist() == [0, 1, 2, 0]


def test_an_event_that_was_there_at_training_counts_once(items: ItemTable) -> None:
    state = _state(items, StreamedEvent("a", "watch", 100), StreamedEvent("a", "click", 102))
    assert state.items.tolist() == [0, 1, 0]


def test_identical_events_count_once(items: ItemTable) -> None:
    twice = [StreamedEvent("c", "watch", 300)] * 2
    assert _state(items, *twice).items.tolist() == [0, 1, 0, 2]


def test_the_model_sees_its_own_items_and_the_types_it_learned(items: ItemTable) -> None:
    state = _state(items, StreamedEvent("new", "watch", 200), StreamedEvent("c", "rate", 201), user="nobody")
    assert len(state.histories(3).items) == 0
    assert state.of_types(frozenset({"rate"})).tolist() == [2]


def test_types_are_told_apart_without_case(items: ItemTable) -> None:
    state = _state(items, StreamedEvent("c", "watch", 200))
    assert sorted(state.of_types(frozenset({"watch"})).tolist()) == [0, 2]
    assert sorted(set(state.of_types(None).tolist())) == [0, 1, 2]


def test_strangers_are_told_apart(items: ItemTable) -> None:
    state = _state(items, StreamedEvent("x", "watch", 1), StreamedEvent("y", "watch", 1), user="nobody")
    assert state.strangers == {"x": items.table.n, "y": items.table.n + 1}


def test_filters_look_at_the_newest_100_of_each_type(items: ItemTable) -> None:
    old = StreamedEvent("c", "buy", 1)
    clicks = [StreamedEvent("a", "click", 1000 + at) for at in range(HORIZON + 5)]
    state = _state(items, old, StreamedEvent("b", "view", 2), *clicks, user="nobody")
    assert state.of_types(frozenset({"buy"})).tolist() == [2]
    assert len(state.of_types(frozenset({"click"}))) == HORIZON
    crowded = _state(items, StreamedEvent("c", "click", 1), *clicks, user="nobody")
    assert 2 not in crowded.of_types(frozenset({"click"})).tolist()


def test_a_state_is_kept_while_nothing_changed(items: ItemTable) -> None:
    states, streamed = UserStates(), (StreamedEvent("c", "watch", 200),)
    first = states.get(items.artifact, "u1", streamed, items)
    assert states.get(items.artifact, "u1", streamed, items) is first
    assert states.get(items.artifact, "u1", (*streamed, StreamedEvent("c", "watch", 201)), items) is not first


_events = st.lists(
    st.builds(
        StreamedEvent, st.sampled_from("abcxy"), st.sampled_from(["watch", "click", "buy"]), st.integers(95, 110)
    ),
    max_size=12,
)


@given(events=_events)
def test_any_stream_gives_the_set_of_its_events_and_the_history(
    items: ItemTable, events: Sequence[StreamedEvent]
) -> None:
    ordered = sorted(events, key=lambda event: event.sent_at)
    state = _state(items, *ordered)
    ids = {0: "a", 1: "b", 2: "c", **{number: one for one, number in state.strangers.items()}}
    found = [
        (ids[item], when, state.names[kind])
        for item, when, kind in zip(state.items.tolist(), state.timestamps.tolist(), state.kinds.tolist(), strict=True)
    ]
    wanted = {(event.item_id, event.sent_at, event.event_type) for event in events}
    wanted |= {(item, when, kind.lower()) for _, item, when, kind in ROWS}
    assert len(found) == len(set(found))
    assert set(found) == wanted
    assert state.timestamps.tolist() == sorted(state.timestamps.tolist())


def test_filters_look_at_types_that_the_model_did_not_learn_from(items: ItemTable) -> None:
    artifact = items.artifact
    state = user_state(artifact.user_history("u1"), artifact.event_types, (), items, ("click",))
    assert state.histories(3).items.tolist() == [1, 0]
    assert state.of_types(frozenset({"watch"})).tolist() == [0]
