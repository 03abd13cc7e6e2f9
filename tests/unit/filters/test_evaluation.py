"""Whole filters against an oracle that goes through the things row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.filters.films import SCHEMAS, Events, Record, table_of

from matinee.filters import check
from matinee.filters.binding import bind
from matinee.filters.evaluation import Request, allowed
from matinee.filters.syntax import Among, AmongCurrent, Condition, Expression, Field, Filter, Verb

FILMS: list[Record | None] = [
    {"ITEM_ID": "0", "GENRES": "Drama|War", "PRICE": 1.0, "YEAR": 1990},
    {"ITEM_ID": "1", "GENRES": "Comedy", "PRICE": 2.0, "YEAR": 2000},
    {"ITEM_ID": "2", "GENRES": "Drama", "PRICE": None, "YEAR": 2010},
    None,
]


def _allowed(text: str, request: Request, values: Mapping[str, str] | None = None) -> list[int]:
    mask = allowed(bind(check(text, SCHEMAS), values or {}), table_of(FILMS), request)
    return [at for at, through in enumerate(mask) if through]


NOBODY = Request(events=Events())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('INCLUDE ItemID WHERE Items.GENRES IN ("Drama")', [0, 2]),
        ('EXCLUDE ItemID WHERE Items.GENRES IN ("Drama")', [1, 3]),
        ('INCLUDE ItemID WHERE Items.GENRES IN ("War") | INCLUDE ItemID WHERE Items.PRICE = 2', [0, 1]),
        ('EXCLUDE ItemID WHERE Items.GENRES IN ("War") | EXCLUDE ItemID WHERE Items.PRICE = 2', [2, 3]),
        ('EXCLUDE ItemID WHERE Items.PRICE = 1 | INCLUDE ItemID WHERE Items.GENRES IN ("Drama")', [2]),
        ('INCLUDE ItemID WHERE Items.GENRES NOT IN ("Comedy") AND Items.YEAR < 2005', [0]),
        ("INCLUDE ItemID WHERE Items.YEAR < 1995 OR Items.YEAR >= 2010", [0, 2]),
        ('EXCLUDE ItemID WHERE Items.GENRES NOT IN ("Drama")', [0, 2]),
    ],
)
def test_sets_and_their_combination(text: str, expected: list[int]) -> None:
    assert _allowed(text, NOBODY) == expected


def test_events_of_the_user_ignore_case_of_types() -> None:
    request = Request(events=Events((0, "click"), (1, "purchase"), (1, "click")))
    assert _allowed('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("PURCHASE")', request) == [0, 2, 3]
    assert _allowed('INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")', request) == [0, 1]
    assert _allowed('INCLUDE ItemID WHERE Interactions.EVENT_TYPE NOT IN ("purchase")', request) == [0, 2, 3]
    assert _allowed('INCLUDE ItemID WHERE Interactions.EVENT_TYPE = "Click"', request) == [0, 1]


def test_if_decides_whether_an_expression_counts() -> None:
    text = (
        'EXCLUDE ItemID WHERE Items.GENRES IN ("Drama") IF CurrentUser.AGE < 18 AND CurrentUser.MEMBERSHIP IN ("gold")'
    )
    young = {"AGE": 17, "MEMBERSHIP": "silver|gold"}
    assert _allowed(text, Request(Events(), current_user=young)) == [1, 3]
    assert _allowed(text, Request(Events(), current_user={**young, "AGE": 18})) == [0, 1, 2, 3]
    assert _allowed(text, Request(Events(), current_user={"AGE": 17})) == [0, 1, 2, 3]


def test_an_include_whose_if_is_false_lets_everything_through() -> None:
    assert _allowed("INCLUDE ItemID WHERE Items.PRICE = 1 IF CurrentUser.AGE = 3", NOBODY) == [0, 1, 2, 3]


def test_the_current_item() -> None:
    request = Request(Events(), current_item={"GENRES": "War|Comedy", "PRICE": 2.0})
    assert _allowed("INCLUDE ItemID WHERE Items.GENRES IN CurrentItem.GENRES", request) == [0, 1]
    assert _allowed("INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE", request) == [0]
    assert _allowed("INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE", Request(Events(), current_item={})) == []


def test_values_come_with_the_request() -> None:
    text = "INCLUDE ItemID WHERE Items.GENRES IN ($G) | EXCLUDE ItemID WHERE Items.PRICE > $P"
    assert _allowed(text, NOBODY, {"G": '"Drama","Comedy"'}) == [0, 1, 2]
    assert _allowed(text, NOBODY, {"G": '"Drama","Comedy"', "P": "1.5"}) == [0, 2]


def test_strangers_are_judged_by_their_events_alone() -> None:
    request = Request(Events((4, "click")), strangers=2)
    assert _allowed('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click")', request) == [0, 1, 2, 3, 5]
    assert _allowed('INCLUDE ItemID WHERE Items.GENRES NOT IN ("Drama")', request) == [1, 3, 4, 5]


# -- the oracle -----------------------------------------------------------------------------------------------------


def _cell_meets(condition: Condition, cell: Any, item: Mapping[str, Any]) -> bool:
    """One condition on one cell, by the words of the specification."""
    own = [] if cell is None else str(cell).split("|") if isinstance(cell, str) else [float(cell)]
    if isinstance(condition, AmongCurrent):
        other = item.get(condition.reference.name)
        return other is not None and bool(set(own) & set(str(other).split("|")))
    if isinstance(condition, Among):
        found = any(value in own for value in condition.values or ())
        return not found if condition.negated else found
    value = item.get(condition.value.name) if isinstance(condition.value, Field) else condition.value
    if cell is None or value is None:
        return False
    if isinstance(cell, str):
        return (value in own) is (condition.operator == "=")
    outcome: bool = {
        "=": cell == value,
        "!=": cell != value,
        "<": cell < value,
        "<=": cell <= value,
        ">": cell > value,
        ">=": cell >= value,
    }[condition.operator]
    return outcome


def _describes(expression: Expression, at: int, film: Record | None, request: Request, events: Events) -> bool:
    """Whether the expression's condition describes film `at`."""
    for conjunction in expression.alternatives:
        met = True
        for condition in conjunction:
            if condition.field.dataset.holds_events:
                assert isinstance(condition, Among)
                types = None if condition.values is None else {str(value).lower() for value in condition.values}
                has = any(thing == at and (types is None or kind in types) for thing, kind in events.events)
                met = met and has is not condition.negated
            else:
                cell = (film or {}).get(condition.field.name)
                met = met and _cell_meets(condition, cell, request.current_item or {})
        if met:
            return True
    return False


