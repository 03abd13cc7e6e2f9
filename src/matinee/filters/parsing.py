"""From the text of a filter to its tree. A refusal says at which character, what was found and what would be right."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args
from lark.exceptions import VisitError

from matinee.errors import InvalidInput
from matinee.filters.syntax import (
    Among,
    AmongCurrent,
    Compared,
    Condition,
    Dataset,
    Expression,
    Field,
    Filter,
    Placeholder,
    Target,
    Value,
    Verb,
)

Named = TypeVar("Named", Dataset, Target)

LONGEST = 2500
LONGEST_PLACEHOLDER = 50

#: What the terminals of the grammar are called in messages.
_SPOKEN = {
    "VERB": "INCLUDE or EXCLUDE",
    "TARGET": "ItemID, UserID or ActionID",
    "DATASET": "a dataset (Items, Interactions, Users, Actions or Action_Interactions)",
    "CURRENT_ITEM": "CurrentItem",
    "CURRENT_USER": "CurrentUser",
    "_WHERE": "WHERE",
    "_IF": "IF",
    "_AND": "AND",
    "_OR": "OR",
    "_NOT": "NOT IN",
    "_IN": "IN",
    "COMPARE": "a comparison (=, !=, <, <=, >, >=)",
    "STAR": '"*"',
    "STRING": "a quoted string",
    "NUMBER": "a number",
    "NAME": "a name",
    "DOT": "'.'",
    "LPAR": "'('",
    "RPAR": "')'",
    "COMMA": "','",
    "DOLLAR": "a placeholder ($NAME)",
    "VBAR": "'|' and another expression",
    "$END": "the end of the expression",
}
_FOUND = re.compile(r"""\w+|"[^"]*"|'[^']*'|\S""")


def parse(text: str) -> Filter:
    """The tree of a filter expression, not yet checked against schemas.

    Raises `InvalidInput` with the character (counted from 1) and what would be right there.
    """
    result: Filter = _parsed(text, "start")
    return result


def parse_occasion(text: str) -> tuple[tuple[Condition, ...], ...]:
    """The OR of ANDs of a delivery rule's condition, not yet checked against schemas; raises as `parse`."""
    result: tuple[tuple[Condition, ...], ...] = _parsed(text, "occasion")
    return result


def _parsed(text: str, start: str) -> Any:
    if len(text) > LONGEST:
        raise InvalidInput(f"Invalid Expression: {len(text)} characters are too many; at most {LONGEST} are allowed.")
    try:
        tree = _parser().parse(text, start=start)
    except UnexpectedInput as problem:
        raise InvalidInput(_explain(text, problem)) from None
    try:
        return _TreeBuilder().transform(tree)
    except VisitError as problem:
        raise problem.orig_exc from None


@cache
def _parser() -> Lark:
    grammar = files("matinee.filters").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, start=["start", "occasion"], parser="lalr", lexer="contextual", maybe_placeholders=False)


def _explain(text: str, problem: UnexpectedInput) -> str:
    """The sentence for what the parser met: the recorded one where there is one."""
    at = len(text.rstrip()) if problem.pos_in_stream in (None, -1) else int(problem.pos_in_stream)
    ended = at >= len(text.rstrip()) or (isinstance(problem, UnexpectedToken) and problem.token.type == "$END")
    position = len(text.rstrip()) if ended else at
    match = _FOUND.match(text, position)
    found = "the expression ends" if match is None else f"found {match.group()!r}"
    if match is not None and match.group() in "\"'" and text.count(match.group(), position) == 1:
        return f"Invalid Expression at character {position + 1}: the string that begins here has no closing quote."
    names: set[str] = set(getattr(problem, "accepts", None) or getattr(problem, "allowed", None) or ())
    expected = [spoken for name, spoken in _SPOKEN.items() if name in names]
    wanted = f"; expected {_listing(expected)}" if expected else ""
    return f"Invalid Expression at character {position + 1}: {found}{wanted}."


def _listing(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _unquoted(token: str) -> str:
    r"""The text between the quotes; `\"`, `\'` and `\\` stand for the character itself."""
    return re.sub(r"\\([\"'\\])", r"\1", token[1:-1])


def _named(kinds: type[Named], word: str) -> Named:
    """The member of an enumeration that `word` spells in whatever case."""
    return next(kind for kind in kinds if kind.value.lower() == word.lower())


def _field(dataset: Token, name: Token) -> Field:
    return Field(_named(Dataset, dataset), str(name), at=(dataset.start_pos or 0) + 1)


@v_args(inline=True)
class _TreeBuilder(Transformer[Token, Any]):
    """One method for each rule and alias of the grammar."""

    def start(self, *expressions: Expression) -> Filter:
        return Filter(expressions)

    def expression(
        self,
        verb: Token,
        target: Token,
        alternatives: tuple[tuple[Condition, ...], ...],
        guards: tuple[Condition, ...] = (),
    ) -> Expression:
        return Expression(Verb(verb.upper()), _named(Target, target), alternatives, guards)

    def alternatives(self, *conjunctions: tuple[Condition, ...]) -> tuple[tuple[Condition, ...], ...]:
        return conjunctions

    def conjunction(self, *conditions: Condition) -> tuple[Condition, ...]:
        return conditions

    def guards(self, *conditions: Condition) -> tuple[Condition, ...]:
        return conditions

    def among(self, dataset: Token, name: Token, values: tuple[Value, ...] | None) -> Among:
        return Among(_field(dataset, name), values)

    def not_among(self, dataset: Token, name: Token, values: tuple[Value, ...] | None) -> Among:
        for value in values or ():
            if isinstance(value, Placeholder):
                raise InvalidInput(f"Invalid input symbol: {value}. Placeholders are not allowed with NOT_IN operator.")
        return Among(_field(dataset, name), values, negated=True)

    def among_current(self, dataset: Token, name: Token, reference: Field) -> AmongCurrent:
        return AmongCurrent(_field(dataset, name), reference)

    def compared(self, dataset: Token, name: Token, operator: Token, value: Value) -> Compared:
        return Compared(_field(dataset, name), str(operator), value)

    def compared_current(self, dataset: Token, name: Token, operator: Token, reference: Field) -> Compared:
        return Compared(_field(dataset, name), str(operator), reference)

    def reference(self, dataset: Token, name: Token) -> Field:
        return _field(dataset, name)

    def list(self, *values: Value) -> tuple[Value, ...] | None:
        return None if values == ("*",) else values

    def anything(self, _star: Token) -> None:
        return None

    def text(self, token: Token) -> str:
        return _unquoted(token)

    def number(self, token: Token) -> float:
        return float(token)

    def placeholder(self, name: Token) -> Placeholder:
        if len(name) > LONGEST_PLACEHOLDER:
            raise InvalidInput(f"The placeholder ${name} is longer than {LONGEST_PLACEHOLDER} characters.")
        return Placeholder(str(name), at=name.start_pos or 0)
