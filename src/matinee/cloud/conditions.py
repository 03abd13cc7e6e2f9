"""Condition operators of policies: whether a request's context meets a statement's `Condition`.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators", "Multivalued context keys".
"""

from __future__ import annotations

import base64
import binascii
import datetime
import ipaddress
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from matinee.cloud.patterns import matches, matches_arn
from matinee.cloud.request import Context
from matinee.cloud.truth import Truth, all_of, any_of, negation

# (value in the request, value in the policy, context for policy variables)
_Comparison = Callable[[str, str, Context | None], Truth]


@dataclass(frozen=True)
class Condition:
    """One key of a `Condition`: `ForAnyValue:StringLikeIfExists` is `quantifier`, `operator` and `if_exists`.

    `variables`: whether `${…}` in `values` are policy variables.
    """

    operator: str
    key: str
    values: tuple[str, ...]
    quantifier: str | None = None
    if_exists: bool = False
    variables: bool = True

    @classmethod
    def parse(cls, written: str, key: str, values: tuple[str, ...], *, variables: bool) -> Condition | None:
        """From the operator as it is written in a policy; `None` when there is no such operator."""
        head, colon, tail = written.partition(":")
        quantifier, name = (head, tail) if colon else (None, head)
        base = name.removesuffix("IfExists")
        known = base in _POSITIVE or base in _NEGATED or written == "Null"
        if not known or quantifier not in (None, "ForAnyValue", "ForAllValues"):
            return None
        return cls(base, key, values, quantifier, name != base, variables)


def hold(conditions: Iterable[Condition], context: Context) -> Truth:
    """Whether all conditions are met; unknown when that depends on a key that `context` calls unknown."""
    return all_of(_met(condition, context) for condition in conditions)


def _met(condition: Condition, context: Context) -> Truth:
    values = context.values(condition.key)
    if values is None:
        return None
    if condition.operator == "Null":
        return any((wanted.lower() == "true") is (not values) for wanted in condition.values)
    negated = condition.operator in _NEGATED
    if not values:
        # The quantifiers look at one value after another, so with none of them IfExists has nothing to say.
        if condition.quantifier is not None:
            return condition.quantifier == "ForAllValues"
        return condition.if_exists or negated
    compare = _POSITIVE[_NEGATED.get(condition.operator, condition.operator)]
    variables = context if condition.variables else None
    found = [any_of(compare(value, wanted, variables) for wanted in condition.values) for value in values]
    if condition.quantifier is None:
        return negation(any_of(found)) if negated else any_of(found)
    each = [negation(truth) for truth in found] if negated else found
    return any_of(each) if condition.quantifier == "ForAnyValue" else all_of(each)


def _string(*, wildcards: bool, ignore_case: bool = False) -> _Comparison:
    return lambda value, wanted, context: matches(wanted, value, context, wildcards=wildcards, ignore_case=ignore_case)


def _arn(value: str, wanted: str, context: Context | None) -> Truth:
    return matches_arn(wanted, value, context)


def _bool(value: str, wanted: str, _: Context | None) -> Truth:
    return value.lower() == wanted.lower()


def _binary(value: str, wanted: str, _: Context | None) -> Truth:
    try:
        return base64.b64decode(value, validate=True) == base64.b64decode(wanted, validate=True)
    except binascii.Error:
        return False


def _ip(value: str, wanted: str, _: Context | None) -> Truth:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _numeric(compare: Callable[[float, float], bool]) -> _Comparison:
    return lambda value, wanted, _: _ordered(float, compare, value, wanted)


def _date(compare: Callable[[float, float], bool]) -> _Comparison:
    return lambda value, wanted, _: _ordered(_seconds, compare, value, wanted)


def _ordered(read: Callable[[str], float], compare: Callable[[float, float], bool], value: str, wanted: str) -> bool:
    try:
        return compare(read(value), read(wanted))
    except ValueError:
        return False


def _seconds(text: str) -> float:
    """Epoch seconds, from themselves or from an ISO 8601 time (UTC when it names no zone)."""
    try:
        return float(text)
    except ValueError:
        moment = datetime.datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()


_POSITIVE: dict[str, _Comparison] = {
    "StringEquals": _string(wildcards=False),
    "StringEqualsIgnoreCase": _string(wildcards=False, ignore_case=True),
    "StringLike": _string(wildcards=True),
    "ArnEquals": _arn,
    "ArnLike": _arn,
    "Bool": _bool,
    "BinaryEquals": _binary,
    "IpAddress": _ip,
    "NumericEquals": _numeric(operator.eq),
    "NumericLessThan": _numeric(operator.lt),
    "NumericLessThanEquals": _numeric(operator.le),
    "NumericGreaterThan": _numeric(operator.gt),
    "NumericGreaterThanEquals": _numeric(operator.ge),
    "DateEquals": _date(operator.eq),
    "DateLessThan": _date(operator.lt),
    "DateLessThanEquals": _date(operator.le),
    "DateGreaterThan": _date(operator.gt),
    "DateGreaterThanEquals": _date(operator.ge),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}
