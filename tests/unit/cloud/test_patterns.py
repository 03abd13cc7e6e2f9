"""Wildcards, variables and patterns of ARNs."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.cloud.patterns import matches, matches_arn, unresolvable
from matinee.cloud.request import Context

_CONTEXT = Context.of(
    {"aws:username": "bob", "aws:PrincipalTag/star": "a*", "aws:TagKeys": ["x", "y"]}, unknown=["aws:PrincipalOrgID"]
)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("s3:Get*", "s3:GetObject", True),
        ("s3:?etObject", "s3:GetObject", True),
        ("s3:?etObject", "s3:etObject", False),
        ("*", "", True),
        ("a*b*a", "aba", True),
        ("a*b*a", "ab", False),
        ("a.c", "abc", False),
        ("[ab]", "a", False),
        ("a*", "a\nb", True),
        ("${*}", "*", True),
        ("${*}", "x", False),
        ("${?}${$}", "?$", True),
        ("home/${aws:username}/*", "home/bob/x", True),
        ("home/${AWS:UserName}/*", "home/eve/x", False),
        ("${aws:PrincipalTag/star}", "a*", True),
        ("${aws:PrincipalTag/star}", "ab", False),
        ("${aws:PrincipalTag/none, 'company'}", "company", True),
        ("${aws:PrincipalTag/none}", "", False),
        ("${aws:TagKeys}", "x", False),
        ("${not closed", "${not closed", True),
        ("${a b c}", "${a b c}", False),
        ("${aws:PrincipalOrgID}", "o-1", None),
    ],
)
def test_a_pattern_matches_the_whole_text(pattern: str, text: str, expected: bool | None) -> None:
    assert matches(pattern, text, _CONTEXT) is expected


def test_without_a_context_a_variable_is_text() -> None:
    assert matches("${aws:username}", "${aws:username}") is True
    assert matches("${aws:username}", "bob") is False


def test_wildcards_can_be_plain_characters() -> None:
    assert matches("a*", "a*", wildcards=False) is True
    assert matches("a*", "ab", wildcards=False) is False


def test_case_counts_unless_it_should_not() -> None:
    assert matches("S3:getobject", "s3:GetObject") is False
    assert matches("S3:getobject", "s3:GetObject", ignore_case=True) is True


@pytest.mark.parametrize(
    ("pattern", "arn", "expected"),
    [
        ("arn:aws:s3:::films/*", "arn:aws:s3:::films/in/a.csv", True),
        ("arn:aws:s3:::films", "arn:aws:s3:::films/in/a.csv", False),
        ("arn:aws:s3:::films/*", "arn:aws:s3:::films", False),
        ("arn:aws:s3:::films/*", "arn:aws:s3:::films/a:b", True),
        ("arn:aws:*:::films", "arn:aws:s3:::films", True),
        ("arn:*:films", "arn:aws:s3:::films", False),
        ("arn:aws:personalize:*:123456789012:*", "arn:aws:personalize:us-east-1:123456789012:filter/x", True),
        ("arn:aws:personalize:us-east-1:*", "arn:aws:personalize:us-east-1:123456789012:filter/x", True),
        ("*", "arn:aws:s3:::films", True),
        ("arn:aws:s3:::films/${aws:username}/*", "arn:aws:s3:::films/bob/x", True),
        ("arn:aws:s3:::films/${aws:PrincipalOrgID}/*", "arn:aws:s3:::films/bob/x", None),
    ],
)
def test_a_wildcard_stays_within_its_part_of_an_arn(pattern: str, arn: str, expected: bool | None) -> None:
    assert matches_arn(pattern, arn, _CONTEXT) is expected


def test_a_variable_without_a_value_is_unresolvable() -> None:
    assert unresolvable("a/${aws:PrincipalTag/none}", _CONTEXT)
    assert not unresolvable("a/${aws:username}${*}", _CONTEXT)
    assert not unresolvable("a/${aws:PrincipalTag/none}", None)


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=12))
def test_wildcards_mean_what_regular_expressions_say(pattern: str, text: str) -> None:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    assert matches(pattern, text) is (re.fullmatch(expression, text) is not None)


@given(st.text("a:*?", max_size=14), st.text("a:", max_size=14))
def test_wildcards_of_arns_mean_what_regular_expressions_say(pattern: str, arn: str) -> None:
    parts = pattern.split(":", 5)
    expressions = [re.escape(part).replace(r"\*", "[^:]*").replace(r"\?", "[^:]") for part in parts[:-1]]
    expressions.append(re.escape(parts[-1]).replace(r"\*", ".*").replace(r"\?", "."))
    assert matches_arn(pattern, arn) is (re.fullmatch(":".join(expressions), arn) is not None)


def test_many_wildcards_take_no_longer_than_few() -> None:
    # With plain backtracking this would outlive the test run.
    assert matches("*a" * 40 + "c", "a" * 5000) is False