def _oracle(bound: Filter, films: Sequence[Record | None], request: Request, events: Events) -> list[bool]:
    """What the filter lets through, film by film."""
    in_force = [
        expression
        for expression in bound.expressions
        if all(_cell_meets(guard, request.current_user.get(guard.field.name), {}) for guard in expression.guards)
    ]
    includes = [expression for expression in in_force if expression.verb is Verb.INCLUDE]
    excludes = [expression for expression in in_force if expression.verb is Verb.EXCLUDE]
    return [
        (not includes or any(_describes(one, at, film, request, events) for one in includes))
        and not any(_describes(one, at, film, request, events) for one in excludes)
        for at, film in enumerate(films)
    ]


_words = st.sampled_from(["a", "b", "c", "d"])
_cells = st.none() | st.lists(_words, min_size=1, max_size=3).map("|".join)
_numbers = st.none() | st.integers(0, 3)
_films = st.none() | st.fixed_dictionaries({"GENRES": _cells, "PRICE": _numbers, "YEAR": _numbers}).map(
    lambda film: {"ITEM_ID": "x", **film, "PRICE": None if film["PRICE"] is None else float(film["PRICE"])}
)
_strings = st.lists(_words, min_size=1, max_size=2).map(lambda words: ", ".join(f'"{word}"' for word in words))
_compare = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
_item_condition = st.one_of(
    st.builds("Items.GENRES IN ({})".format, _strings),
    st.builds("items.genres NOT IN ({})".format, _strings),
    st.builds("Items.PRICE {} {}".format, _compare, st.integers(0, 3)),
    st.builds("Items.YEAR {} CurrentItem.YEAR".format, _compare),
    st.just("Items.GENRES IN CurrentItem.GENRES"),
    st.just("Items.GENRES IN ($G)"),
    st.just("Items.PRICE > $P"),
)
_event_condition = st.one_of(
    st.builds("Interactions.EVENT_TYPE IN ({})".format, _strings),
    st.builds("Interactions.EVENT_TYPE NOT IN ({})".format, _strings),
    st.just('Interactions.EVENT_TYPE IN ("*")'),
)
_guard = st.one_of(
    st.just(""),
    st.builds(" IF CurrentUser.AGE {} {}".format, _compare, st.integers(0, 3)),
    st.builds(" IF CurrentUser.MEMBERSHIP IN ({}) AND CurrentUser.AGE > 0".format, _strings),
)


@st.composite
def _expressions(draw: st.DrawFn) -> str:
    conditions = draw(
        st.lists(_item_condition, min_size=1, max_size=4) | st.lists(_event_condition, min_size=1, max_size=3)
    )
    text = conditions[0]
    for condition in conditions[1:]:
        text += f" {draw(st.sampled_from(['AND', 'OR']))} {condition}"
    return f"{draw(st.sampled_from(['INCLUDE', 'EXCLUDE']))} ItemID WHERE {text}{draw(_guard)}"


@settings(max_examples=300, deadline=None)
@given(
    text=st.lists(_expressions(), min_size=1, max_size=3).map(" | ".join),
    films=st.lists(_films, min_size=1, max_size=6),
    events=st.lists(st.tuples(st.integers(0, 5), _words), max_size=6),
    user=st.fixed_dictionaries({"AGE": _numbers, "MEMBERSHIP": _cells}),
    item=_films,
)
def test_any_filter_lets_through_what_the_oracle_does(
    text: str,
    films: list[Record | None],
    events: list[tuple[int, str]],
    user: dict[str, Any],
    item: Record | None,
) -> None:
    history = Events(*((thing, kind) for thing, kind in events if thing < len(films)))
    request = Request(history, current_user=user, current_item=item or {})
    tree = check(text, SCHEMAS)
    values = {name: value for name, value in {"G": '"a","d"', "P": "1"}.items() if name in tree.placeholders()}
    bound = bind(tree, values)
    assert allowed(bound, table_of(films), request).tolist() == _oracle(bound, films, request, history)
