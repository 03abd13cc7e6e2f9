"""Checks a value of the file against a shape of the service's own model, as shipped with botocore."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from matinee.project.entries import Entry
from matinee.project.problems import Problem, choose_from

_NUMBERS = {"integer": int, "long": int, "float": float, "double": float}


@cache
def service_model() -> ServiceModel:
    """The model of the control plane."""
    return botocore.session.get_session().get_service_model("personalize")


def input_shape(operation: str) -> StructureShape:
    """The input of an operation, say `CreateCampaign`."""
    shape = service_model().operation_model(operation).input_shape
    if not isinstance(shape, StructureShape):
        raise TypeError(f"{operation} has no input")
    return shape


def check(entry: Entry, shape: Shape, found: list[Problem]) -> Any:
    """The value of `entry` as `shape` wants it; adds to `found` what the shape refuses.

    A scalar in the place of a string counts as it was written: hyperparameters may stand without quotes.
    """
    match shape:
        case StructureShape() if isinstance(entry.value, dict):
            return check_members(entry, shape, found)
        case MapShape() if isinstance(entry.value, dict):
            _bounds(entry, len(entry.value), shape, "entries", found)
            for key, value in entry.value.items():
                _text(Entry(value.place, key, key), shape.key, found)
            return {key: check(value, shape.value, found) for key, value in entry.value.items()}
        case ListShape() if isinstance(entry.value, tuple):
            _bounds(entry, len(entry.value), shape, "entries", found)
            return [check(item, shape.member, found) for item in entry.value]
        case StructureShape() | MapShape():
            return _refuse(entry, "A mapping belongs here", "Write `key: value` lines.", found)
        case ListShape():
            return _refuse(entry, "A list belongs here", "Write its items as `- item` lines.", found)
    if shape.type_name == "boolean":
        if not isinstance(entry.value, bool):
            return _refuse(entry, "A truth value belongs here", "Write true or false.", found)
        return entry.value
    if shape.type_name in _NUMBERS:
        return _number(entry, shape, found)
    return _text(entry, shape, found)


def check_members(
    entry: Entry,
    shape: StructureShape,
    found: list[Problem],
    *,
    also: Collection[str] = (),
    without: Collection[str] = (),
) -> dict[str, Any]:
    """The members of a mapping that `shape` has. `also` are keys that the caller reads; `without`, ones it fills in."""
    own = set(shape.members) - set(without)
    found.extend(
        Problem(entry.place, f"The key {key} is missing.", f"Add {key}.")
        for key in shape.required_members
        if key in own and key not in entry.members
    )
    values = {}
    for key, value in entry.members.items():
        if key in also:
            continue
        if key not in own:
            found.append(Problem(value.place, f"Unknown key {key!r}.", choose_from(key, own | set(also))))
        elif value.value is not None:
            values[key] = check(value, shape.members[key], found)
    return values


def _text(entry: Entry, shape: Shape, found: list[Problem]) -> Any:
    if entry.value is None or isinstance(entry.value, dict | tuple):
        return _refuse(entry, "A text belongs here", "Write one value.", found)
    rules = shape.metadata
    text = entry.text
    if len(text) > rules.get("max", len(text)) or len(text) < rules.get("min", 0):
        limits = f"{rules.get('min', 0)} to {rules.get('max', 'any number of')}"
        return _refuse(entry, f"{text[:40]!r} has {len(text)} characters, allowed are {limits}", "Change it.", found)
    if rules.get("enum") and text not in rules["enum"]:
        return _refuse(entry, f"{text!r} is none of the known values", choose_from(text, rules["enum"]), found)
    # A pattern in Java's own syntax (`\p{L}`) stays the service's to check.
    if "pattern" in rules and r"\p{" not in rules["pattern"] and not re.fullmatch(rules["pattern"], text):
        return _refuse(entry, f"{text!r} does not have the form {rules['pattern']}", "Change it.", found)
    return text


def _number(entry: Entry, shape: Shape, found: list[Problem]) -> Any:
    kind = _NUMBERS[shape.type_name]
    whole = kind is int
    try:
        if entry.value is None or isinstance(entry.value, bool | dict | tuple):
            raise ValueError
        value = kind(entry.text)  # from the text, since YAML 1.1 reads 1e-3 as a string
    except ValueError:
        return _refuse(entry, f"A {'whole ' if whole else ''}number belongs here", "Write digits.", found)
    _bounds(entry, value, shape, "", found)
    return value


def _bounds(entry: Entry, size: float, shape: Shape, unit: str, found: list[Problem]) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if (low is not None and size < low) or (high is not None and size > high):
        limits = " and ".join(
            part for part in (f"at least {low}" if low is not None else "", f"at most {high}" if high else "") if part
        )
        found.append(Problem(entry.place, f"{size} {unit}".strip() + f" will not do: {limits}.", "Change it."))


def _refuse(entry: Entry, problem: str, fix: str, found: list[Problem]) -> None:
    shown = f", not {entry.shown}" if problem.endswith("here") else ""
    found.append(Problem(entry.place, f"{problem}{shown}.", fix))
