"""Constraints over scalars, and the sentences that refuse what breaks them."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.api.aws.constraints import SCALARS, Found, json_text, place, python_pattern, raise_found
from matinee.api.aws.errors import Malformed
from matinee.errors import InvalidInput

PATH = ((None, "eventList"), "member")


def checked(rules: dict[str, Any], value: Any) -> tuple[Any, Found]:
    found: Found = []
    return SCALARS[rules["type"]](rules)(value, PATH, found), found


@pytest.mark.parametrize(
    ("rules", "value", "rule"),
    [
        ({"type": "string", "max": 3}, "abcd", "Member must have length less than or equal to 3"),
        ({"type": "string", "min": 1}, "", "Member must have length greater than or equal to 1"),
        ({"type": "string", "pattern": "a+"}, "ab", "Member must satisfy regular expression pattern: a+"),
        ({"type": "string", "enum": ["A", "B"]}, "a", "Member must satisfy enum value set: [A, B]"),
        ({"type": "integer", "min": 1}, 0, "Member must have value greater than or equal to 1"),
        ({"type": "integer", "max": 100}, 101, "Member must have value less than or equal to 100"),
        ({"type": "integer"}, 2**31, "Member must have value less than or equal to 2147483647"),
        ({"type": "double", "max": 1}, 1.5, "Member must have value less than or equal to 1"),
    ],
)
def test_a_broken_constraint_is_named(rules: dict[str, Any], value: Any, rule: str) -> None:
    _, found = checked(rules, value)

    assert found == [f"Value '{value}' at 'eventList.member' failed to satisfy constraint: {rule}"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", "é"),
        ("string", ""),
        ("integer", 7),
        ("integer", -(2**31)),
        ("double", 7),
        ("double", -0.5),
        ("boolean", False),
        ("timestamp", 1_700_000_000),
        ("timestamp", 1_700_000_000.25),
        ("timestamp", 1_700_000_000_000),
    ],
)
def test_a_good_value_goes_on_as_it_came(kind: str, value: Any) -> None:
    parsed, found = checked({"type": kind}, value)

    assert (parsed, type(parsed), found) == (value, type(value), [])


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", 1),
        ("string", ["a"]),
        ("integer", "1"),
        ("integer", 1.5),
        ("integer", True),
        ("integer", float("inf")),
        ("double", "0.5"),
        ("double", False),
        ("double", float("inf")),
        ("double", 10**400),
        ("boolean", "true"),
        ("boolean", 1),
        ("timestamp", "yesterday"),
        ("timestamp", True),
        ("timestamp", float("nan")),
        ("timestamp", 10**300),
    ],
)
def test_another_json_type_is_malformed(kind: str, value: Any) -> None:
    with pytest.raises(Malformed, match=r"'eventList.member'"):
        checked({"type": kind}, value)


def test_a_whole_number_with_a_point_is_an_integer() -> None:
    parsed, _ = checked({"type": "integer"}, 25.0)

    assert (parsed, type(parsed)) == (25, int)


@pytest.mark.parametrize("text", ["2023-11-14T22:13:20Z", "2023-11-14T22:13:20+00:00", "2023-11-14T22:13:20"])
def test_a_time_may_be_written_in_iso_8601(text: str) -> None:
    assert checked({"type": "timestamp"}, text) == (1_700_000_000, [])


def test_a_sensitive_value_is_not_repeated() -> None:
    _, found = checked({"type": "string", "max": 3, "sensitive": True}, "a secret")

    assert "secret" not in found[0]
    assert "Redacted" in found[0]


def test_a_long_value_is_cut_in_the_refusal() -> None:
    _, found = checked({"type": "string", "max": 3}, "x" * 100_000)

    assert len(found[0]) < 500


def test_half_a_surrogate_pair_is_malformed() -> None:
    with pytest.raises(Malformed, match=r"Unicode"):
        checked({"type": "string"}, "\ud800")


def test_the_character_that_postgresql_cannot_hold_is_refused() -> None:
    _, found = checked({"type": "string"}, "a\0b")

    assert "U+0000" in found[0]


def test_json_text_is_given_on_as_its_object() -> None:
    found: Found = []

    assert json_text({"type": "string"})('{"genre": "Noir"}', (None, "properties"), found) == {"genre": "Noir"}


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "1", "null", '{"a": NaN}', '{"a": "\\ud800"}', '{"a": "\\u0000"}', "[" * 100_000],
    ids=["cut", "list", "number", "null", "nan", "surrogate", "nul", "deep"],
)
def test_what_is_not_a_json_object_cannot_be_parsed(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^Error parsing properties json$"):
        json_text({"type": "string"})(text, (None, "properties"), [])


def test_several_refusals_are_counted() -> None:
    with pytest.raises(InvalidInput, match=r"^2 validation errors detected: one; two$"):
        raise_found(["one", "two"])


def test_one_refusal_is_in_the_singular() -> None:
    with pytest.raises(InvalidInput, match=r"^1 validation error detected: one$"):
        raise_found(["one"])


def test_a_path_reads_from_the_outside_in() -> None:
    assert place((((None, "eventList"), "1.member"), "sentAt")) == "eventList.1.member.sentAt"


@given(
    st.text(alphabet=st.sampled_from("arn:aws-personalize2\n/"), max_size=60).map(lambda t: f"arn:aws:personalize:{t}")
)
def test_the_linear_arn_pattern_is_the_models(text: str) -> None:
    pattern = r"arn:([a-z\d-]+):personalize:.*:.*:.+"
    linear = python_pattern(pattern)

    assert linear is not None
    assert bool(linear.fullmatch(text)) == bool(re.fullmatch(pattern, text))


@given(st.text(alphabet=st.sampled_from(" a~\x1f\n"), max_size=12))
def test_the_linear_source_pattern_is_the_models(text: str) -> None:
    pattern = r"^[\x20-\x7E]*[\x21-\x7E]+[\x20-\x7E]*$"
    linear = python_pattern(pattern)

    assert linear is not None
    assert bool(linear.fullmatch(text)) == bool(re.fullmatch(pattern, text))


@pytest.mark.parametrize(
    ("text", "allowed"), [("größe 1_a:/=+-@", True), ("日本", True), ("a\tb", False), ("a#", False)]
)
def test_unicode_classes_of_tags(text: str, allowed: bool) -> None:
    pattern = python_pattern(r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$")

    assert pattern is not None
    assert bool(pattern.fullmatch(text)) is allowed


def test_a_pattern_that_python_cannot_express_is_left_out() -> None:
    assert python_pattern(r"\p{Greek}+") is None


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda s: st.lists(s, max_size=2))
)
def test_any_value_is_taken_or_refused_in_words(value: Any) -> None:
    for kind, compile_check in SCALARS.items():
        found: Found = []
        try:
            compile_check({"type": kind})(value, PATH, found)
        except Malformed as refusal:
            json.dumps(refusal.message)
