"""From a recipe and its parameters to the model that answers it. Imports no model: a plan is only names and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from matinee.errors import InvalidInput
from matinee.recipes.parameters import Value, defaults, parse_parameters
from matinee.recipes.recipe import Method, Place, Recipe

#: Attention heads of the transformer; its dimension is a multiple of them.
_HEADS = 2
_HISTORY_LENGTHS = ("min_user_history_length_percentile", "max_user_history_length_percentile")


@dataclass(frozen=True)
class ModelPlan:
    """The model to train: its name in the registry and what its configuration changes from the defaults.

    Only users whose number of events lies within the percentiles `history_lengths` are trained on. `cheap` says that a
    fit costs seconds whatever the size of the data. `unused` names parameters that were given and that this model has
    no counterpart of; the manifest tells of them. `asked_with` is what the metrics ask the model with.
    """

    model: str
    config: Mapping[str, Any] = field(default_factory=dict)
    history_lengths: tuple[float, float] = (0.0, 1.0)
    cheap: bool = True
    unused: tuple[str, ...] = ()
    asked_with: str = "history"


def plan_model(recipe: Recipe, solution_config: Mapping[str, Any]) -> ModelPlan:
    """The plan of a solution: `solution_config` has the wire's members, its parameters as strings.

    Raises `InvalidInput` for parameters that the recipe's table does not allow, and for a recipe that this version
    cannot train.
    """
    given: dict[str, Value] = {}
    for place in (Place.ALGORITHM, Place.FEATURIZATION):
        given |= parse_parameters(recipe, place, solution_config.get(place) or {})
    match recipe.method:
        case Method.POPULARITY:
            return ModelPlan("popularity")
        case Method.CO_OCCURRENCE:
            return ModelPlan("item-knn", config=given, asked_with="newest item")
        case Method.SEQUENCE:
            return _sequence(recipe, given)
        case None:
            raise InvalidInput(f"{recipe.name} {recipe.why}")


def _sequence(recipe: Recipe, given: Mapping[str, Value]) -> ModelPlan:
    """The blend around a causal transformer, whose size is the recipe's only when it was given: the default of the
    table is that of another network."""
    config: dict[str, Any] = {}
    if "hidden_dimension" in given:
        # An odd size is rounded up so that the heads share it evenly.
        config["transformer"] = {"dimension": -(-int(given["hidden_dimension"]) // _HEADS) * _HEADS}
    values = defaults(recipe) | dict(given)
    low, high = (values.get(name, default) for name, default in zip(_HISTORY_LENGTHS, (0.0, 1.0), strict=True))
    return ModelPlan(
        "blend",
        config=config,
        history_lengths=(float(low), float(high)),
        cheap=False,
        unused=tuple(sorted(set(given) - {"hidden_dimension", *_HISTORY_LENGTHS})),
    )
