"""What counts as a difference."""

from __future__ import annotations

from typing import Any

import pytest

from matinee.project.comparing import Change, differences


@pytest.mark.parametrize(
    ("wanted", "described"),
    [
        ({"a": 1}, {"a": 1, "filledIn": True}),
        ({"p": {"x": "0.50"}}, {"p": {"x": "0.5"}}),
        ({"c": ["B", "A"]}, {"c": ["A", "B"]}),
        ({"r": [{"name": "bptt", "minValue": 2}]}, {"r": [{"name": "training.bptt", "minValue": 2}]}),
        ({"recipeArn": "arn:aws:personalize:::recipe/x"}, {"recipeArn": "arn:aws-cn:personalize:::recipe/x"}),
        ({"filterExpression": "A  WHERE\n B"}, {"filterExpression": "A WHERE B"}),
    ],
)
def test_the_same_in_other_words_is_no_difference(wanted: dict[str, Any], described: dict[str, Any]) -> None:
    assert list(differences(wanted, described)) == []


@pytest.mark.parametrize(
    ("wanted", "described", "change"),
    [
        ({"a": 1}, {"a": 2}, Change("a", 2, 1)),
        ({"a": {"b": True}}, {"a": {"b": False}}, Change("a.b", False, True)),
        ({"a": {"b": 1}}, {}, Change("a", None, {"b": 1})),
        ({"a": ["x"]}, {"a": ["x", "y"]}, Change("a", ["x", "y"], ["x"])),
        ({"a": [{"w": 1.0}]}, {"a": [{"w": 0.5}]}, Change("a", [{"w": 0.5}], [{"w": 1.0}])),
        ({"name": "b"}, {"name": "a"}, Change("name", "a", "b")),
    ],
)
def test_a_difference_is_told_by_its_path(wanted: dict[str, Any], described: dict[str, Any], change: Change) -> None:
    assert list(differences(wanted, described)) == [change]
