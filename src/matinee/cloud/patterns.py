"""Matching the text of policies: `*` and `?`, policy variables such as `${aws:username}`, and patterns of ARNs."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from matinee.cloud.request import Context
from matinee.cloud.truth import Truth

# A variable with an optional default, `${key, 'default'}`; a special character, `${*}`; or one character.
_TOKEN = re.compile(r"\$\{(?P<variable>[^}]*)\}|(?P<character>.)", re.DOTALL)
_DEFAULT = re.compile(r"\s*(?P<key>[^,\s]+)\s*(?:,\s*'(?P<default>[^']*)'\s*)?")
_NEVER = "(?!)"
_ARN_COLONS = 5


def matches(
    pattern: str, text: str, context: Context | None = None, *, wildcards: bool = True, ignore_case: bool = False
) -> Truth:
    """Whether all of `text` is what `pattern` says.

    `context` gives policy variables their values; without it `${…}` is text like any other (policies before version
    2012-10-17). Unknown when a variable's value is. A variable without a value matches nothing.
    """
    expression = _expression(pattern, context, wildcards=wildcards, arn=False)
    return None if expression is None else _compiled(expression, ignore_case).fullmatch(text) is not None


def matches_arn(pattern: str, arn: str, context: Context | None = None) -> Truth:
    """As `matches`, for ARNs: a wildcard stays within its part, the text between two colons, but in the last part.

    Source: IAM User Guide, "IAM JSON policy elements: Resource" and "ARN condition operators".
    """
    expression = _expression(pattern, context, wildcards=True, arn=True)
    return None if expression is None else _compiled(expression, False).fullmatch(arn) is not None


def unresolvable(pattern: str, context: Context | None) -> bool:
    """Whether `pattern` has a policy variable without a value in this request."""
    variables = (token["variable"] for token in _TOKEN.finditer(pattern) if token["variable"] is not None)
    return context is not None and any(_value(variable, context) == _NEVER for variable in variables)


def _expression(pattern: str, context: Context | None, *, wildcards: bool, arn: bool) -> str | None:
    """The regular expression that says the same; `None` when it needs a value that nobody knows."""
    tokens = list(_TOKEN.finditer(pattern))
    last = min(_ARN_COLONS, sum(token["character"] == ":" for token in tokens)) if arn else 0
    fixed, runs = [""], list[str]()
    colons = 0
    for token in tokens:
        character = token["character"]
        anything = "." if colons >= last else "[^:]"
        if character is None:
            value = re.escape(token[0]) if context is None else _value(token["variable"], context)
            if value is None:
                return None
            fixed[-1] += value
        elif wildcards and character == "*":
            fixed.append("")
            runs.append(anything)
        elif wildcards and character == "?":
            fixed[-1] += anything
        else:
            colons += character == ":"
            fixed[-1] += re.escape(character)
    return _joined(fixed, runs)


def _joined(fixed: Sequence[str], runs: Sequence[str]) -> str:
    """`fixed` with a run of any length between each two. The first place where a middle one fits is as good as any
    later one, so the atomic groups lose nothing, and no pattern takes long on any text.
    """
    if not runs:
        return fixed[0]
    middle = (f"(?>{run}*?{part})" for run, part in zip(runs[:-1], fixed[1:-1], strict=True))
    return f"{fixed[0]}{''.join(middle)}{runs[-1]}*{fixed[-1]}"


def _value(variable: str, context: Context) -> str | None:
    """The expression of a variable's value; a wildcard in the value is a character like any other."""
    if variable in ("*", "?", "$"):
        return re.escape(variable)
    parsed = _DEFAULT.fullmatch(variable)
    if parsed is None:
        return _NEVER
    values = context.values(parsed["key"])
    if values is None:
        return None
    if len(values) == 1:
        return re.escape(values[0])
    # A key with several values cannot be used as a variable.
    return re.escape(parsed["default"]) if not values and parsed["default"] is not None else _NEVER


@functools.lru_cache(maxsize=4096)
def _compiled(expression: str, ignore_case: bool) -> re.Pattern[str]:
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if ignore_case else re.NOFLAG))
