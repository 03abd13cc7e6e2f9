"""The data of one training, from a real database and a real store."""

from __future__ import annotations

import polars as pl
import pytest
from tests.unit.training.generated import GROUP, START, Stored, event_types, rows_of

from matinee.data.interactions import InteractionLog
from matinee.data.log import EventRule
from matinee.errors import JobFailed
from matinee.training.selection import Selection
from matinee.training.snapshot import Snapshot, take_snapshot


def snapshot(stored: Stored, *rules: EventRule) -> Snapshot:
    """A snapshot of the stored group."""
    return take_snapshot(stored.database, stored.objects, GROUP, Selection(rules or (EventRule(),)))


def history(taken: Snapshot, user: str) -> list[str]:
    """The items of a user, oldest first."""
    return [taken.log.item_ids[item] for item in taken.log.interactions.history(taken.log.user_ids.index(user))]


@pytest.fixture
def imported(stored: Stored, log: InteractionLog) -> Stored:
    """A group whose Interactions were imported in two parts."""
    dataset, rows = stored.dataset("INTERACTIONS"), rows_of(log)
    stored.part(dataset, rows[:700])
    stored.part(dataset, rows[700:])
    return stored


def test_all_parts_are_read(imported: Stored, log: InteractionLog) -> None:
    taken = snapshot(imported)
    assert len(taken.log.interactions) == len(log.interactions)
    assert sorted(taken.log.user_ids) == sorted(log.user_ids)
    assert taken.summary()["interactions"] == 1500


def test_streamed_events_are_added(imported: Stored) -> None:
    imported.event("u1", "film-new", sent_at=START + 10**7)
    assert history(snapshot(imported), "u1")[-1] == "film-new"


def test_events_without_an_item_are_no_interactions(imported: Stored) -> None:
    imported.event("u1", None, event_type="TAKEN")
    assert len(snapshot(imported).log.interactions) == 1500


def test_an_anonymous_session_is_left_out(imported: Stored) -> None:
    imported.event(None, "film-1", session="unknown")
    assert len(snapshot(imported).log.interactions) == 1500


def test_trap_11_a_linked_session_counts_for_its_user(imported: Stored) -> None:
    imported.event(None, "film-linked", session="tablet", sent_at=START + 10**7)
    imported.link("tablet", "u3")
    assert history(snapshot(imported), "u3")[-1] == "film-linked"


def test_an_event_keeps_its_own_user_when_the_session_is_anothers(imported: Stored) -> None:
    imported.event("u2", "film-own", session="tablet", sent_at=START + 10**7)
    imported.link("tablet", "u3")
    assert history(snapshot(imported), "u2")[-1] == "film-own"


def test_another_groups_events_stay_there(imported: Stored) -> None:
    imported.event("u1", "film-1", group_arn=f"{GROUP}-two")
    assert len(snapshot(imported).log.interactions) == 1500


def test_a_streamed_event_equal_to_an_imported_one_counts_once(imported: Stored, log: InteractionLog) -> None:
    first = rows_of(log).row(0, named=True)
    imported.event(first["USER_ID"], first["ITEM_ID"], sent_at=first["TIMESTAMP"], event_value=first["EVENT_VALUE"])
    assert len(snapshot(imported).log.interactions) == 1500


def test_the_selection_ignores_case(imported: Stored) -> None:
    imported.event("u1", "film-1", event_type="click")
    taken = snapshot(imported, EventRule("WATCH"))
    assert set(event_types(taken.log)) == {"watch"}


def test_a_threshold_drops_lower_values(imported: Stored, log: InteractionLog) -> None:
    arn = imported.dataset("ITEMS").replace("ITEMS", "INTERACTIONS")
    imported.part(arn, rows_of(log, value=1.0).with_columns(TIMESTAMP=pl.col("TIMESTAMP") + 1))
    assert len(snapshot(imported).log.interactions) == 3000
    assert len(snapshot(imported, EventRule(None, 3.5)).log.interactions) == 1500


def test_a_type_that_nobody_sent_fails_in_the_services_words(imported: Stored) -> None:
    with pytest.raises(JobFailed) as failure:
        snapshot(imported, EventRule("click"))
    assert str(failure.value) == "Dataset has fewer than 1000 interactions after filtering by event type: click"


def test_a_schema_without_event_types_can_be_trained_on(stored: Stored, log: InteractionLog) -> None:
    dataset = stored.dataset("INTERACTIONS", "BARE")
    stored.part(dataset, rows_of(log).select("USER_ID", "ITEM_ID", "TIMESTAMP"))
    assert len(snapshot(stored).log.interactions) == 1500


def test_a_schema_without_event_types_cannot_be_filtered_by_one(stored: Stored, log: InteractionLog) -> None:
    dataset = stored.dataset("INTERACTIONS", "BARE")
    stored.part(dataset, rows_of(log).select("USER_ID", "ITEM_ID", "TIMESTAMP"))
    with pytest.raises(JobFailed, match="no EVENT_TYPE column"):
        snapshot(stored, EventRule("watch"))


def test_reserved_words_fail_before_anything_else(stored: Stored, log: InteractionLog) -> None:
    stored.part(stored.dataset("INTERACTIONS"), rows_of(log, event_type="EVENT_TYPE"))
    with pytest.raises(JobFailed, match="All values in the event_type column are either reserved keywords or null"):
        snapshot(stored)


def test_streamed_events_alone_are_enough(stored: Stored, log: InteractionLog) -> None:
    stored.stream(rows_of(log)[:1000])
    assert len(snapshot(stored).log.interactions) == 1000


def test_an_empty_group_has_too_few_interactions(stored: Stored) -> None:
    with pytest.raises(JobFailed, match="fewer than 1000 interactions"):
        snapshot(stored)


def test_items_come_with_their_newest_record(imported: Stored) -> None:
    arn = imported.dataset("ITEMS")
    imported.part(arn, pl.DataFrame({"ITEM_ID": ["film-1"], "GENRES": ["Drama"], "CREATION_TIMESTAMP": [5]}))
    imported.record(arn, "film-1", {"GENRES": "Comedy|War", "CREATION_TIMESTAMP": 7})
    taken = snapshot(imported)
    assert taken.items.row(0, named=True) == {"ITEM_ID": "film-1", "GENRES": "Comedy|War", "CREATION_TIMESTAMP": 7}
    assert taken.created[taken.log.item_ids.index("film-1")] == 7


def test_an_item_without_a_creation_time_takes_its_oldest_event(imported: Stored) -> None:
    taken = snapshot(imported)
    item = taken.log.interactions.item[0]
    times = taken.log.interactions.timestamp[taken.log.interactions.item == item]
    assert taken.created[item] == times.min()


def test_the_catalogue_counts_items_of_both_datasets(imported: Stored) -> None:
    known = len(snapshot(imported).log.item_ids)
    arn = imported.dataset("ITEMS")
    frame = {"ITEM_ID": ["film-1", "film-unseen"], "GENRES": [None, "Drama"], "CREATION_TIMESTAMP": [None, None]}
    imported.part(arn, pl.DataFrame(frame, schema_overrides={"CREATION_TIMESTAMP": pl.Int64}))
    assert snapshot(imported).catalogue == known + 1


def test_equal_data_have_equal_fingerprints(imported: Stored) -> None:
    before, again = snapshot(imported).fingerprint, snapshot(imported).fingerprint
    imported.event("u1", "film-1")
    assert before == again
    assert snapshot(imported).fingerprint != before
