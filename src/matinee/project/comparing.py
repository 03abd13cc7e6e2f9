"""Differences between what the file gives and what the service describes; what the file leaves out is left alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from matinee.project.desired import Reference


@dataclass(frozen=True)
class Change:
    """One member that differs: its dotted path, and its value before (None: not there) and after."""

    member: str
    before: Any
    after: Any

    @property
    def top(self) -> str:
        """The first name of the path."""
        return self.member.split(".")[0]


def differences(wanted: Mapping[str, Any], described: Mapping[str, Any], path: str = "") -> Iterator[Change]:
    """The members of `wanted` that `described` does not have in the same way.

    Members that only `described` has count for nothing: the service fills in defaults, and not all are known.
    """
    for key, value in wanted.items():
        member = f"{path}.{key}" if path else key
        before = described.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            yield from differences(value, before, member)
        elif not _same(key, value, before):
            yield Change(member, before, value)


def _same(key: str, value: Any, before: Any) -> bool:
    if isinstance(value, list) and isinstance(before, list):
        return len(value) == len(before) and all(
            _same(key, one, other) for one, other in zip(_ordered(value), _ordered(before), strict=True)
        )
    if isinstance(value, Mapping) and isinstance(before, Mapping):
        return all(_same(name, one, before.get(name)) for name, one in value.items())
    if isinstance(value, Reference):
        return False
    if key == "recipeArn" and isinstance(before, str):
        return str(value).rsplit("/", 1)[-1] == before.rsplit("/", 1)[-1]  # the partition is the service's own
    if key == "name" and isinstance(before, str):
        return str(value) == before or str(value) == before.rsplit(".", 1)[-1]  # HPO ranges come back as training.bptt
    if isinstance(value, str) and isinstance(before, str):
        return value == before or _number(value) == _number(before) is not None or _words(value) == _words(before)
    return bool(value == before)


def _ordered(values: list[Any]) -> list[Any]:
    """Column names and the like are sets; lists of mappings keep their order."""
    return sorted(values) if all(isinstance(value, str) for value in values) else values


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _words(text: str) -> list[str]:
    """The text with line breaks and indentation of YAML blocks set aside."""
    return text.split()
