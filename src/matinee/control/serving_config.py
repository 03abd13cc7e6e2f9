"""Rules of `campaignConfig` and its relatives: exploration and ranking influence, each for some recipes only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matinee.errors import InvalidInput
from matinee.recipes.catalogue import Place, Recipe
from matinee.recipes.parameters import parse_parameters

_INFLUENCED = "aws-semantic-similarity"


def check_exploration(config: Mapping[str, Any], recipe: Recipe) -> None:
    """`itemExplorationConfig`: only for recipes whose exploration can be set, and within its ranges."""
    given = config.get("itemExplorationConfig")
    if not given:
        return
    if not recipe.parameters_in(Place.EXPLORATION):
        raise InvalidInput(f"itemExplorationConfig cannot be given: {recipe.name} has no exploration to set.")
    parse_parameters(recipe, Place.EXPLORATION, given)


def check_influence(config: Mapping[str, Any], recipe: Recipe) -> None:
    """`rankingInfluence`: only for semantic similarity."""
    if config.get("rankingInfluence") and recipe.name != _INFLUENCED:
        raise InvalidInput(f"rankingInfluence cannot be given: it is for {_INFLUENCED}, not for {recipe.name}.")
