"""What this version of Matinee cannot train: refused when it is asked for, so that nothing else is trained instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matinee.errors import InvalidInput
from matinee.recipes.recipe import Recipe


def check_solution(recipe: Recipe, request: Mapping[str, Any]) -> None:
    """Raise `InvalidInput` when a CreateSolution request (wire members) asks of `recipe` what cannot be trained.

    The rules of the service itself (ranges, members that exclude each other) are not looked at here.
    """
    sentence = cannot_train(recipe, request)
    if sentence is not None:
        raise InvalidInput(sentence)


def cannot_train(recipe: Recipe, request: Mapping[str, Any]) -> str | None:
    """Why a solution of `recipe` cannot be trained as asked, with what to do instead; None when it can."""
    if not recipe.trainable:
        return f"{recipe.name} {recipe.why}"
    if request.get("performHPO") and not request.get("performAutoML") and not recipe.tunable:
        return f"performHPO: {recipe.name} has no parameter that can be tuned; leave performHPO out."
    return None


def check_training_mode(recipe: Recipe, mode: str) -> None:
    """Refuse a `trainingMode` of CreateSolutionVersion that the recipe cannot train in; FULL is always possible."""
    if mode != "UPDATE":
        return
    if not recipe.update_training:
        raise InvalidInput(f"trainingMode UPDATE is not available for {recipe.name}; use FULL.")
    if not recipe.trainable:
        raise InvalidInput(f"{recipe.name} {recipe.why}")
