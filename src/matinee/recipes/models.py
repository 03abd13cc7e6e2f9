"""From a recipe and its parameters to the model that answers it. Imports no model: a plan is only names and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from matinee.errors import InvalidInput
from matinee.recipes.parameters import Value, defaults, parse_parameters, parse_value
from matinee.recipes.recipe import Method, Place, Recipe

#: Attention heads of the transformer; its dimension is a multiple of them.
_HEADS = 2
#: The blend without regard to recency: EASE weighs all of a history alike, which wants four times the λ, and the
#: ridge, which reads the newest items only, is left out, as is what is popular lately.
_ALL_EVENTS_ALIKE: Mapping[str, Any] = {
    "ease": {"recency_power": 0.0, "training_recency_power": 0.0, "regularization": 200.0},
    "ridge": None,
    "recent": None,
}
_SECONDS: Mapping[str, int] = {"minute": 60, "hour": 3600, "day": 86_400}
_HISTORY_LENGTHS = ("min_user_history_length_percentile", "max_user_history_length_percentile")


@dataclass(frozen=True)
class ModelPlan:
    """The model to train: its name in the registry and what its configuration changes from the defaults.

    Only users whose number of events lies within the percentiles `history_lengths` are trained on. `cheap` says that a
    fit costs seconds whatever the size of the data. `unused` names parameters that were given and that this model has
    no counterpart of; the manifest tells of them. `asked_with` is what the metrics ask the model with. With
    `whole_catalogue` it knows items that have only a record, too.
    """

    model: str
    config: Mapping[str, Any] = field(default_factory=dict)
    history_lengths: tuple[float, float] = (0.0, 1.0)
    cheap: bool = True
    unused: tuple[str, ...] = ()
    asked_with: str = "history"
    whole_catalogue: bool = False


def plan_model(recipe: Recipe, solution_config: Mapping[str, Any]) -> ModelPlan:
    """The plan of a solution: `solution_config` has the wire's members, its parameters as strings.

    A solution that was tuned brings `tunedHPOParams`, too: its values take the place of those that were given.

    Raises `InvalidInput` for parameters that the recipe's table does not allow, and for a recipe that this version
    cannot train.
    """
    given: dict[str, Value] = {}
    for place in (Place.ALGORITHM, Place.FEATURIZATION):
        given |= parse_parameters(recipe, place, solution_config.get(place) or {})
    given |= _tuned(recipe, solution_config)
    match recipe.method:
        case Method.POPULARITY:
            return ModelPlan("popularity")
        case Method.CO_OCCURRENCE:
            return ModelPlan("item-knn", config=given, asked_with="newest item")
        case Method.SEQUENCE:
            return _sequence(recipe, given)
        case Method.ACTIONS:
            return ModelPlan("factors", asked_with="exposures")
        case Method.AFFINITY:
            return ModelPlan("affinity", unused=tuple(sorted(given)), asked_with="segments")
        case Method.SIMILARITY:
            return ModelPlan("similar-items", config=given, asked_with="newest item", whole_catalogue=True)
        case Method.SEMANTICS:
            return ModelPlan("semantic", asked_with="newest item", whole_catalogue=True)
        case Method.TRENDS:
            return ModelPlan("trending", config={"interval_seconds": interval_seconds(given)})
        case None:
            raise InvalidInput(f"{recipe.name} {recipe.why}")


def interval_seconds(given: Mapping[str, Value]) -> int:
    """The length of the intervals that are compared for trends: `trend_discovery_frequency`, by default two hours."""
    number, unit = str(given.get("trend_discovery_frequency", "2 hours")).split()
    return int(number) * _SECONDS[unit.rstrip("s")]


def _tuned(recipe: Recipe, solution_config: Mapping[str, Any]) -> dict[str, Value]:
    """What HPO found, typed."""
    found: Mapping[str, str] = (solution_config.get("tunedHPOParams") or {}).get(Place.ALGORITHM) or {}
    return {one.name: parse_value(recipe, one, found[one.name]) for one in recipe.hyperparameters if one.name in found}


def _sequence(recipe: Recipe, given: Mapping[str, Value]) -> ModelPlan:
    """The blend around a causal transformer, whose size and history are the recipe's only when they were given: the
    defaults of the table are those of another network. What each parameter means is told in docs/how-to/tuning.md."""
    config: dict[str, Any] = {}
    transformer: dict[str, Any] = {}
    if "hidden_dimension" in given:
        # An odd size is rounded up so that the heads share it evenly.
        transformer["dimension"] = -(-int(given["hidden_dimension"]) // _HEADS) * _HEADS
    if "bptt" in given:
        # So many steps through time join one position more.
        transformer["length"] = int(given["bptt"]) + 1
    if transformer:
        config["transformer"] = transformer
    if not (given.get("recency_mask", True) and given.get("apply_recency_bias", True)):
        config |= _ALL_EVENTS_ALIKE
    values = defaults(recipe) | dict(given)
    low, high = (values.get(name, default) for name, default in zip(_HISTORY_LENGTHS, (0.0, 1.0), strict=True))
    return ModelPlan(
        "blend",
        config=config,
        history_lengths=(float(low), float(high)),
        cheap=False,
        whole_catalogue=True,
    )
