"""Values of a batch job's input lines, read as the wire's members are; refusals in the words of batch outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matinee.errors import ApiError, InvalidInput
from matinee.serving.events import storable


def id_of(value: Any, member: str) -> str | None:
    """An ID, None when there is none; a number is taken as its text. Raises `InvalidInput` naming the member."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InvalidInput(f"User error: {member} must be a string.")
    return storable(str(value), member)


def texts_of(given: Mapping[str, Any], member: str) -> dict[str, str]:
    """A member that maps names to strings; numbers are taken as their text."""
    found = given.get(member) or {}
    if not isinstance(found, Mapping) or not all(isinstance(value, str | int | float) for value in found.values()):
        raise InvalidInput(f"User error: {member} must be an object of strings.")
    return {str(name): str(value) for name, value in found.items()}


def told(refusal: ApiError) -> str:
    """A refusal as the error of an output line."""
    return refusal.message if refusal.message.startswith("User error:") else f"User error: {refusal.message}"
