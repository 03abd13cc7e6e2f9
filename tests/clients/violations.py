"""Every way in which a request can break one constraint of its service model, one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from tests.unit.api.aws.examples import example, input_of

#: No pattern of the three models takes it.
_NO_PATTERN = "*é*"


@dataclass(frozen=True)
class Violation:
    """A request that is right but for one value: `place` is where, as the service writes it, `rule` what it breaks."""

    place: str
    rule: str
    request: Any

    def __str__(self) -> str:
        return f"{self.place} ({self.rule})"


def violations(operation: OperationModel) -> list[Violation]:
    """One request for each constraint of each member of an operation's input."""
    shape = input_of(operation)
    return list(_broken(shape, example(shape, full=True), ""))


def _broken(shape: Shape, value: Any, place: str) -> Iterator[Violation]:
    """`value`, an example of `shape`, with one thing wrong in each result."""
    if isinstance(shape, StructureShape):
        yield from _in_structure(shape, value, place)
    elif isinstance(shape, ListShape):
        yield from _in_size(shape, [], [value[0]], place)
        for found in _broken(shape.member, value[0], f"{place}.1.member"):
            yield Violation(found.place, found.rule, [found.request])
    elif isinstance(shape, MapShape):
        yield from _in_map(shape, value, place)
    else:
        for rule, wrong in _wrong_scalars(shape):
            yield Violation(place, rule, wrong)


def _in_structure(shape: StructureShape, value: Any, place: str) -> Iterator[Violation]:
    for name in shape.required_members:
        without = {other: member for other, member in value.items() if other != name}
        yield Violation(_join(place, name), "required", without)
    for name, member in shape.members.items():
        for found in _broken(member, value[name], _join(place, name)):
            yield Violation(found.place, found.rule, {**value, name: found.request})


def _in_map(shape: MapShape, value: Any, place: str) -> Iterator[Violation]:
    ((key, member),) = value.items()
    most = shape.metadata.get("max")
    if most is not None:
        yield Violation(place, "most", {f"{key}{number}": member for number in range(most + 1)})
    for rule, wrong in _wrong_scalars(shape.key):
        yield Violation(f"{place}.key", rule, {wrong: member})
    for found in _broken(shape.value, member, f"{place}.{key}.value"):
        yield Violation(found.place, found.rule, {key: found.request})


def _in_size(shape: Shape, fewer: Any, one: Any, place: str) -> Iterator[Violation]:
    if shape.metadata.get("min", 0) > 0:
        yield Violation(place, "least", fewer)
    if "max" in shape.metadata:
        yield Violation(place, "most", one * (shape.metadata["max"] + 1))


def _wrong_scalars(shape: Shape) -> Iterator[tuple[str, Any]]:
    rules = shape.metadata
    if shape.type_name == "string":
        if rules.get("min", 0) > 0:
            yield "shortest", "x" * (rules["min"] - 1)
        if "max" in rules:
            yield "longest", "x" * (rules["max"] + 1)
        if "pattern" in rules:
            yield "pattern", _NO_PATTERN
        if "enum" in rules:
            yield "enum", "NO_SUCH_VALUE"
    elif shape.type_name in ("integer", "long", "float", "double"):
        if "min" in rules:
            yield "smallest", rules["min"] - 1
        if "max" in rules:
            yield "largest", rules["max"] + 1


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
