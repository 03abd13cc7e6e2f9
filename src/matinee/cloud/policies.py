"""Policy documents of IAM and S3 → typed statements; what is wrong in one is told by statement and element.

Source: IAM User Guide, "IAM JSON policy elements reference".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from matinee.cloud.conditions import Condition
from matinee.errors import DataProblem


class Kind(StrEnum):
    """What a policy hangs on; it settles which elements its statements must and must not have."""

    IDENTITY = "identity"
    RESOURCE = "resource"
    TRUST = "trust"


@dataclass(frozen=True)
class Matched:
    """Patterns of an element, such as those of `Action`; `negated` for the `Not…` form, which means all others."""

    patterns: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True)
class Principals:
    """Whom a statement means: (type, value) pairs such as ("AWS", "*"), ("Service", "personalize.amazonaws.com")."""

    named: tuple[tuple[str, str], ...]
    negated: bool = False


@dataclass(frozen=True)
class Statement:
    """One statement. `place` names it in messages; `resources` and `principals` are `None` where its kind has none."""

    place: str
    effect: Literal["Allow", "Deny"]
    actions: Matched
    resources: Matched | None
    principals: Principals | None
    conditions: tuple[Condition, ...]
    variables: bool


@dataclass(frozen=True)
class Policy:
    """A parsed policy. `name` says what it is, as in `the bucket policy of films`."""

    name: str
    statements: tuple[Statement, ...]


_VERSIONS = ("2012-10-17", "2008-10-17")
_ELEMENTS = (
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
)  # fmt: skip
_PRINCIPAL_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")


def parse_policy(document: str | Mapping[str, Any], name: str, kind: Kind) -> Policy:
    """The policy that `document`, JSON or what JSON says, spells out. Raises `DataProblem` naming what is wrong."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except json.JSONDecodeError as error:
            raise DataProblem(
                f"{name} is not JSON: {error.msg}.", fix="Correct it there.", line=error.lineno, file=name
            ) from None
    if not isinstance(document, Mapping):
        raise _problem(name, "must be a JSON object with Version and Statement")
    version = document.get("Version", "2008-10-17")
    if version not in _VERSIONS:
        raise _problem(name, f"has Version {version!r}, which must be one of {', '.join(_VERSIONS)}")
    if unknown := sorted(set(document) - {"Version", "Id", "Statement"}):
        raise _problem(name, f"has the unknown element {unknown[0]!r}; known are Version, Id and Statement")
    written = document.get("Statement")
    statements = [written] if isinstance(written, Mapping) else written
    if not isinstance(statements, list):
        raise _problem(name, "needs Statement, an object or a list of objects")
    variables = version == "2012-10-17"
    return Policy(
        name, tuple(_statement(each, name, number, kind, variables) for number, each in enumerate(statements, 1))
    )


def _statement(written: object, name: str, number: int, kind: Kind, variables: bool) -> Statement:
    place = f"statement {number} of {name}"
    if not isinstance(written, Mapping):
        raise _problem(place, "must be a JSON object")
    if unknown := sorted(set(written) - set(_ELEMENTS)):
        raise _problem(place, f"has the unknown element {unknown[0]!r}; known are {', '.join(_ELEMENTS)}")
    if sid := written.get("Sid"):
        place = f"statement {number} ({sid}) of {name}"
    effect = written.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise _problem(place, f"has Effect {effect!r}, which must be 'Allow' or 'Deny'")
    actions = _matched(written, "Action", place)
    if actions is None:
        raise _problem(place, "needs Action or NotAction")
    resources = _matched(written, "Resource", place)
    if (resources is None) is not (kind is Kind.TRUST):
        raise _problem(
            place, "cannot have Resource: a trust policy is about its role" if resources else "needs Resource"
        )
    return Statement(
        place=place,
        effect=effect,
        actions=actions,
        resources=resources,
        principals=_principals(written, place, kind),
        conditions=_conditions(written.get("Condition", {}), place, variables),
        variables=variables,
    )


def _matched(written: Mapping[str, Any], element: str, place: str) -> Matched | None:
    negated = f"Not{element}"
    if element in written and negated in written:
        raise _problem(place, f"has both {element} and {negated}; leave one out")
    for name in (element, negated):
        if name in written:
            return Matched(_texts(written[name], name, place), name == negated)
    return None


def _principals(written: Mapping[str, Any], place: str, kind: Kind) -> Principals | None:
    if "Principal" in written and "NotPrincipal" in written:
        raise _problem(place, "has both Principal and NotPrincipal; leave one out")
    element = "NotPrincipal" if "NotPrincipal" in written else "Principal"
    found = written.get(element)
    if kind is Kind.IDENTITY:
        if found is not None:
            raise _problem(place, f"cannot have {element}: the policy is about the identity that it hangs on")
        return None
    if found == "*":
        return Principals((("AWS", "*"), ("Service", "*")), element == "NotPrincipal")
    if not isinstance(found, Mapping):
        raise _problem(place, f'needs {element}, \'*\' or an object such as {{"Service": "…"}}')
    if unknown := sorted(set(found) - set(_PRINCIPAL_TYPES)):
        raise _problem(
            place, f"has a {element} of unknown type {unknown[0]!r}; known are {', '.join(_PRINCIPAL_TYPES)}"
        )
    named = tuple((type_, one) for type_ in found for one in _texts(found[type_], f"{element}.{type_}", place))
    return Principals(named, element == "NotPrincipal")


def _conditions(written: object, place: str, variables: bool) -> tuple[Condition, ...]:
    if not isinstance(written, Mapping) or not all(isinstance(keys, Mapping) for keys in written.values()):
        raise _problem(place, "has a Condition that is not of the form {operator: {key: value}}")
    found: list[Condition] = []
    for operator, keys in written.items():
        for key, value in keys.items():
            values = _texts(value, f"Condition.{operator}.{key}", place)
            condition = Condition.parse(operator, key, values, variables=variables)
            if condition is None:
                raise _problem(place, f"has the unknown condition operator {operator!r}")
            found.append(condition)
    return tuple(found)


def _texts(value: object, element: str, place: str) -> tuple[str, ...]:
    """One value or a list of them; conditions may write numbers and booleans without quotes."""
    several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    if not all(isinstance(each, str | int | float) for each in several):
        raise _problem(place, f"has a value in {element} that is not text")
    return tuple(str(each).lower() if isinstance(each, bool) else str(each) for each in several)


def _problem(place: str, wrong: str) -> DataProblem:
    return DataProblem(f"{place[0].upper()}{place[1:]} {wrong}.", fix="Correct the policy.")
