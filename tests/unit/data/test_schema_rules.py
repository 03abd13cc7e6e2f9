"""The rule tables agree with themselves."""

from __future__ import annotations

import pytest

from matinee.data.schema_rules import RESERVED_WORDS, RULES, VALUE_TYPES, Reserved


@pytest.mark.parametrize("domain", RULES)
def test_reserved_fields_have_types_that_schemas_can_name(domain: str | None) -> None:
    for rules in RULES[domain].values():
        for entry in (*rules.required, *rules.reserved):
            assert set(entry.types) <= set(VALUE_TYPES)


def test_reserved_words_are_names_of_the_service_and_not_everyday_words() -> None:
    assert {"USER_ID", "EVENT_TYPE", "TIMESTAMP", "IMPRESSION"} <= set(RESERVED_WORDS)
    assert not {"TYPE", "VALUE"} & set(RESERVED_WORDS)


@pytest.mark.parametrize(
    ("entry", "wording"),
    [
        (Reserved("A", ("string",), "categorical"), "a categorical string"),
        (Reserved("A", ("long", "float"), "number"), "a long or float"),
        (Reserved("A", ("int",), "number"), "an int"),
        (Reserved("A", ("string",)), "a string"),
    ],
)
def test_a_rule_says_what_a_field_must_be(entry: Reserved, wording: str) -> None:
    assert entry.wording == wording
