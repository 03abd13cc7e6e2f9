"""Condition operators, one line for each rule of the documentation."""

from __future__ import annotations

from typing import Any

import pytest

from matinee.cloud.conditions import Condition, hold
from matinee.cloud.request import Context

_ARN = "arn:aws:personalize:us-east-1:123456789012:dataset-import-job/x"
_CONTEXT = Context.of(
    {
        "aws:username": "Bob",
        "aws:SourceArn": _ARN,
        "aws:SecureTransport": "true",
        "aws:SourceIp": "203.0.113.7",
        "aws:CurrentTime": "2026-11-23T12:00:00Z",
        "s3:max-keys": "10",
        "aws:TagKeys": ["Owner", "Team"],
        "aws:CalledVia": [],
        "key:binary": "QmluYXJ5",
    },
    unknown=["aws:PrincipalOrgID"],
)


def _holds(operator: str, key: str, *values: str, variables: bool = True) -> bool | None:
    condition = Condition.parse(operator, key, values, variables=variables)
    assert condition is not None
    return hold([condition], _CONTEXT)


@pytest.mark.parametrize(
    ("operator", "key", "values", "expected"),
    [
        ("StringEquals", "aws:username", "Bob", True),
        ("StringEquals", "aws:username", "bob", False),
        ("StringEquals", "aws:username", "B*", False),
        ("StringEquals", "aws:username", ["Eve", "Bob"], True),
        ("StringEquals", "aws:username", "${aws:username}", True),
        ("StringNotEquals", "aws:username", "Bob", False),
        ("StringNotEquals", "aws:username", ["Eve", "Bob"], False),
        ("StringEqualsIgnoreCase", "aws:username", "bOB", True),
        ("StringNotEqualsIgnoreCase", "aws:username", "bOB", False),
        ("StringLike", "aws:username", "B?b*", True),
        ("StringLike", "aws:username", "b*", False),
        ("StringNotLike", "aws:username", "B*", False),
        ("ArnLike", "aws:SourceArn", "arn:aws:personalize:*:123456789012:*", True),
        ("ArnEquals", "aws:SourceArn", "arn:aws:personalize:us-east-1:123456789012:dataset-import-job/?", True),
        ("ArnLike", "aws:SourceArn", "arn:aws:personalize:eu-west-1:123456789012:*", False),
        ("ArnNotLike", "aws:SourceArn", "arn:aws:personalize:eu-west-1:123456789012:*", True),
        ("ArnNotEquals", "aws:SourceArn", _ARN, False),
        ("Bool", "aws:SecureTransport", "True", True),
        ("Bool", "aws:SecureTransport", "false", False),
        ("IpAddress", "aws:SourceIp", "203.0.113.0/24", True),
        ("IpAddress", "aws:SourceIp", "203.0.113.7", True),
        ("IpAddress", "aws:SourceIp", "2001:db8::/32", False),
        ("IpAddress", "aws:SourceIp", "no address", False),
        ("NotIpAddress", "aws:SourceIp", ["10.0.0.0/8", "192.168.0.0/16"], True),
        ("NumericEquals", "s3:max-keys", "10.0", True),
        ("NumericNotEquals", "s3:max-keys", "10", False),
        ("NumericLessThan", "s3:max-keys", "10", False),
        ("NumericLessThanEquals", "s3:max-keys", "10", True),
        ("NumericGreaterThan", "s3:max-keys", "9", True),
        ("NumericGreaterThanEquals", "s3:max-keys", "11", False),
        ("NumericEquals", "s3:max-keys", "ten", False),
        ("DateGreaterThan", "aws:CurrentTime", "2026-11-23T11:59:59Z", True),
        ("DateGreaterThanEquals", "aws:CurrentTime", "2026-11-23T13:00:00+01:00", True),
        ("DateLessThan", "aws:CurrentTime", "2026-11-23", False),
        ("DateLessThanEquals", "aws:CurrentTime", "1795435200", True),
        ("DateEquals", "aws:CurrentTime", "2026-11-23T12:00:00", True),
        ("DateNotEquals", "aws:CurrentTime", "2026-11-24", True),
        ("BinaryEquals", "key:binary", "QmluYXJ5", True),
        ("BinaryEquals", "key:binary", "QmluYXJ6", False),
        ("BinaryEquals", "key:binary", "?", False),
    ],
)
def test_an_operator_compares_what_the_request_carries(operator: str, key: str, values: Any, expected: bool) -> None:
    assert _holds(operator, key, *([values] if isinstance(values, str) else values)) is expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("StringEqualsIfExists", True),
        ("StringNotEqualsIfExists", True),
        ("ArnLike", False),
        ("ArnNotLike", True),
        ("IpAddress", False),
        ("NotIpAddress", True),
        ("NumericNotEquals", True),
        ("NumericLessThan", False),
        ("DateNotEquals", True),
        ("Bool", False),
        ("BoolIfExists", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
        ("ForAnyValue:StringEqualsIfExists", False),
        ("ForAllValues:StringEquals", True),
        ("ForAllValues:StringNotEquals", True),
    ],
)
def test_an_absent_key(operator: str, expected: bool) -> None:
    assert _holds(operator, "aws:SourceVpce", "vpce-1") is expected


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("ForAnyValue:StringEquals", ["Owner"], True),
        ("ForAnyValue:StringEquals", ["Cost"], False),
        ("ForAllValues:StringEquals", ["Owner"], False),
        ("ForAllValues:StringLike", ["O*", "T*"], True),
        ("ForAnyValue:StringNotEquals", ["Owner"], True),
        ("ForAnyValue:StringNotEquals", ["Owner", "Team"], False),
        ("ForAllValues:StringNotEquals", ["Owner"], False),
        ("ForAllValues:StringNotEquals", ["Cost"], True),
    ],
)
def test_a_key_of_several_values(operator: str, values: list[str], expected: bool) -> None:
    assert _holds(operator, "aws:TagKeys", *values) is expected


