"""Filters against schemas: what they name exists and is used as what it is."""

from __future__ import annotations

import pytest
from tests.unit.filters.films import SCHEMAS, schema_of

from matinee.errors import InvalidInput
from matinee.filters import check
from matinee.filters.syntax import Among, Compared, Dataset, Field


def test_names_are_found_in_any_case_and_spelt_as_in_the_schema() -> None:
    tree = check('INCLUDE ItemID WHERE items.genres IN ("Drama") IF currentuser.age > 17', SCHEMAS)
    assert {str(field) for field in tree.fields()} == {"Items.GENRES", "CurrentUser.AGE"}


def test_point_15_numbers_may_be_quoted_or_not() -> None:
    tree = check('INCLUDE ItemID WHERE Items.PRICE >= "2.5" AND Items.STUDIO = 20', SCHEMAS)
    assert list(tree.expressions[0].conditions()) == [
        Compared(Field(Dataset.ITEMS, "PRICE", numeric=True), ">=", 2.5),
        Compared(Field(Dataset.ITEMS, "STUDIO"), "=", "20"),
    ]


def test_event_type_needs_no_schema() -> None:
    tree = check('EXCLUDE ItemID WHERE interactions.event_type IN ("watch")', {})
    assert list(tree.expressions[0].conditions()) == [Among(Field(Dataset.INTERACTIONS, "EVENT_TYPE"), ("watch",))]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("INCLUDE ItemID WHERE Items.COLOUR = 'x'", "character 22: the schema of ITEMS has no field COLOUR; it has"),
        ("INCLUDE ItemID WHERE Items.DESCRIPTION IN ('x')", "character 22: Items.DESCRIPTION is textual and cannot"),
        ("INCLUDE ItemID WHERE Items.ON_DISC = 'true'", 'is boolean and cannot be used in filters. Store "True"'),
        ("INCLUDE ItemID WHERE Items.PRICE < 'dear'", "Items.PRICE holds numbers, 'dear' is not one"),
        ("INCLUDE ItemID WHERE Items.GENRES < 'x'", "Items.GENRES holds strings; < compares numbers"),
        ("INCLUDE ItemID WHERE Items.GENRES IN ('*')", '"*" stands for any value with EVENT_TYPE only'),
        ("INCLUDE ItemID WHERE Interactions.DEVICE IN ('x')", "can be filtered by EVENT_TYPE only, not by DEVICE"),
        ("INCLUDE ItemID WHERE Users.AGE = 3", "Users.AGE cannot filter ItemID; use Items or Interactions"),
        ("INCLUDE UserID WHERE Items.PRICE = 3", "Items.PRICE cannot filter UserID; use Users or Interactions"),
        ("INCLUDE ActionID WHERE Interactions.EVENT_TYPE IN ('x')", "cannot filter ActionID; use Actions or Action_"),
        (
            "INCLUDE ItemID WHERE Items.PRICE = 3 AND Interactions.EVENT_TYPE IN ('x')",
            "character 42: conditions on Items and Interactions cannot be mixed in one expression; write two",
        ),
        ("INCLUDE ItemID WHERE Items.PRICE < CurrentItem.GENRES", "cannot be compared: one is a number"),
        ("INCLUDE ItemID WHERE Items.PRICE IN CurrentItem.PRICE", "IN compares strings"),
        ("INCLUDE UserID WHERE Users.AGE < CurrentItem.PRICE", "CurrentItem can be used in filters of ItemID only"),
        (
            "INCLUDE ItemID WHERE Items.PRICE = 1 | INCLUDE UserID WHERE Users.AGE = 3",
            "joined by '|' must have the same target",
        ),
    ],
)
def test_a_misused_field_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check(text, SCHEMAS)
    assert message in refused.value.message
    assert refused.value.message.startswith("Invalid Expression")


def test_a_dataset_that_the_group_lacks_is_refused() -> None:
    with pytest.raises(InvalidInput, match="the dataset group has no USERS dataset; create it first"):
        check("INCLUDE ItemID WHERE Items.PRICE = 1 IF CurrentUser.AGE = 3", {"ITEMS": SCHEMAS["ITEMS"]})


def test_more_than_ten_distinct_fields_are_refused() -> None:
    fields = [{"name": f"F{at}", "type": "int"} for at in range(11)]
    schemas = {"ITEMS": schema_of("Items", {"name": "ITEM_ID", "type": "string"}, *fields)}
    text = " OR ".join(f"Items.F{at} = 1" for at in range(11))
    with pytest.raises(InvalidInput, match="11 distinct fields; at most 10"):
        check(f"INCLUDE ItemID WHERE {text}", schemas)


def test_the_same_field_twice_counts_once() -> None:
    text = " OR ".join(f"Items.PRICE = {at}" for at in range(20))
    assert len(check(f"INCLUDE ItemID WHERE {text}", SCHEMAS).fields()) == 1
