"""Actions and answers of a group: imported, streamed, of sessions that were linked."""

from __future__ import annotations

import polars as pl
from tests.unit.training.generated import GROUP, Stored

from matinee.training.action_data import take_action_data


def answers(*rows: tuple[str, str, str, int]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["USER_ID", "ACTION_ID", "EVENT_TYPE", "TIMESTAMP"], orient="row")


def test_imported_and_streamed_together(stored: Stored) -> None:
    actions, about = stored.dataset("ACTIONS"), stored.dataset("ACTION_INTERACTIONS")
    stored.part(actions, pl.DataFrame({"ACTION_ID": ["call", "join"], "VALUE": [1, 2]}))
    stored.record(actions, "call", {"ACTION_ID": "call", "VALUE": 7})
    stored.part(about, answers(("u1", "call", "Taken", 5)))
    stored.event("u2", None, event_type="NOT_TAKEN", sent_at=9, details={"actionId": "join"})
    found = take_action_data(stored.database, stored.objects, GROUP)
    assert found.actions.rows() == [("call", 7), ("join", 2)]
    assert found.events.rows() == [("u1", "call", "Taken", 5), ("u2", "join", "NOT_TAKEN", 9)]
    assert found.schema is not None
    assert found.users_schema is None


def test_sessions_count_once_they_are_linked_and_item_events_never(stored: Stored) -> None:
    stored.event(None, None, session="evening", event_type="VIEWED", details={"actionId": "call"})
    stored.event(None, None, session="night", event_type="VIEWED", details={"actionId": "call"})
    stored.event("u1", "film", event_type="VIEWED")
    stored.event("u1", None, event_type="VIEWED")
    stored.link("evening", "u3")
    found = take_action_data(stored.database, stored.objects, GROUP)
    assert found.events.select("USER_ID", "ACTION_ID").rows() == [("u3", "call")]
    assert found.actions.is_empty()
