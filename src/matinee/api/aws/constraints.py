"""Constraints of the service models as closures over scalars, and the sentences in which the service refuses."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from matinee.api.aws.errors import Malformed
from matinee.errors import InvalidInput

#: Where a value stands, innermost last: `((None, "eventList"), "1")`. Made into text only when something is wrong.
Path = tuple[Any, str] | None
#: What is wrong with a request, one sentence each.
Found = list[str]
#: `check(value, path, found)` returns the parsed value and adds to `found` what the constraints refuse.
Check = Callable[[Any, Path, Found], Any]
#: A scalar's constraints in the model's words: `type`, `min`, `max`, `pattern`, `enum`, `sensitive`.
Rules = Mapping[str, Any]

_LARGEST_INT: Final = {"integer": 2**31 - 1, "long": 2**63 - 1}
#: The latest time that is taken: year 9999 in milliseconds, since the service takes milliseconds without complaint.
_LATEST_SECONDS: Final = 253_402_300_799_999
_SHOWN_CHARACTERS: Final = 256
#: Sentences in one refusal; the rest is only counted.
_SENTENCES: Final = 10

#: Same language as the model's pattern, without its backtracking (cubic on hostile input).
_LINEAR: Final[Mapping[str, str]] = {
    r"arn:([a-z\d-]+):personalize:.*:.*:.+": r"arn:[a-z\d-]+:personalize:[^:\n]*:[^:\n]*:.+",
    r"^[\x20-\x7E]*[\x21-\x7E]+[\x20-\x7E]*$": r"(?=\x20*[\x21-\x7E])[\x20-\x7E]*",
}
#: Java's Unicode classes as they read inside a Python character class.
_JAVA_CLASSES: Final[Mapping[str, str]] = {
    r"\p{ASCII}": r"[\x00-\x7f]",
    r"\p{L}": r"\w",  # letters, digits and _, which every pattern of the models allows beside \p{L}
    r"\p{N}": r"\d",
    r"\p{Z}": " \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
}


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


#: JSON text to values; raises `ValueError`, also for NaN and the infinities, which are not JSON.
decode_json: Final[Callable[[str], Any]] = json.JSONDecoder(parse_constant=_no_constant).decode


def place(path: Path) -> str:
    """The path as the service writes it: `eventList.1.member.sentAt`."""
    names: list[str] = []
    while path is not None:
        path, name = path
        names.append(name[:_SHOWN_CHARACTERS])
    return ".".join(reversed(names))


def refuse(found: Found, value: object, path: Path, rule: str, *, sensitive: bool = False) -> None:
    """Add the service's sentence for a value that breaks `rule`."""
    if value is None:
        shown = "null"
    elif sensitive:
        shown = "'*** Sensitive Data Redacted ***'"
    else:
        text = value if isinstance(value, str) else json.dumps(value)
        shown = f"'{text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + '…'}'"
    found.append(f"Value {shown} at '{place(path)}' failed to satisfy constraint: {rule}")


def raise_found(found: Found) -> None:
    """Raise `InvalidInput` with everything that was found; do nothing when nothing was."""
    if found:
        count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
        raise InvalidInput(count + "; ".join(found[:_SENTENCES]))


def wrong_type(value: object, wanted: str, path: Path) -> Malformed:
    """The front door's refusal of a JSON type that the model does not have here."""
    match value:
        case bool():
            kind = "TRUE_VALUE" if value else "FALSE_VALUE"
        case str():
            kind = "STRING_VALUE"
        case int() | float():
            kind = "NUMBER_VALUE"
        case list():
            kind = "Start of list"
        case dict():
            kind = "Start of structure or map"
        case _:
            kind = "null"
    where = place(path)
    return Malformed(f"{kind} can not be converted to {wanted}{f' at {where!r}' if where else ''}")


def python_pattern(pattern: str) -> re.Pattern[str] | None:
    """A pattern of a service model (Java syntax, the whole value) for Python's `fullmatch`; None if it has no like."""
    translated = _LINEAR.get(pattern, pattern)
    for java, python in _JAVA_CLASSES.items():
        translated = translated.replace(java, python)
    return None if r"\p{" in translated else re.compile(translated)