@pytest.mark.parametrize(
    ("key", "wanted", "expected"),
    [
        ("aws:username", "true", False),
        ("aws:username", "false", True),
        ("aws:SourceVpce", "true", True),
        ("aws:SourceVpce", "false", False),
        ("aws:CalledVia", "true", True),
        ("aws:PrincipalOrgID", "true", None),
    ],
)
def test_null_asks_whether_the_key_is_absent(key: str, wanted: str, expected: bool | None) -> None:
    assert _holds("Null", key, wanted) is expected


def test_what_depends_on_an_unknown_key_is_unknown() -> None:
    assert _holds("StringEquals", "aws:PrincipalOrgID", "o-1") is None
    assert _holds("StringNotEqualsIfExists", "aws:PrincipalOrgID", "o-1") is None
    assert _holds("StringEquals", "aws:username", "${aws:PrincipalOrgID}") is None


def test_variables_are_text_where_the_policys_version_has_none() -> None:
    assert _holds("StringEquals", "aws:username", "${aws:username}", variables=False) is False


def test_all_conditions_have_to_hold() -> None:
    met = Condition("StringEquals", "aws:username", ("Bob",))
    unmet = Condition("Bool", "aws:SecureTransport", ("false",))
    unknown = Condition("StringEquals", "aws:PrincipalOrgID", ("o-1",))
    assert hold([met, unmet], _CONTEXT) is False
    assert hold([met, unknown], _CONTEXT) is None
    assert hold([unknown, unmet], _CONTEXT) is False
    assert hold([], _CONTEXT) is True


@pytest.mark.parametrize("written", ["StringEqual", "stringequals", "ForEach:StringEquals", "NullIfExists", ""])
def test_there_is_no_such_operator(written: str) -> None:
    assert Condition.parse(written, "aws:username", ("x",), variables=True) is None


def test_an_operator_is_taken_apart() -> None:
    assert Condition.parse("ForAnyValue:StringLikeIfExists", "k", ("v",), variables=True) == Condition(
        "StringLike", "k", ("v",), "ForAnyValue", True
    )
