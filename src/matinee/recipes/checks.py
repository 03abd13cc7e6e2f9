"""What this version of Matinee cannot train: refused when it is asked for, so that nothing else is trained instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matinee.errors import InvalidInput
from matinee.recipes.recipe import Recipe

_HERE = "in this version of Matinee"


def check_solution(recipe: Recipe, request: Mapping[str, Any]) -> None:
    """Raise `InvalidInput` when a CreateSolution request (wire members) asks of `recipe` what cannot be trained.

    The rules of the service itself (ranges, members that exclude each other) are not looked at here.
    """
    sentence = cannot_train(recipe, request)
    if sentence is not None:
        raise InvalidInput(sentence)


def cannot_train(recipe: Recipe, request: Mapping[str, Any]) -> str | None:
    """Why a solution of `recipe` cannot be trained as asked, with what to do instead; None when it can."""
    config: Mapping[str, Any] = request.get("solutionConfig") or {}
    if not recipe.trainable:
        return f"{recipe.name} {recipe.why}"
    if request.get("performHPO"):
        return _tuning(recipe)
    objective: Mapping[str, Any] = config.get("optimizationObjective") or {}
    if objective and objective.get("objectiveSensitivity", "OFF") != "OFF":
        return f"optimizationObjective is not available {_HERE}; leave it out or set its objectiveSensitivity to OFF."
    return _weights(config)


def check_training_mode(recipe: Recipe, mode: str) -> None:
    """Refuse a `trainingMode` of CreateSolutionVersion that the recipe cannot train in; FULL is always possible."""
    if mode != "UPDATE":
        return
    if not recipe.update_training:
        raise InvalidInput(f"trainingMode UPDATE is not available for {recipe.name}; use FULL.")
    raise InvalidInput(f"trainingMode UPDATE is not available {_HERE}; use FULL, which trains on all data.")


def _tuning(recipe: Recipe) -> str:
    if not recipe.tunable:
        return f"performHPO: {recipe.name} has no parameter that can be tuned; leave performHPO out."
    return (
        f"performHPO is not available {_HERE}; give {recipe.name} its values in algorithmHyperParameters, or leave "
        "them out for the defaults."
    )


def _weights(config: Mapping[str, Any]) -> str | None:
    """Only whether an event type counts can be honoured, not how much: weights above 0 must be equal."""
    entries = (config.get("eventsConfig") or {}).get("eventParametersList") or ()
    weights = {float(entry.get("weight", 1.0)) for entry in entries}
    if len(weights - {0.0}) > 1:
        return (
            f"eventsConfig: event types cannot be trained with different weights {_HERE}; give those that count the "
            "same weight and the others 0."
        )
    return None
