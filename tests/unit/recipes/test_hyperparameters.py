"""The table of parameters against specification 4.2."""

from __future__ import annotations

import pytest

from matinee.recipes.catalogue import RECIPES, find
from matinee.recipes.recipe import Place

# recipe, parameter, default, allowed, tunable, place
ROWS = [
    ("aws-user-personalization", "hidden_dimension", "149", "a whole number from 32 to 256", True, Place.ALGORITHM),
    ("aws-personalized-ranking", "hidden_dimension", "149", "a whole number from 32 to 256", True, Place.ALGORITHM),
    ("aws-hrnn", "hidden_dimension", "43", "a whole number from 32 to 256", True, Place.ALGORITHM),
    ("aws-hrnn-metadata", "hidden_dimension", "43", "a whole number from 32 to 256", True, Place.ALGORITHM),
    ("aws-hrnn-coldstart", "hidden_dimension", "149", "a whole number from 32 to 256", True, Place.ALGORITHM),
    ("aws-user-personalization", "bptt", "32", "a whole number from 2 to 32", True, Place.ALGORITHM),
    ("aws-user-personalization", "recency_mask", "True", "true or false", True, Place.ALGORITHM),
    (
        "aws-personalized-ranking",
        "min_user_history_length_percentile",
        "0.0",
        "a number from 0 to 1",
        False,
        Place.FEATURIZATION,
    ),
    (
        "aws-personalized-ranking",
        "max_user_history_length_percentile",
        "0.99",
        "a number from 0 to 1",
        False,
        Place.FEATURIZATION,
    ),
    (
        "aws-hrnn-coldstart",
        "cold_start_max_interactions",
        "15",
        "a whole number of at least 1",
        False,
        Place.FEATURIZATION,
    ),
    ("aws-hrnn-coldstart", "cold_start_max_duration", "5.0", "a number above 0", False, Place.FEATURIZATION),
    (
        "aws-hrnn-coldstart",
        "cold_start_relative_from",
        "latestItem",
        "one of currentTime, latestItem",
        False,
        Place.FEATURIZATION,
    ),
    ("aws-user-personalization-v2", "apply_recency_bias", "true", "true or false", False, Place.ALGORITHM),
    ("aws-personalized-ranking-v2", "apply_recency_bias", "true", "true or false", False, Place.ALGORITHM),
    ("aws-similar-items", "item_id_hidden_dim", "100", "a whole number from 30 to 200", True, Place.ALGORITHM),
    ("aws-similar-items", "item_metadata_hidden_dim", "100", "a whole number from 30 to 200", True, Place.ALGORITHM),
    ("aws-sims", "popularity_discount_factor", "0.5", "a number from 0 to 1", True, Place.ALGORITHM),
    ("aws-sims", "min_cointeraction_count", "3", "a whole number from 0 to 10", True, Place.ALGORITHM),
    ("aws-sims", "min_user_history_length_percentile", "0.005", "a number from 0 to 1", False, Place.FEATURIZATION),
    ("aws-sims", "max_user_history_length_percentile", "0.995", "a number from 0 to 1", False, Place.FEATURIZATION),
    ("aws-sims", "min_item_interaction_count_percentile", "0.01", "a number from 0 to 1", False, Place.FEATURIZATION),
    ("aws-sims", "max_item_interaction_count_percentile", "0.9", "a number from 0 to 1", False, Place.FEATURIZATION),
    (
        "aws-trending-now",
        "trend_discovery_frequency",
        "2 hours",
        "one of 30 minutes, 1 hour, 2 hours, 3 hours, 1 day",
        False,
        Place.FEATURIZATION,
    ),
    (
        "aws-next-best-action",
        "action_optimization_period",
        "14",
        "a whole number from 7 to 28",
        False,
        Place.FEATURIZATION,
    ),
    ("aws-item-affinity", "hidden_dimension", "149", "a whole number from 32 to 256", False, Place.ALGORITHM),
    ("aws-item-attribute-affinity", "hidden_dimension", "149", "a whole number from 32 to 256", False, Place.ALGORITHM),
    ("aws-user-personalization", "explorationWeight", "0.3", "a number from 0 to 1", False, Place.EXPLORATION),
    ("aws-user-personalization", "explorationItemAgeCutOff", "30", "a number above 0", False, Place.EXPLORATION),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_a_parameter_is_as_specified(row: tuple[str, str, str, str, bool, Place]) -> None:
    recipe, name, *facts = row
    found = next(parameter for parameter in find(recipe).parameters if parameter.name == name)
    assert [found.default, found.allowed, found.tunable, found.place] == facts


@pytest.mark.parametrize("name", ["aws-popularity-count", "aws-semantic-similarity"])
def test_some_recipes_take_no_parameters(name: str) -> None:
    assert find(name).parameters == ()


def test_only_similar_items_has_parameters_that_are_ranges_only() -> None:
    assert {recipe.name for recipe in RECIPES if any(p.hpo_only for p in recipe.parameters)} == {"aws-similar-items"}


def test_recency_mask_belongs_to_the_data_stage() -> None:
    parameter = next(p for p in find("aws-user-personalization").parameters if p.name == "recency_mask")
    assert parameter.stage == "data"
