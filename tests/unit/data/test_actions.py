"""Events about actions: spellings, numbers, order."""

from __future__ import annotations

import polars as pl
import pytest

from matinee.data.actions import ActionEvents, Answer, action_events, answer_of


def events(*rows: tuple[str, str, str, int]) -> ActionEvents:
    frame = pl.DataFrame(rows, schema=["USER_ID", "ACTION_ID", "EVENT_TYPE", "TIMESTAMP"], orient="row")
    return action_events(frame, ["u1", "u2"], ["call", "join"])


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Taken", Answer.TAKEN),
        ("not taken", Answer.NOT_TAKEN),
        ("NOT_TAKEN", Answer.NOT_TAKEN),
        ("viewed", Answer.VIEWED),
    ],
)
def test_spellings_of_an_answer(text: str, answer: Answer) -> None:
    assert answer_of(text) is answer
    (found,) = events(("u1", "call", text, 1)).answer
    assert found == answer


def test_another_event_type_is_no_answer() -> None:
    assert answer_of("click") is None
    assert len(events(("u1", "call", "click", 1))) == 0


def test_rows_are_numbered_and_sorted_by_user_and_time() -> None:
    found = events(("u2", "call", "Taken", 5), ("u1", "join", "Viewed", 9), ("u1", "call", "Taken", 3))
    assert (found.user.tolist(), found.action.tolist(), found.timestamp.tolist()) == ([0, 0, 1], [0, 1, 0], [3, 9, 5])
    assert found.indptr.tolist() == [0, 2, 3]


def test_strangers_and_exact_repetitions_are_left_out() -> None:
    found = events(
        ("u1", "call", "Taken", 3), ("u1", "call", "TAKEN", 3), ("u9", "call", "Taken", 3), ("u1", "x", "Taken", 3)
    )
    assert len(found) == 1