def string(rules: Rules) -> Check:
    """Length, pattern and enumeration of a string."""
    low, high, sensitive = rules.get("min", 0), rules.get("max", math.inf), rules.get("sensitive", False)
    source: str | None = rules.get("pattern")
    pattern = python_pattern(source) if source else None
    enumeration = frozenset(rules.get("enum", ()))
    listed = ", ".join(rules.get("enum", ()))

    def check(value: Any, path: Path, found: Found) -> Any:
        if type(value) is not str:
            raise wrong_type(value, "a String", path)
        if not value.isascii():
            _require_unicode(value, path)
        if "\0" in value:
            refuse(found, None, path, "Member must not contain the character U+0000")
        length = len(value)
        if length > high:  # and the pattern stays untried: its cost grows with the length
            rule = f"Member must have length less than or equal to {high}"
            refuse(found, value, path, rule, sensitive=sensitive)
            return value
        if length < low:
            rule = f"Member must have length greater than or equal to {low}"
            refuse(found, value, path, rule, sensitive=sensitive)
        if pattern is not None and pattern.fullmatch(value) is None:
            rule = f"Member must satisfy regular expression pattern: {source}"
            refuse(found, value, path, rule, sensitive=sensitive)
        if enumeration and value not in enumeration:
            refuse(found, value, path, f"Member must satisfy enum value set: [{listed}]", sensitive=sensitive)
        return value

    return check


def json_text(rules: Rules) -> Check:
    """A `jsonvalue` member: a string holding a JSON object, given on as the object."""
    text = string(rules)

    def check(value: Any, path: Path, found: Found) -> Any:
        before = len(found)
        text(value, path, found)
        if len(found) > before:
            return value
        try:
            parsed = decode_json(value)
            # Escapes can hide what no text may hold: half a surrogate pair, or U+0000.
            plain = "\\u" not in value or "\\u0000" not in json.dumps(parsed)
            if "\\u" in value:
                json.dumps(parsed, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            parsed, plain = None, False
        if not (plain and isinstance(parsed, dict)):
            raise InvalidInput(f"Error parsing {path[1] if path else 'body'} json")
        return parsed

    return check


def number(rules: Rules) -> Check:
    """Range of an integer or a floating-point number; the value is given on as it came."""
    whole, sensitive = rules["type"] in _LARGEST_INT, rules.get("sensitive", False)
    largest = _LARGEST_INT.get(rules["type"], math.inf)
    low = rules.get("min", -largest - 1 if whole else -math.inf)
    high = rules.get("max", largest)
    wanted = "an Integer" if whole else "a Double"

    def check(value: Any, path: Path, found: Found) -> Any:
        kind = type(value)
        if kind is float and whole and value.is_integer():
            value, kind = int(value), int
        if kind is not int and (whole or kind is not float or not math.isfinite(value)):
            raise wrong_type(value, wanted, path)
        if value < low:
            rule = f"Member must have value greater than or equal to {low}"
            refuse(found, value, path, rule, sensitive=sensitive)
        elif value > high:
            refuse(found, value, path, f"Member must have value less than or equal to {high}", sensitive=sensitive)
        elif kind is int and abs(value) > 2**1000:
            raise wrong_type(value, wanted, path)  # beyond what a double holds
        return value

    return check


def boolean(rules: Rules) -> Check:
    """A truth value."""

    def check(value: Any, path: Path, found: Found) -> Any:
        if type(value) is not bool:
            raise wrong_type(value, "a Boolean", path)
        return value

    return check


def timestamp(rules: Rules) -> Check:
    """Seconds since 1970 as a number, or a time in ISO 8601; given on in seconds, whole where they are whole."""

    def check(value: Any, path: Path, found: Found) -> Any:
        kind = type(value)
        if kind is str:
            try:
                moment = datetime.fromisoformat(value)
                seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
            except (ValueError, OverflowError):
                raise wrong_type(value, "a Timestamp", path) from None
        elif kind is int or kind is float:
            seconds = value
        else:
            raise wrong_type(value, "a Timestamp", path)
        if not -_LATEST_SECONDS <= seconds <= _LATEST_SECONDS:  # also refuses what is not a number
            raise wrong_type(value, "a Timestamp", path)
        return int(seconds) if seconds == int(seconds) else seconds

    return check


SCALARS: Final[Mapping[str, Callable[[Rules], Check]]] = {
    "string": string,
    "integer": number,
    "long": number,
    "float": number,
    "double": number,
    "boolean": boolean,
    "timestamp": timestamp,
}


def _require_unicode(value: str, path: Path) -> None:
    """Refuse half a surrogate pair, which no store and no answer could hold."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Malformed(f"The string at {place(path)!r} is not valid Unicode.") from None
