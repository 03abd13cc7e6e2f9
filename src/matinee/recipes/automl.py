"""AutoML: the recipes that are compared, and the metric that decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matinee.errors import InvalidInput
from matinee.recipes import catalogue
from matinee.recipes.recipe import Call, Method, Recipe

#: Compared when no recipeList is given: models that learn different things. aws-user-personalization is left out, since
#: it is trained as the same blend as its second version.
_DEFAULT = ("aws-user-personalization-v2", "aws-popularity-count", "aws-trending-now")

#: What metricName may be: the metrics of GetSolutionMetrics that are better when they are higher.
METRICS = (
    "coverage",
    "mean_reciprocal_rank_at_25",
    *(f"normalized_discounted_cumulative_gain_at_{cutoff}" for cutoff in (5, 10, 25)),
    *(f"precision_at_{cutoff}" for cutoff in (5, 10, 25)),
)
DEFAULT_METRIC = "normalized_discounted_cumulative_gain_at_25"


def default_candidates() -> tuple[Recipe, ...]:
    """The trainable recipes that AutoML chooses from when none are named."""
    found = (catalogue.find(name) for name in _DEFAULT)
    return tuple(recipe for recipe in found if recipe.trainable)


def deciding_metric(solution_config: Mapping[str, Any]) -> str:
    """The metric by which AutoML decides: `autoMLConfig.metricName`, else NDCG at 25."""
    return str((solution_config.get("autoMLConfig") or {}).get("metricName") or DEFAULT_METRIC)


def check_automl(solution_config: Mapping[str, Any], recipes: Sequence[Recipe]) -> None:
    """Refuse a metric that is none, and recipes of which one could not answer in another's place.

    Raises `InvalidInput` with what is allowed.
    """
    metric = deciding_metric(solution_config)
    if metric not in METRICS:
        raise InvalidInput(f"autoMLConfig.metricName {metric!r} is no metric; use one of {', '.join(METRICS)}.")
    first = recipes[0]
    for recipe in recipes:
        if recipe.call not in (Call.RECOMMENDATIONS, Call.RANKING) or recipe.method is Method.SEMANTICS:
            raise InvalidInput(f"autoMLConfig.recipeList: {recipe.name} cannot be compared by {metric}; leave it out.")
        if (recipe.call, recipe.item_recipe) != (first.call, first.item_recipe):
            raise InvalidInput(
                f"autoMLConfig.recipeList: {first.name} and {recipe.name} are asked in different ways, so that neither "
                "can stand in for the other; name recipes of one kind."
            )
