"""What `matinee evaluate` is asked to measure, by name: a recipe as a solution would train it, or a model alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from matinee.data.interactions import Interactions
from matinee.errors import DataProblem, InvalidInput, ResourceNotFound
from matinee.evaluation.comparison import Contender, newest_items
from matinee.models.base import ItemFeatures, Model
from matinee.models.registry import MODELS, model_class
from matinee.models.semantic import Semantic
from matinee.recipes.catalogue import RECIPES, find
from matinee.recipes.models import ModelPlan, plan_model
from matinee.recipes.recipe import Call, Method, Place, Recipe
from matinee.training.selection import within_history_lengths

#: Before a name in `--set`: the value is of the model's configuration, not a parameter of the recipe.
MODEL = "model."
_ANSWERS = (Call.RECOMMENDATIONS, Call.RANKING)


def contender(name: str, given: Mapping[str, str] | None = None, *, sentences: Path | None = None) -> Contender:
    """The recipe (name or ARN) or model called `name`, with the values of `--set`.

    For a recipe `given` holds its parameters, as strings of the wire; for a model, and for a recipe in names that
    begin with `model.`, fields of the model's configuration as JSON. `sentences` is the sentence model of the
    settings, which semantic similarity reads with where `given` names none. Raises `DataProblem` for an unknown name,
    a recipe that these protocols cannot measure and a value that cannot be used.
    """
    given = dict(given or {})
    if name in MODELS:
        config = _configuration(name, {key.removeprefix(MODEL): value for key, value in given.items()})
        return _made(name, ModelPlan(name, config), "model")
    recipe = _recipe(name)
    if recipe.method is Method.SEMANTICS and sentences is not None:
        given.setdefault(f"{MODEL}sentences", json.dumps(str(sentences)))
    changed = {key.removeprefix(MODEL): value for key, value in given.items() if key.startswith(MODEL)}
    try:
        plan = plan_model(recipe, _solution_config(recipe, given))
    except InvalidInput as problem:
        raise DataProblem(f"{problem.message}", fix="See the recipe's parameters.") from None
    config = _merged(plan.config, _configuration(plan.model, changed))
    _check(plan.model, config)
    return _made(recipe.name, ModelPlan(plan.model, config, plan.history_lengths, asked_with=plan.asked_with), "recipe")


def refuse_without_texts(contenders: Sequence[Contender], features: ItemFeatures | None) -> None:
    """Raise `DataProblem` when a contender reads nothing but texts and the data set has none."""
    if features is not None and any(features.texts):
        return
    for one in contenders:
        if one.about.get("model") == Semantic.name:
            raise DataProblem(
                f"{one.name} reads the texts of items, and this data set has none: it would list popular items.",
                fix="Give an items.csv and an items.schema.json with itemName and textual columns, or films.",
            )


def parse_sets(sets: list[str], names: list[str]) -> dict[str, dict[str, str]]:
    """`--set` values by recipe: `NAME=VALUE` is for all of `names`, `RECIPE:NAME=VALUE` for one of them."""
    found: dict[str, dict[str, str]] = {name: {} for name in names}
    for text in sets:
        key, equals, value = text.partition("=")
        recipe, colon, parameter = key.rpartition(":")
        if not equals or not parameter or (colon and recipe not in found):
            raise DataProblem(
                f"--set {text!r} cannot be used.",
                fix=f"Write NAME=VALUE, or RECIPE:NAME=VALUE with one of {', '.join(names)}.",
            )
        for name in [recipe] if colon else names:
            found[name][parameter] = value
    return found


def _recipe(name: str) -> Recipe:
    try:
        recipe = find(name)
    except ResourceNotFound:
        trainable = ", ".join(one.name for one in RECIPES if one.trainable and one.call in _ANSWERS)
        raise DataProblem(
            f"There is no recipe or model {name!r}.", fix=f"Use one of {', '.join(MODELS)}; or {trainable}."
        ) from None
    if recipe.call not in _ANSWERS:
        raise DataProblem(
            f"{recipe.name} answers {recipe.call}; these protocols measure lists of items for users.",
            fix="Its solution version has metrics of its own: see GetSolutionMetrics and its model card.",
        )
    return recipe


def _solution_config(recipe: Recipe, given: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Parameters in the members where the recipe has them; unknown ones where they are refused by name."""
    places = {parameter.name: parameter.place for parameter in recipe.parameters}
    config: dict[str, dict[str, str]] = {}
    for name, value in given.items():
        if not name.startswith(MODEL):
            config.setdefault(places.get(name, Place.ALGORITHM), {})[name] = value
    return config


def _configuration(model: str, given: Mapping[str, str]) -> dict[str, Any]:
    """Fields of the model's configuration from JSON; a bare word is a string."""
    known = [field.name for field in fields(model_class(model).Config)]
    config: dict[str, Any] = {}
    for name, text in given.items():
        if name not in known:
            fix = f"It has {', '.join(known)}." if known else "It has none."
            raise DataProblem(f"The configuration of {model} has no {name!r}.", fix=fix)
        try:
            config[name] = json.loads(text)
        except ValueError:
            config[name] = text
    _check(model, config)
    return config


def _check(model: str, config: Mapping[str, Any]) -> None:
    try:
        model_class(model)(dict(config))
    except (TypeError, ValueError) as error:
        raise DataProblem(f"The configuration of {model} cannot be used: {error}.", fix="Change --set.") from None


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes`; where both hold a mapping, that is merged."""
    merged = dict(base)
    for name, value in changes.items():
        old = merged.get(name)
        merged[name] = {**old, **value} if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def _made(name: str, plan: ModelPlan, kind: str) -> Contender:
    def make() -> Model:
        return model_class(plan.model)(dict(plan.config))

    def select(data: Interactions) -> Interactions:
        return within_history_lengths(data, *plan.history_lengths)

    about = {kind: name, "model": plan.model, "config": make().config_dict(), "asked_with": plan.asked_with}
    if plan.asked_with == "newest item":
        return Contender(name, make, newest_items, select, about)
    return Contender(name, make, select=select, about=about)
