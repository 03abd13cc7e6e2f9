"""The grammar, and refusals that say where and what would be right."""

from __future__ import annotations

import pytest

from matinee.errors import InvalidInput
from matinee.filters.parsing import parse
from matinee.filters.syntax import (
    Among,
    AmongCurrent,
    Compared,
    Dataset,
    Expression,
    Field,
    Filter,
    Placeholder,
    Target,
    Verb,
)

GENRES = Field(Dataset.ITEMS, "GENRES")
PRICE = Field(Dataset.ITEMS, "PRICE")
EVENT_TYPE = Field(Dataset.INTERACTIONS, "EVENT_TYPE")


def _one(text: str) -> Expression:
    (expression,) = parse(text).expressions
    return expression


@pytest.mark.parametrize(
    "text",
    [
        'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click", "stream")',
        'INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")',
        'EXCLUDE ItemID WHERE Items.CATEGORY IN ("shoe") AND Items.DESCRIPTION NOT IN ("boot")',
        "INCLUDE ItemID WHERE Items.PRICE <= $PRICE AND Items.CREATION_TIMESTAMP > $SINCE",
        "EXCLUDE ItemID WHERE Items.GENRE IN ($GENRE) IF CurrentUser.AGE = $AGE",
        'INCLUDE ItemID WHERE Items.GENRE IN ($GENRE) | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click")',
        "INCLUDE ItemID WHERE Items.GENRES IN CurrentItem.GENRES",
        "INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE AND Items.GENRE IN CurrentItem.GENRE",
        "EXCLUDE UserID WHERE Users.AGE < $AGE",
        'INCLUDE ActionID WHERE Actions.TYPE IN ("upgrade")',
        "INCLUDE ActionID WHERE Actions.VALUE > ($VALUE)",
        'EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("NOT_TAKEN")',
    ],
)
def test_published_filters_parse(text: str) -> None:
    assert isinstance(parse(text), Filter)


def test_the_tree_says_what_the_text_says() -> None:
    text = "INCLUDE ItemID WHERE Items.GENRES IN ($G, 'a b') AND Items.PRICE >= 1.5 OR Items.PRICE < CurrentItem.PRICE"
    assert _one(text) == Expression(
        Verb.INCLUDE,
        Target.ITEM,
        alternatives=(
            (Among(GENRES, (Placeholder("G"), "a b")), Compared(PRICE, ">=", 1.5)),
            (Compared(PRICE, "<", Field(Dataset.CURRENT_ITEM, "PRICE")),),
        ),
    )


def test_point_15_keywords_and_datasets_in_any_case() -> None:
    text = 'exclude itemid where INTERACTIONS.event_type in ("Purchase") if currentuser.X not in ("a")'
    assert _one(text) == Expression(
        Verb.EXCLUDE,
        Target.ITEM,
        alternatives=((Among(Field(Dataset.INTERACTIONS, "event_type"), ("Purchase",)),),),
        guards=(Among(Field(Dataset.CURRENT_USER, "X"), ("a",), negated=True),),
    )


@pytest.mark.parametrize("star", ['"*"', "*", "'*'"])
def test_point_15_a_star_is_any_event(star: str) -> None:
    expression = _one(f"EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ({star})")
    assert expression.alternatives == ((Among(EVENT_TYPE, None),),)


def test_point_15_in_the_current_item() -> None:
    expression = _one("INCLUDE ItemID WHERE Items.GENRES IN CurrentItem.GENRES")
    assert expression.alternatives == ((AmongCurrent(GENRES, Field(Dataset.CURRENT_ITEM, "GENRES")),),)


def test_and_binds_tighter_than_or() -> None:
    expression = _one("INCLUDE ItemID WHERE Items.A = 1 OR Items.B = 2 AND Items.C = 3")
    assert [[condition.field.name for condition in conjunction] for conjunction in expression.alternatives] == [
        ["A"],
        ["B", "C"],
    ]


def test_a_comma_inside_quotes_belongs_to_the_value() -> None:
    expression = _one('INCLUDE ItemID WHERE Items.GENRES IN ("click, rating", "a\\"b")')
    assert expression.alternatives == ((Among(GENRES, ("click, rating", 'a"b')),),)


def test_columns_may_be_called_like_keywords() -> None:
    expression = _one("INCLUDE ItemID WHERE Items.IN IN ('x') AND Items.Items = 2 AND Items.order = 3")
    assert [condition.field.name for condition in expression.conditions()] == ["IN", "Items", "order"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at character 1: the expression ends; expected INCLUDE or EXCLUDE."),
        ("TAKE ItemID WHERE Items.A = 1", "at character 1: found 'TAKE'; expected INCLUDE or EXCLUDE."),
        ("INCLUDE Item WHERE Items.A = 1", "at character 9: found 'Item'; expected ItemID, UserID or ActionID."),
        ("INCLUDE ItemID Items.A = 1", "at character 16: found 'Items'; expected WHERE."),
        ("INCLUDE ItemID WHERE A = 1", "at character 22: found 'A'; expected a dataset"),
        ("INCLUDE ItemID WHERE Items.A LIKE 'x'", "at character 30: found 'LIKE'; expected NOT IN, IN or a comparison"),
        ("INCLUDE ItemID WHERE Items.A IN 'x'", "at character 33: found \"'x'\"; expected CurrentItem or '('."),
        ('INCLUDE ItemID WHERE Items.A IN ("x)', "at character 34: the string that begins here has no closing quote."),
        ("INCLUDE ItemID WHERE Items.A = 1 AND", "at character 37: the expression ends; expected a dataset"),
        ("INCLUDE ItemID WHERE (Items.A = 1)", "at character 22: found '('; expected a dataset"),
        ("INCLUDE ItemID WHERE Items.A = 1 |", "at character 35: the expression ends; expected INCLUDE or EXCLUDE."),
        ("INCLUDE ItemID WHERE Items.A = 1 IF Items.B = 2", "at character 37: found 'Items'; expected CurrentUser."),
        (
            "INCLUDE ItemID WHERE Items.A = 1 IF CurrentUser.B = 2 OR CurrentUser.C = 3",
            "at character 55: found 'OR'; expected AND",
        ),
        ("INCLUDE ItemID WHERE Items.A = NOW()", "at character 32: found 'NOW'; expected"),
    ],
)
def test_a_syntax_error_says_where_and_what_would_be_right(text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(text)
    assert message in refused.value.message


def test_a_placeholder_with_not_in_gets_the_recorded_sentence() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse("EXCLUDE ItemID WHERE Items.GENRES NOT IN ($param)")
    assert refused.value.message == ("Invalid input symbol: $param. Placeholders are not allowed with NOT_IN operator.")


def test_a_filter_longer_than_the_limit_is_refused() -> None:
    with pytest.raises(InvalidInput, match="2501 characters are too many; at most 2500"):
        parse("x" * 2501)


def test_a_placeholder_longer_than_the_limit_is_refused() -> None:
    with pytest.raises(InvalidInput, match="longer than 50 characters"):
        parse(f"INCLUDE ItemID WHERE Items.A = ${'x' * 51}")
