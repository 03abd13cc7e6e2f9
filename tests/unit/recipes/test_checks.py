"""What cannot be trained yet is refused with a sentence that says what to do."""

from __future__ import annotations

from typing import Any

import pytest

from matinee.errors import InvalidInput
from matinee.recipes.catalogue import RECIPES, find
from matinee.recipes.checks import check_solution, check_training_mode
from matinee.recipes.recipe import Recipe

V1, V2 = find("aws-user-personalization"), find("aws-user-personalization-v2")


def events(*weights: float | None) -> dict[str, Any]:
    """A request with an eventsConfig of one event type for each weight."""
    entries = [
        {"eventType": f"type-{number}"} | ({} if weight is None else {"weight": weight})
        for number, weight in enumerate(weights)
    ]
    return {"solutionConfig": {"eventsConfig": {"eventParametersList": entries}}}


@pytest.mark.parametrize("recipe", [recipe for recipe in RECIPES if not recipe.trainable], ids=lambda r: r.name)
def test_a_recipe_that_cannot_be_trained_is_refused_with_the_reason(recipe: Recipe) -> None:
    with pytest.raises(InvalidInput) as refusal:
        check_solution(recipe, {})
    assert refusal.value.message == f"{recipe.name} {recipe.why}"


@pytest.mark.parametrize(
    "request_members",
    [
        {},
        {"performHPO": False, "solutionConfig": {}},
        {"performHPO": True},
        events(0.5, 0.5),
        events(1.0, 0.0),
        events(None, None),
        events(0.9, 0.1),
        {"solutionConfig": {"optimizationObjective": {"itemAttribute": "PRICE", "objectiveSensitivity": "HIGH"}}},
        {"solutionConfig": {"optimizationObjective": {"itemAttribute": "PRICE", "objectiveSensitivity": "OFF"}}},
    ],
)
def test_what_can_be_trained_passes(request_members: dict[str, Any]) -> None:
    check_solution(V1, request_members)


@pytest.mark.parametrize(
    ("recipe", "request_members", "words"),
    [
        (find("aws-popularity-count"), {"performHPO": True}, "no parameter that can be tuned"),
    ],
)
def test_what_cannot_be_honoured_is_refused(recipe: Recipe, request_members: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        check_solution(recipe, request_members)


@pytest.mark.parametrize("name", ["aws-sims", "aws-user-personalization-v2"])
def test_update_training_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"UPDATE is not available.*FULL"):
        check_training_mode(find(name), "UPDATE")


def test_full_training_passes() -> None:
    check_training_mode(V2, "FULL")
