"""filterValues: how they are written, and what their absence means."""

from __future__ import annotations

import pytest
from tests.unit.filters.films import SCHEMAS

from matinee.errors import InvalidInput
from matinee.filters import check
from matinee.filters.binding import bind, read_values
from matinee.filters.syntax import Among, Compared, Dataset, Field

GENRES = Field(Dataset.ITEMS, "GENRES")
PRICE = Field(Dataset.ITEMS, "PRICE", numeric=True)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('"Comedy"', ("Comedy",)),
        ('"a","b"', ("a", "b")),
        (' "a" , "b,c" ', ("a", "b,c")),
        (r'"say \"hi\""', ('say "hi"',)),
        ("20", ("20",)),
        ('"20"', ("20",)),
        ("-1.5e3", ("-1.5e3",)),
        ("1, 2", ("1", "2")),
        ('""', ("",)),
    ],
)
def test_point_15_values_are_quoted_strings_or_numbers(text: str, values: tuple[str, ...]) -> None:
    assert read_values("X", text) == values


@pytest.mark.parametrize("text", ["Comedy", "'a'", '"a', '"a" "b"', '"a",', "", "$x"])
def test_other_values_are_refused_with_the_parameter(text: str) -> None:
    with pytest.raises(InvalidInput, match="filter parameter GENRE"):
        read_values("GENRE", text)


def test_a_parameter_may_be_a_list_beside_literals() -> None:
    bound = bind(check("INCLUDE ItemID WHERE Items.GENRES IN ('x', $G)", SCHEMAS), {"G": '"a","b"'})
    assert list(bound.expressions[0].conditions()) == [Among(GENRES, ("x", "a", "b"))]


def test_the_same_name_twice_is_the_same_value() -> None:
    bound = bind(check("INCLUDE ItemID WHERE Items.PRICE > $P OR Items.YEAR = $P", SCHEMAS), {"P": '"3"'})
    assert [condition.value for condition in bound.expressions[0].conditions() if isinstance(condition, Compared)] == [
        3.0,
        3.0,
    ]


def test_trap_9_a_missing_value_of_an_include_is_refused() -> None:
    with pytest.raises(InvalidInput, match="needs a value for the parameter G"):
        bind(check("INCLUDE ItemID WHERE Items.GENRES IN ($G)", SCHEMAS), {})


def test_trap_9_an_exclude_without_its_value_is_ignored() -> None:
    tree = check("EXCLUDE ItemID WHERE Items.GENRES IN ($G) | INCLUDE ItemID WHERE Items.PRICE > 1", SCHEMAS)
    assert bind(tree, {}).expressions == tree.expressions[1:]


def test_names_of_parameters_are_case_sensitive() -> None:
    with pytest.raises(InvalidInput, match="has no parameter g; its parameters are: G"):
        bind(check("EXCLUDE ItemID WHERE Items.GENRES IN ($G)", SCHEMAS), {"g": '"a"'})


def test_a_comparison_takes_one_value() -> None:
    with pytest.raises(InvalidInput, match="compared with > and takes one value, not 2"):
        bind(check("INCLUDE ItemID WHERE Items.PRICE > $P", SCHEMAS), {"P": "1,2"})


def test_a_number_is_wanted_where_the_field_holds_numbers() -> None:
    with pytest.raises(InvalidInput, match=r"used with Items.PRICE, which holds numbers"):
        bind(check("INCLUDE ItemID WHERE Items.PRICE > $P", SCHEMAS), {"P": '"dear"'})


def test_a_star_as_value_is_any_event() -> None:
    bound = bind(check("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($T)", SCHEMAS), {"T": '"*"'})
    assert list(bound.expressions[0].conditions()) == [Among(Field(Dataset.INTERACTIONS, "EVENT_TYPE"), None)]
