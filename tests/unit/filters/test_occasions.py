"""Conditions of delivery rules: read, checked against schemas, and held against an event, its item and its user."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.filters.films import ITEMS, USERS, schema_of

from matinee.errors import InvalidInput
from matinee.filters.checking import check_occasion
from matinee.filters.evaluation import event_facts, may_hold
from matinee.filters.syntax import Dataset

_SCHEMAS = {
    "ITEMS": ITEMS,
    "USERS": USERS,
    "INTERACTIONS": schema_of(
        "Interactions",
        {"name": "USER_ID", "type": "string"},
        {"name": "ITEM_ID", "type": "string"},
        {"name": "TIMESTAMP", "type": "long"},
        {"name": "WATCHED_SHARE", "type": ["float", "null"]},
        {"name": "DEVICE", "type": ["string", "null"], "categorical": True},
    ),
}
_EVENT = {
    "eventType": "Watch",
    "eventValue": 4.0,
    "itemId": "heat",
    "sentAt": 1_700_000_000,
    "properties": {"watchedShare": "0.9", "device": "tv"},
}


def _holds(text: str, event: dict[str, Any] = _EVENT, **more: dict[str, Any]) -> bool:
    facts = {Dataset.INTERACTIONS: event_facts(event)}
    facts |= {dataset: more[dataset.name] for dataset in Dataset if dataset.name in more}
    return may_hold(check_occasion(text, _SCHEMAS), facts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Interactions.EVENT_TYPE IN ("watch", "buy")', True),
        ('Interactions.event_type = "WATCH"', True),
        ('Interactions.EVENT_TYPE NOT IN ("watch")', False),
        ("Interactions.EVENT_VALUE > 3", True),
        ("Interactions.EVENT_VALUE > 3 AND Interactions.EVENT_VALUE < 4", False),
        ("Interactions.EVENT_VALUE > 30 OR Interactions.EVENT_VALUE = 4", True),
        ("Interactions.WATCHED_SHARE >= 0.9", True),
        ('Interactions.DEVICE = "phone"', False),
        ('Interactions.ITEM_ID IN ("heat")', True),
    ],
)
def test_a_condition_on_the_event(text: str, *, expected: bool) -> None:
    assert _holds(text) is expected


def test_what_is_not_known_yet_may_hold() -> None:
    text = 'CurrentUser.AGE > 17 AND Items.GENRES IN ("Drama")'
    assert _holds(text)
    assert not _holds(text, CURRENT_USER={"AGE": 12})
    assert not _holds(text, CURRENT_USER={"AGE": 18}, ITEMS={"GENRES": "Comedy"})
    assert _holds(text, CURRENT_USER={"AGE": 18}, ITEMS={"GENRES": "Comedy|Drama"})


def test_a_record_that_is_not_there_meets_nothing_but_not_in() -> None:
    assert not _holds("CurrentUser.AGE > 17", CURRENT_USER={})
    assert _holds('CurrentUser.MEMBERSHIP NOT IN ("gold")', CURRENT_USER={})


def test_a_property_of_another_type_counts_as_none() -> None:
    assert not _holds("Interactions.WATCHED_SHARE >= 0", {**_EVENT, "properties": {"watchedShare": "much"}})


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("Interactions.EVENT_VALUE >", "at character 27: the expression ends"),
        ("Interactions.EVENT_VALUE > 3 AND", "at character 33: the expression ends"),
        ("Interactions.MOOD = 3", "at character 1: an event has no field MOOD; it has EVENT_TYPE"),
        ("Interactions.EVENT_VALUE > 3 OR CurrentUser.HEIGHT > 3", "at character 33: the schema of USERS has no field"),
        ('Interactions.EVENT_TYPE > "a"', "at character 1: Interactions.EVENT_TYPE holds strings"),
        ("Actions.WORTH > 3", "at character 1: Actions.WORTH cannot be asked of an event"),
        ("Interactions.EVENT_VALUE > $LEAST", "at character 1: $LEAST has no value"),
        ('Interactions.EVENT_TYPE IN ("*")', "at character 1: IN"),
        ("INCLUDE ItemID WHERE Items.PRICE > 3", "at character 1: found 'INCLUDE'"),
    ],
)
def test_a_refusal_says_where(text: str, where: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        check_occasion(text, _SCHEMAS)
    assert where in str(refusal.value)
