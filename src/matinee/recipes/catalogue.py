"""The catalogue: every recipe by name or ARN, and the algorithms and feature transformations behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from matinee.errors import ResourceNotFound
from matinee.recipes.custom import CUSTOM_RECIPES, LEGACY_RECIPES
from matinee.recipes.domains import DOMAIN_RECIPES
from matinee.recipes.recipe import Call, Kind, Method, Parameter, Place, Recipe, Scores

__all__ = [
    "ALGORITHMS",
    "FEATURE_TRANSFORMATIONS",
    "RECIPES",
    "Algorithm",
    "Call",
    "FeatureTransformation",
    "Kind",
    "Method",
    "Parameter",
    "Place",
    "Recipe",
    "Scores",
    "find",
    "find_algorithm",
    "find_feature_transformation",
    "listed",
]

_PREFIX = "arn:aws:personalize:::recipe/"

#: Every recipe, sorted by name; the HRNN names among them are not `listed`.
RECIPES: tuple[Recipe, ...] = tuple(
    sorted((*CUSTOM_RECIPES, *DOMAIN_RECIPES, *LEGACY_RECIPES), key=lambda recipe: recipe.name)
)
_BY_NAME: Mapping[str, Recipe] = {recipe.name: recipe for recipe in RECIPES}


@dataclass(frozen=True)
class Algorithm:
    """An algorithm as DescribeAlgorithm shows it: the parameters of the recipes that run it, with their ranges."""

    name: str
    arn: str
    parameters: tuple[Parameter, ...]
    created: int

    def describe(self) -> dict[str, Any]:
        """The members of `Algorithm` on the wire; times in epoch milliseconds."""
        return {
            "name": self.name,
            "algorithmArn": self.arn,
            "algorithmImage": {"name": self.name, "dockerURI": f"matinee/{self.name}"},
            "defaultHyperParameters": _defaults(self.parameters),
            "defaultHyperParameterRanges": {
                "integerHyperParameterRanges": _ranges(self.parameters, Kind.INTEGER, int),
                "continuousHyperParameterRanges": _ranges(self.parameters, Kind.FLOAT, float),
                "categoricalHyperParameterRanges": [
                    {
                        "name": parameter.name,
                        "values": list(parameter.choices or ("True", "False")),
                        "isTunable": parameter.tunable,
                    }
                    for parameter in self.parameters
                    if parameter.kind in (Kind.BOOLEAN, Kind.CATEGORICAL)
                ],
            },
            "defaultResourceConfig": {},
            "trainingInputMode": "File",
            "creationDateTime": self.created,
            "lastUpdatedDateTime": self.created,
        }


@dataclass(frozen=True)
class FeatureTransformation:
    """A feature transformation as DescribeFeatureTransformation shows it."""

    name: str
    arn: str
    parameters: tuple[Parameter, ...]
    created: int

    def describe(self) -> dict[str, Any]:
        """The members of `FeatureTransformation` on the wire; times in epoch milliseconds."""
        return {
            "name": self.name,
            "featureTransformationArn": self.arn,
            "defaultParameters": _defaults(self.parameters),
            "creationDateTime": self.created,
            "lastUpdatedDateTime": self.created,
            "status": "ACTIVE",
        }


def _defaults(parameters: Iterable[Parameter]) -> dict[str, str]:
    return {parameter.name: parameter.default for parameter in parameters}


def _ranges(parameters: Iterable[Parameter], kind: Kind, number: type[int] | type[float]) -> list[dict[str, Any]]:
    """The numeric parameters of one kind that are bounded on both sides, with their bounds."""
    return [
        {"name": p.name, "minValue": number(p.low), "maxValue": number(p.high), "isTunable": p.tunable}
        for p in parameters
        if p.kind is kind and p.low is not None and p.high is not None
    ]


def _merged(parameters: Iterable[Parameter]) -> tuple[Parameter, ...]:
    """Parameters of several recipes under one name each, the first recipe's default kept."""
    merged: dict[str, Parameter] = {}
    for parameter in parameters:
        merged.setdefault(parameter.name, parameter)
    return tuple(merged.values())


def _algorithms() -> dict[str, Algorithm]:
    found: dict[str, list[Recipe]] = {}
    for recipe in RECIPES:
        found.setdefault(recipe.algorithm_arn, []).append(recipe)
    return {
        arn: Algorithm(
            name=arn.rpartition("/")[2],
            arn=arn,
            parameters=_merged(parameter for recipe in recipes for parameter in recipe.hyperparameters),
            created=min(recipe.created for recipe in recipes),
        )
        for arn, recipes in found.items()
    }


def _feature_transformations() -> dict[str, FeatureTransformation]:
    found: dict[str, list[Recipe]] = {}
    for recipe in RECIPES:
        found.setdefault(recipe.feature_transformation_arn, []).append(recipe)
    return {
        arn: FeatureTransformation(
            name=arn.rpartition("/")[2],
            arn=arn,
            parameters=_merged(parameter for recipe in recipes for parameter in recipe.featurization),
            created=min(recipe.created for recipe in recipes),
        )
        for arn, recipes in found.items()
    }


#: By ARN.
ALGORITHMS: Mapping[str, Algorithm] = _algorithms()
FEATURE_TRANSFORMATIONS: Mapping[str, FeatureTransformation] = _feature_transformations()


def find(arn_or_name: str) -> Recipe:
    """The recipe of an ARN or a bare name, legacy ones included.

    Raises `ResourceNotFound` with the ARN for anything else.
    """
    name = arn_or_name.removeprefix(_PREFIX)
    if name not in _BY_NAME:
        raise ResourceNotFound.of(arn_or_name)
    return _BY_NAME[name]


def listed(domain: str | None = None) -> tuple[Recipe, ...]:
    """What ListRecipes shows, sorted by name: all recipes, or the use cases of one domain."""
    return tuple(recipe for recipe in RECIPES if recipe.listed and (domain is None or recipe.domain == domain))


def find_algorithm(arn: str) -> Algorithm:
    """The algorithm with this ARN; raises `ResourceNotFound`."""
    if arn not in ALGORITHMS:
        raise ResourceNotFound.of(arn)
    return ALGORITHMS[arn]


def find_feature_transformation(arn: str) -> FeatureTransformation:
    """The feature transformation with this ARN; raises `ResourceNotFound`."""
    if arn not in FEATURE_TRANSFORMATIONS:
        raise ResourceNotFound.of(arn)
    return FEATURE_TRANSFORMATIONS[arn]
