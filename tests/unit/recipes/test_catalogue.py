"""The catalogue against the facts of the specification, sections 1.16 and 4.1 to 4.5."""

from __future__ import annotations

from collections.abc import Callable

import botocore.session
import pytest
from botocore.validate import ParamValidator

from matinee.errors import ResourceNotFound
from matinee.recipes.catalogue import (
    ALGORITHMS,
    FEATURE_TRANSFORMATIONS,
    RECIPES,
    Call,
    Recipe,
    Scores,
    find,
    find_algorithm,
    find_feature_transformation,
    listed,
)

# name: (recipeType, call, required request members, scores, required datasets)
CUSTOM = {
    "aws-user-personalization-v2": (
        "USER_PERSONALIZATION", Call.RECOMMENDATIONS, ("userId",), Scores.SOFTMAX_CANDIDATES, ("INTERACTIONS",)
    ),
    "aws-user-personalization": (
        "USER_PERSONALIZATION", Call.RECOMMENDATIONS, ("userId",), Scores.SOFTMAX_CATALOGUE, ("INTERACTIONS",)
    ),
    "aws-personalized-ranking-v2": (
        "PERSONALIZED_RANKING", Call.RANKING, ("userId", "inputList"), Scores.SOFTMAX_INPUTS, ("INTERACTIONS",)
    ),
    "aws-personalized-ranking": (
        "PERSONALIZED_RANKING", Call.RANKING, ("userId", "inputList"), Scores.SOFTMAX_INPUTS, ("INTERACTIONS",)
    ),
    "aws-popularity-count": ("POPULAR_ITEMS", Call.RECOMMENDATIONS, (), Scores.NONE, ("INTERACTIONS",)),
    "aws-trending-now": ("POPULAR_ITEMS", Call.RECOMMENDATIONS, (), Scores.NONE, ("INTERACTIONS",)),
    "aws-similar-items": ("RELATED_ITEMS", Call.RECOMMENDATIONS, ("itemId",), Scores.NONE, ("INTERACTIONS",)),
    "aws-sims": ("RELATED_ITEMS", Call.RECOMMENDATIONS, ("itemId",), Scores.NONE, ("INTERACTIONS",)),
    "aws-semantic-similarity": ("RELATED_ITEMS", Call.RECOMMENDATIONS, ("itemId",), Scores.NONE, ("ITEMS",)),
    "aws-next-best-action": (
        "PERSONALIZED_ACTIONS", Call.ACTIONS, ("userId",), Scores.PROBABILITY, ("ACTIONS", "INTERACTIONS")
    ),
    "aws-item-affinity": ("USER_SEGMENTATION", Call.SEGMENT, ("itemId",), Scores.NONE, ("INTERACTIONS",)),
    "aws-item-attribute-affinity": ("USER_SEGMENTATION", Call.SEGMENT, (), Scores.NONE, ("INTERACTIONS", "ITEMS")),
}  # fmt: skip

# name: (domain, required request members, event type, automatic filter)
DOMAIN = {
    "aws-vod-because-you-watched-x": ("VIDEO_ON_DEMAND", ("userId", "itemId"), "Watch", "Watch"),
    "aws-vod-more-like-x": ("VIDEO_ON_DEMAND", ("userId", "itemId"), None, "Watch"),
    "aws-vod-most-popular": ("VIDEO_ON_DEMAND", ("userId",), "Watch", None),
    "aws-vod-trending-now": ("VIDEO_ON_DEMAND", (), None, None),
    "aws-vod-top-picks": ("VIDEO_ON_DEMAND", ("userId",), None, "Watch"),
    "aws-ecomm-popular-items-by-views": ("ECOMMERCE", ("userId",), "View", None),
    "aws-ecomm-popular-items-by-purchases": ("ECOMMERCE", ("userId",), "Purchase", None),
    "aws-ecomm-frequently-bought-together": ("ECOMMERCE", ("itemId",), "Purchase", None),
    "aws-ecomm-customers-who-viewed-x-also-viewed": ("ECOMMERCE", ("userId", "itemId"), "View", "Purchase"),
    "aws-ecomm-recommended-for-you": ("ECOMMERCE", ("userId",), None, "Purchase"),
}

LEGACY = {
    "aws-hrnn": "JSON-percentile-filtering",
    "aws-hrnn-metadata": "featurize_metadata",
    "aws-hrnn-coldstart": "featurize_coldstart",
}

TRANSFORMATIONS = {
    "aws-user-personalization": "JSON-percentile-filtering",
    "aws-personalized-ranking": "JSON-percentile-filtering",
    "aws-popularity-count": "sims",
    "aws-sims": "sims",
    "aws-semantic-similarity": "aws-semantic-similarity",
    "aws-item-affinity": "item-affinity",
    "aws-item-attribute-affinity": "item-attribute-affinity",
    **LEGACY,
}


def test_it_holds_the_recipes_of_the_specification_and_no_others() -> None:
    assert {recipe.name for recipe in RECIPES} == {*CUSTOM, *DOMAIN, *LEGACY}


def test_it_is_sorted_by_name() -> None:
    names = [recipe.name for recipe in RECIPES]
    assert names == sorted(names)


