"""Shapes of the service models compiled once: input shapes into parsers, output shapes into serialisers."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from botocore.model import ListShape, MapShape, Shape, StructureShape

from matinee.api.aws.constraints import (
    SCALARS,
    Check,
    Found,
    Path,
    decode_json,
    json_text,
    place,
    raise_found,
    refuse,
    wrong_type,
)
from matinee.api.aws.errors import Malformed

Parse = Callable[[bytes], dict[str, Any]]
Serialise = Callable[[Mapping[str, Any]], dict[str, Any]]
_Render = Callable[[Any], Any]

#: Where Matinee takes more than the service model says, on purpose: shape, or structure and member, to constraints.
WIDENED: Final[Mapping[str, Mapping[str, Any]]] = {
    "S3Location": {"pattern": r"(s3|http|https|file)://.+"},  # imports from local files
    "PutEventsRequest.userId": {"min": 0},  # recorded clients send an empty userId
}


def parser(shape: StructureShape | None) -> Parse:
    """Compile an operation's input shape: JSON bytes in, parameters out.

    Unknown members are left out and `null` members count as absent. Raises `Malformed` for what is not JSON or has the
    wrong JSON type, and `InvalidInput` naming every constraint that is broken.
    """
    check = _structure(shape, sensitive=False) if shape is not None else _nothing

    def parse(body: bytes) -> dict[str, Any]:
        try:
            given = decode_json(body.decode()) if body else {}
        except (ValueError, RecursionError):
            raise Malformed("The request body is not valid JSON.") from None
        found: Found = []
        params = check(given, None, found)
        raise_found(found)
        return cast(dict[str, Any], params)

    return parse


def serialiser(shape: StructureShape | None) -> Serialise | None:
    """Compile an operation's output shape; None where the operation has none, which means an empty body.

    Absent and unmodelled members are left out; times, given in epoch milliseconds, become seconds with a fraction.
    """
    return None if shape is None else _render_structure(shape)


def _check(shape: Shape, sensitive: bool, member_of: str = "") -> Check:
    """The check of any shape. `member_of` is `Structure.member` where the value is a structure's member."""
    sensitive = sensitive or bool(shape.metadata.get("sensitive"))
    if isinstance(shape, StructureShape):
        return _structure(shape, sensitive)
    if isinstance(shape, ListShape):
        return _list(shape, sensitive)
    if isinstance(shape, MapShape):
        return _map(shape, sensitive)
    rules = {
        **shape.metadata,
        **WIDENED.get(shape.name, {}),
        **WIDENED.get(member_of, {}),
        "type": shape.type_name,
        "sensitive": sensitive,
    }
    return json_text(rules) if shape.serialization.get("jsonvalue") else SCALARS[shape.type_name](rules)


def _structure(shape: StructureShape, sensitive: bool) -> Check:
    required = frozenset(shape.required_members)
    members = [
        (name, _check(member, sensitive, f"{shape.name}.{name}"), name in required)
        for name, member in shape.members.items()
    ]

    def check(value: Any, path: Path, found: Found) -> Any:
        if type(value) is not dict:
            raise wrong_type(value, "a structure", path)
        parsed = {}
        for name, check_member, is_required in members:
            given = value.get(name)
            if given is not None:
                parsed[name] = check_member(given, (path, name), found)
            elif is_required:
                refuse(found, None, (path, name), "Member must not be null")
        return parsed

    return check


def _list(shape: ListShape, sensitive: bool) -> Check:
    check_member = _check(shape.member, sensitive)
    check_size = _size(shape)

    def check(value: Any, path: Path, found: Found) -> Any:
        if type(value) is not list:
            raise wrong_type(value, "a list", path)
        if not check_size(value, path, found):
            return value
        parsed = []
        for position, member in enumerate(value, 1):
            here = (path, f"{position}.member")
            if member is None:
                refuse(found, None, here, "Member must not be null")
            else:
                parsed.append(check_member(member, here, found))
        return parsed

    return check


def _map(shape: MapShape, sensitive: bool) -> Check:
    check_key, check_value = _check(shape.key, sensitive), _check(shape.value, sensitive)
    check_size = _size(shape)

    def check(value: Any, path: Path, found: Found) -> Any:
        if type(value) is not dict:
            raise wrong_type(value, "a map", path)
        if not check_size(value, path, found):
            return value
        return {
            check_key(key, (path, "key"), found): check_value(member, (path, f"{key}.value"), found)
            for key, member in value.items()
            if member is not None
        }

    return check


def _size(shape: Shape) -> Callable[[Any, Path, Found], bool]:
    """Number of members of a list or map; False when there are too many to look at each."""
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", math.inf)

    def check(value: Any, path: Path, found: Found) -> bool:
        if low <= len(value) <= high:
            return True
        word, limit = ("less", high) if len(value) > high else ("greater", low)
        rule = f"Member must have length {word} than or equal to {limit}"
        found.append(
            f"Value with {len(value)} members at '{place(path)}' failed to satisfy constraint: {rule}"
            if value
            else f"Value '[]' at '{place(path)}' failed to satisfy constraint: {rule}"
        )
        return False

    return check


def _nothing(value: Any, path: Path, found: Found) -> Any:
    if type(value) is not dict:
        raise wrong_type(value, "a structure", path)
    return {}


def _render(shape: Shape) -> _Render | None:
    """The rendering of a shape's values; None where they go out as they are."""
    if isinstance(shape, StructureShape):
        return _render_structure(shape)
    if isinstance(shape, ListShape):
        member = _render(shape.member)
        return None if member is None else lambda values: [member(value) for value in values]
    if isinstance(shape, MapShape):
        value_of = _render(shape.value)
        return None if value_of is None else lambda values: {key: value_of(value) for key, value in values.items()}
    if shape.type_name == "timestamp":
        return _seconds
    if shape.serialization.get("jsonvalue"):
        return json.dumps
    return None


def _render_structure(shape: StructureShape) -> Serialise:
    members = {name: _render(member) for name, member in shape.members.items()}
    if not any(members.values()):

        def render_plain(value: Mapping[str, Any]) -> dict[str, Any]:
            return {name: member for name, member in value.items() if member is not None and name in members}

        return render_plain
    rendered = list(members.items())

    def render(value: Mapping[str, Any]) -> dict[str, Any]:
        wire = {}
        for name, render_member in rendered:
            member = value.get(name)
            if member is not None:
                wire[name] = member if render_member is None else render_member(member)
        return wire

    return render


def _seconds(milliseconds: float) -> float:
    return milliseconds / 1000
