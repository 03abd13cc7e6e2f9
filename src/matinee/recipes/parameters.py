"""String parameters of the wire turned into typed values; a bad one is refused by name with what is allowed."""

from __future__ import annotations

import math
from collections.abc import Mapping

from matinee.errors import InvalidInput
from matinee.recipes.recipe import Kind, Parameter, Place, Recipe

Value = int | float | bool | str


def parse_parameters(recipe: Recipe, place: Place, given: Mapping[str, str]) -> dict[str, Value]:
    """The typed values of the parameters that were given in `place`, for example `algorithmHyperParameters`.

    Only what was given comes back; defaults are the table's. Raises `InvalidInput` that names the parameter, the
    recipe and what is allowed.
    """
    known = {parameter.name: parameter for parameter in recipe.parameters_in(place)}
    values: dict[str, Value] = {}
    for name, text in given.items():
        if name not in known:
            raise InvalidInput(_unknown(recipe, place, name))
        parameter = known[name]
        if parameter.hpo_only:
            raise InvalidInput(
                f"{place}: {name} of {recipe.name} can be given only as a range in "
                f"hpoConfig.algorithmHyperParameterRanges, not as a value."
            )
        values[name] = parse_value(recipe, parameter, str(text))
    _check_percentiles(recipe, place, values)
    return values


def parse_value(recipe: Recipe, parameter: Parameter, text: str) -> Value:
    """One value from its wire form; raises `InvalidInput` when it is of the wrong type or out of range."""
    value = _converted(parameter, text.strip())
    if value is None or not _within(parameter, value):
        raise InvalidInput(
            f"{parameter.place}: the value {text!r} of {parameter.name} is not valid for {recipe.name}; "
            f"it must be {parameter.allowed}."
        )
    return value


def defaults(recipe: Recipe) -> dict[str, Value]:
    """The typed default of every parameter of a recipe, in the table's order."""
    return {parameter.name: parse_value(recipe, parameter, parameter.default) for parameter in recipe.parameters}


def _converted(parameter: Parameter, text: str) -> Value | None:
    """`text` as the parameter's type, or None when it is not of that type."""
    try:
        match parameter.kind:
            case Kind.INTEGER:
                return int(text)
            case Kind.FLOAT:
                number = float(text)
                return number if math.isfinite(number) else None
            case Kind.BOOLEAN:
                return {"true": True, "false": False}.get(text.lower())
            case Kind.CATEGORICAL:
                return text
    except ValueError:
        return None


def _within(parameter: Parameter, value: Value) -> bool:
    """Whether a value of the right type lies in the parameter's range."""
    if parameter.kind is Kind.CATEGORICAL:
        return value in parameter.choices
    if parameter.kind is Kind.BOOLEAN or isinstance(value, str):
        return True
    above = parameter.low is None or (value > parameter.low if parameter.open_low else value >= parameter.low)
    return above and (parameter.high is None or value <= parameter.high)


def _check_percentiles(recipe: Recipe, place: Place, given: Mapping[str, Value]) -> None:
    """A minimum percentile above its maximum, given or by default, would keep no one."""
    names = {parameter.name for parameter in recipe.parameters_in(place)}
    values = {name: value for name, value in defaults(recipe).items() if name in names} | dict(given)
    for name, low in values.items():
        other = name.replace("min_", "max_", 1)
        if not name.endswith("_percentile") or other == name or other not in values:
            continue
        if float(low) > float(values[other]):
            raise InvalidInput(
                f"{place}: {_stated(name, values, given)} of {recipe.name} is above {_stated(other, values, given)}; "
                "no history would be left to train on."
            )


def _stated(name: str, values: Mapping[str, Value], given: Mapping[str, Value]) -> str:
    """A parameter with its value, and whether nobody gave it."""
    return f"{name} ({values[name]}{'' if name in given else ', the default'})"


def _unknown(recipe: Recipe, place: Place, name: str) -> str:
    """The refusal of a parameter that the recipe does not have in this place."""
    elsewhere = next((p.place for p in recipe.parameters if p.name == name), None)
    if elsewhere is not None:
        return f"{place}: {name} of {recipe.name} belongs in {elsewhere}."
    allowed = [f"{p.name} ({p.allowed})" for p in recipe.parameters_in(place) if not p.hpo_only]
    takes = "takes " + "; ".join(allowed) if allowed else "takes none"
    return f"{place}: {recipe.name} has no parameter {name!r}; it {takes}."