@pytest.mark.parametrize("name", [*CUSTOM, *DOMAIN, *LEGACY])
def test_arns_have_no_region_and_no_account(name: str) -> None:
    recipe = find(name)
    assert recipe.arn == f"arn:aws:personalize:::recipe/{name}"
    assert recipe.algorithm_arn.startswith("arn:aws:personalize:::algorithm/")
    assert recipe.feature_transformation_arn.startswith("arn:aws:personalize:::feature-transformation/")


@pytest.mark.parametrize("name", CUSTOM)
def test_a_custom_recipe_is_as_specified(name: str) -> None:
    recipe = find(name)
    facts = (recipe.recipe_type, recipe.call, recipe.requires, recipe.scores, recipe.datasets)
    assert facts == CUSTOM[name]
    assert recipe.domain is None


@pytest.mark.parametrize("name", DOMAIN)
def test_a_use_case_is_as_specified(name: str) -> None:
    recipe = find(name)
    assert (recipe.domain, recipe.requires, recipe.event_type, recipe.auto_filter) == DOMAIN[name]
    assert recipe.scores is Scores.NONE


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_a_known_feature_transformation_has_the_services_name(name: str) -> None:
    assert find(name).feature_transformation_arn.endswith(f"/{TRANSFORMATIONS[name]}")


def test_trending_now_runs_its_own_algorithm() -> None:
    assert find("aws-trending-now").algorithm_arn == "arn:aws:personalize:::algorithm/aws-trending-now-custom"


def test_a_recipe_is_found_by_arn() -> None:
    assert find("arn:aws:personalize:::recipe/aws-sims").name == "aws-sims"


def test_an_unknown_recipe_is_not_found() -> None:
    with pytest.raises(ResourceNotFound, match="recipe/aws-nothing does not exist"):
        find("arn:aws:personalize:::recipe/aws-nothing")


def test_legacy_recipes_are_known_but_not_listed() -> None:
    assert not {recipe.name for recipe in listed()} & set(LEGACY)
    assert {recipe.name for recipe in listed()} == {*CUSTOM, *DOMAIN}


@pytest.mark.parametrize("domain", ["VIDEO_ON_DEMAND", "ECOMMERCE"])
def test_a_domain_lists_its_five_use_cases(domain: str) -> None:
    assert {recipe.name for recipe in listed(domain)} == {name for name, facts in DOMAIN.items() if facts[0] == domain}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_says_why_exactly_when_it_cannot_be_trained(recipe: Recipe) -> None:
    assert recipe.trainable != bool(recipe.why)


@pytest.mark.parametrize(
    "name", ["aws-popularity-count", "aws-sims", "aws-user-personalization-v2", "aws-user-personalization"]
)
def test_the_recipes_of_the_main_path_can_be_trained(name: str) -> None:
    assert find(name).trainable


def test_segment_recipes_cannot_be_deployed() -> None:
    assert {recipe.name for recipe in RECIPES if not recipe.deployable} == {
        "aws-item-affinity",
        "aws-item-attribute-affinity",
    }


def _valid(shape: str, members: dict[str, object]) -> bool:
    """Whether `members` have the shape of botocore's model, dates aside."""
    model = botocore.session.get_session().get_service_model("personalize").shape_for(shape)
    without_dates = {name: value for name, value in members.items() if not name.endswith("DateTime")}
    report = ParamValidator().validate(without_dates, model)
    return not report.has_errors()


@pytest.mark.parametrize("arn", ALGORITHMS)
def test_an_algorithm_describes_itself_in_the_wires_shape(arn: str) -> None:
    assert _valid("Algorithm", find_algorithm(arn).describe())


@pytest.mark.parametrize("arn", FEATURE_TRANSFORMATIONS)
def test_a_feature_transformation_describes_itself_in_the_wires_shape(arn: str) -> None:
    assert _valid("FeatureTransformation", find_feature_transformation(arn).describe())


def test_every_recipe_has_its_algorithm_and_transformation() -> None:
    assert {recipe.algorithm_arn for recipe in RECIPES} == set(ALGORITHMS)
    assert {recipe.feature_transformation_arn for recipe in RECIPES} == set(FEATURE_TRANSFORMATIONS)


def test_sims_shows_its_ranges() -> None:
    described = find_algorithm("arn:aws:personalize:::algorithm/aws-sims").describe()
    assert described["defaultHyperParameters"] == {"popularity_discount_factor": "0.5", "min_cointeraction_count": "3"}
    ranges = described["defaultHyperParameterRanges"]
    assert ranges["integerHyperParameterRanges"] == [
        {"name": "min_cointeraction_count", "minValue": 0, "maxValue": 10, "isTunable": True}
    ]
    assert ranges["continuousHyperParameterRanges"] == [
        {"name": "popularity_discount_factor", "minValue": 0.0, "maxValue": 1.0, "isTunable": True}
    ]


def test_the_transformation_that_sims_shares_shows_the_percentiles() -> None:
    described = find_feature_transformation("arn:aws:personalize:::feature-transformation/sims").describe()
    assert described["defaultParameters"]["max_item_interaction_count_percentile"] == "0.9"


@pytest.mark.parametrize("find_one", [find_algorithm, find_feature_transformation])
def test_an_unknown_arn_is_not_found(find_one: Callable[[str], object]) -> None:
    with pytest.raises(ResourceNotFound):
        find_one("arn:aws:personalize:::nothing/here")
