"""Parameters from strings: typed when good, refused by name when not."""

from __future__ import annotations

import pytest

from matinee.errors import InvalidInput
from matinee.recipes.catalogue import RECIPES, find
from matinee.recipes.parameters import defaults, parse_parameters
from matinee.recipes.recipe import Place, Recipe


def test_values_come_back_typed() -> None:
    given = {"popularity_discount_factor": "0.25", "min_cointeraction_count": "5"}
    assert parse_parameters(find("aws-sims"), Place.ALGORITHM, given) == {
        "popularity_discount_factor": 0.25,
        "min_cointeraction_count": 5,
    }


def test_what_was_not_given_does_not_come_back() -> None:
    assert parse_parameters(find("aws-sims"), Place.ALGORITHM, {}) == {}


@pytest.mark.parametrize(("text", "value"), [("true", True), ("True", True), ("FALSE", False), (" false ", False)])
def test_booleans_are_read_in_any_case(text: str, value: bool) -> None:
    parsed = parse_parameters(find("aws-user-personalization-v2"), Place.ALGORITHM, {"apply_recency_bias": text})
    assert parsed == {"apply_recency_bias": value}


@pytest.mark.parametrize("text", ["0.0", "1.0"])
def test_the_ends_of_a_range_are_allowed(text: str) -> None:
    assert parse_parameters(find("aws-sims"), Place.ALGORITHM, {"popularity_discount_factor": text})


@pytest.mark.parametrize(
    ("recipe", "place", "name", "text", "allowed"),
    [
        ("aws-sims", Place.ALGORITHM, "popularity_discount_factor", "1.5", "a number from 0 to 1"),
        ("aws-sims", Place.ALGORITHM, "popularity_discount_factor", "nan", "a number from 0 to 1"),
        ("aws-sims", Place.ALGORITHM, "popularity_discount_factor", "much", "a number from 0 to 1"),
        ("aws-sims", Place.ALGORITHM, "min_cointeraction_count", "2.5", "a whole number from 0 to 10"),
        ("aws-user-personalization", Place.ALGORITHM, "hidden_dimension", "16", "a whole number from 32 to 256"),
        ("aws-user-personalization-v2", Place.ALGORITHM, "apply_recency_bias", "yes", "true or false"),
        ("aws-trending-now", Place.FEATURIZATION, "trend_discovery_frequency", "4 hours", "30 minutes, 1 hour"),
        ("aws-user-personalization", Place.EXPLORATION, "explorationItemAgeCutOff", "0", "a number above 0"),
    ],
)
def test_a_bad_value_is_refused_with_what_is_allowed(
    recipe: str, place: Place, name: str, text: str, allowed: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_parameters(find(recipe), place, {name: text})
    assert all(part in refusal.value.message for part in (name, text, recipe, allowed, place))


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(InvalidInput, match=r"aws-sims has no parameter 'epochs'; it takes popularity_discount_factor"):
        parse_parameters(find("aws-sims"), Place.ALGORITHM, {"epochs": "3"})


def test_a_recipe_without_parameters_says_so() -> None:
    with pytest.raises(InvalidInput, match="aws-popularity-count has no parameter 'epochs'; it takes none"):
        parse_parameters(find("aws-popularity-count"), Place.ALGORITHM, {"epochs": "3"})


def test_a_parameter_in_the_wrong_member_is_sent_to_the_right_one() -> None:
    given = {"max_item_interaction_count_percentile": "0.5"}
    with pytest.raises(InvalidInput, match="belongs in featureTransformationParameters"):
        parse_parameters(find("aws-sims"), Place.ALGORITHM, given)


def test_a_parameter_that_is_a_range_only_is_refused_as_a_value() -> None:
    with pytest.raises(InvalidInput, match="only as a range"):
        parse_parameters(find("aws-similar-items"), Place.ALGORITHM, {"item_id_hidden_dim": "100"})


def test_percentiles_that_keep_no_one_are_refused() -> None:
    given = {"min_user_history_length_percentile": "0.9", "max_user_history_length_percentile": "0.1"}
    with pytest.raises(InvalidInput, match="above max_user_history_length_percentile"):
        parse_parameters(find("aws-sims"), Place.FEATURIZATION, given)


def test_a_minimum_above_the_default_maximum_is_refused() -> None:
    given = {"min_user_history_length_percentile": "0.995"}
    with pytest.raises(InvalidInput, match=r"\(0.995\) of .* above max_user_history_length_percentile \(0.99, the def"):
        parse_parameters(find("aws-user-personalization"), Place.FEATURIZATION, given)
    given = {"max_item_interaction_count_percentile": "0.005"}
    with pytest.raises(InvalidInput, match=r"min_item_interaction_count_percentile \(0.01, the default\)"):
        parse_parameters(find("aws-sims"), Place.FEATURIZATION, given)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_every_default_is_a_permitted_value(recipe: Recipe) -> None:
    assert set(defaults(recipe)) == {parameter.name for parameter in recipe.parameters}
