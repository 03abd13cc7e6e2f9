"""The catalogue: pages of twelve, domains, what Describe shows."""

from __future__ import annotations

import pytest
from tests.unit.control.tenant import RECIPES, Tenant

from matinee.errors import InvalidNextToken, ResourceNotFound
from matinee.recipes.catalogue import RECIPES as CATALOGUE


def test_the_first_page_holds_twelve_and_there_is_another(tenant: Tenant) -> None:
    first = tenant.list_recipes()
    rest = tenant.list_recipes(nextToken=first["nextToken"])
    assert len(first["recipes"]) == 12
    assert "nextToken" not in rest
    names = [recipe["name"] for recipe in first["recipes"] + rest["recipes"]]
    assert names == sorted(names)
    assert not any("hrnn" in name for name in names)


def test_the_domain_thins_out_pages_after_they_were_cut(tenant: Tenant) -> None:
    first = tenant.list_recipes(domain="VIDEO_ON_DEMAND")
    rest = tenant.list_recipes(domain="VIDEO_ON_DEMAND", nextToken=first["nextToken"])
    found = first["recipes"] + rest["recipes"]
    assert len(found) == 5
    assert {recipe["domain"] for recipe in found} == {"VIDEO_ON_DEMAND"}


def test_custom_recipes_have_no_domain(tenant: Tenant) -> None:
    listed = tenant.list_recipes(maxResults=100)["recipes"]
    custom = [recipe for recipe in listed if "domain" not in recipe]
    assert len(custom) == len(listed) - 10
    assert all(recipe["status"] == "ACTIVE" for recipe in listed)


def test_a_token_of_another_domain_is_not_taken(tenant: Tenant) -> None:
    token = tenant.list_recipes()["nextToken"]
    with pytest.raises(InvalidNextToken):
        tenant.list_recipes(domain="ECOMMERCE", nextToken=token)


@pytest.mark.parametrize("name", [recipe.name for recipe in CATALOGUE])
def test_every_recipe_can_be_described_with_what_is_behind_it(tenant: Tenant, name: str) -> None:
    recipe = tenant.describe_recipe(recipeArn=f"{RECIPES}{name}")["recipe"]
    assert (recipe["name"], recipe["status"]) == (name, "ACTIVE")
    algorithm = tenant.describe_algorithm(algorithmArn=recipe["algorithmArn"])["algorithm"]
    assert algorithm["algorithmArn"] == recipe["algorithmArn"]
    arn = recipe["featureTransformationArn"]
    transformation = tenant.describe_feature_transformation(featureTransformationArn=arn)["featureTransformation"]
    assert transformation["featureTransformationArn"] == arn


@pytest.mark.parametrize(
    ("operation", "member"),
    [
        ("describe_recipe", "recipeArn"),
        ("describe_algorithm", "algorithmArn"),
        ("describe_feature_transformation", "featureTransformationArn"),
    ],
)
def test_unknown_names_do_not_exist(tenant: Tenant, operation: str, member: str) -> None:
    with pytest.raises(ResourceNotFound, match="aws-nothing does not exist"):
        tenant.call(operation, **{member: f"{RECIPES}aws-nothing"})


def test_a_recipe_says_what_it_is_for(tenant: Tenant) -> None:
    recipe = tenant.describe_recipe(recipeArn=f"{RECIPES}aws-sims")["recipe"]
    assert recipe["recipeType"] == "RELATED_ITEMS"
    assert len(recipe["description"]) > 20


def test_an_algorithm_tells_its_parameters_with_defaults_and_ranges(tenant: Tenant) -> None:
    recipe = tenant.describe_recipe(recipeArn=f"{RECIPES}aws-user-personalization")["recipe"]
    algorithm = tenant.describe_algorithm(algorithmArn=recipe["algorithmArn"])["algorithm"]
    assert algorithm["defaultHyperParameters"] == {"hidden_dimension": "149", "bptt": "32", "recency_mask": "True"}
    ranges = algorithm["defaultHyperParameterRanges"]
    assert {"name": "bptt", "minValue": 2, "maxValue": 32, "isTunable": True} in ranges["integerHyperParameterRanges"]
    (mask,) = ranges["categoricalHyperParameterRanges"]
    assert (mask["name"], [value.lower() for value in mask["values"]], mask["isTunable"]) == (
        "recency_mask",
        ["true", "false"],
        True,
    )


def test_a_range_of_numbers_tells_whether_it_can_be_tuned(tenant: Tenant) -> None:
    recipe = tenant.describe_recipe(recipeArn=f"{RECIPES}aws-sims")["recipe"]
    algorithm = tenant.describe_algorithm(algorithmArn=recipe["algorithmArn"])["algorithm"]
    ranges = algorithm["defaultHyperParameterRanges"]["continuousHyperParameterRanges"]
    discount = next(one for one in ranges if one["name"] == "popularity_discount_factor")
    assert (discount["minValue"], discount["maxValue"], discount["isTunable"]) == (0, 1, True)


def test_a_feature_transformation_tells_its_parameters(tenant: Tenant) -> None:
    recipe = tenant.describe_recipe(recipeArn=f"{RECIPES}aws-user-personalization")["recipe"]
    arn = recipe["featureTransformationArn"]
    found = tenant.describe_feature_transformation(featureTransformationArn=arn)["featureTransformation"]
    defaults = found["defaultParameters"]
    assert float(defaults["max_user_history_length_percentile"]) == 0.99
