"""The catalogue on the wire: recipes, algorithms, feature transformations. Owned by the service, always ACTIVE."""

from __future__ import annotations

from typing import Any

from matinee.control.kind import Answer, Request
from matinee.control.operation import Operation
from matinee.control.paging import paged
from matinee.recipes import catalogue
from matinee.recipes.catalogue import Recipe

#: Programs take the first page's nextToken for granted: without maxResults a page is this long.
DEFAULT_PAGE = 12


def describe_recipe(operation: Operation, request: Request) -> Answer:
    """One recipe, legacy ones included."""
    recipe = catalogue.find(request["recipeArn"])
    shown: dict[str, Any] = {
        "name": recipe.name,
        "recipeArn": recipe.arn,
        "algorithmArn": recipe.algorithm_arn,
        "featureTransformationArn": recipe.feature_transformation_arn,
        "status": recipe.status,
        "description": recipe.description,
        "recipeType": recipe.recipe_type,
        "creationDateTime": recipe.created,
        "lastUpdatedDateTime": recipe.updated,
    }
    return {"recipe": shown}


def list_recipes(operation: Operation, request: Request) -> Answer:
    """The catalogue by name. `domain` thins out each page after it was cut, as the service does."""
    recipes = list(enumerate(catalogue.listed(), start=1))
    domain = request.get("domain")
    page, following = paged(
        operation.listing("recipes", domain),
        request,
        lambda after, limit: recipes[after : after + limit],
        lambda numbered: numbered[0],
        default=DEFAULT_PAGE,
    )
    return {"recipes": [_summary(recipe) for _, recipe in page if domain in (None, recipe.domain)], **following}


def describe_algorithm(operation: Operation, request: Request) -> Answer:
    """One algorithm with its parameters and their ranges."""
    return {"algorithm": catalogue.find_algorithm(request["algorithmArn"]).describe()}


def describe_feature_transformation(operation: Operation, request: Request) -> Answer:
    """One feature transformation with its parameters."""
    found = catalogue.find_feature_transformation(request["featureTransformationArn"])
    return {"featureTransformation": found.describe()}


def _summary(recipe: Recipe) -> Answer:
    shown = {
        "name": recipe.name,
        "recipeArn": recipe.arn,
        "status": recipe.status,
        "creationDateTime": recipe.created,
        "lastUpdatedDateTime": recipe.updated,
    }
    return shown if recipe.domain is None else {**shown, "domain": recipe.domain}


OPERATIONS = (describe_recipe, list_recipes, describe_algorithm, describe_feature_transformation)
