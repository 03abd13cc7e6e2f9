"""Rules of `solutionConfig` that the service model cannot say: one small function for each of its members."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from matinee.data.schemas import Schema
from matinee.errors import InvalidInput
from matinee.recipes.catalogue import Place, Recipe
from matinee.recipes.parameters import parse_parameters

Config = Mapping[str, Any]
Schemas = Mapping[str, Schema]

#: Columns that every training reads.
_NEVER_EXCLUDED = ("USER_ID", "ITEM_ID", "ACTION_ID", "TIMESTAMP", "EVENT_TYPE")
_COLUMN_TYPES = ("INTERACTIONS", "ITEMS", "USERS")
_SCHEDULE = re.compile(r"rate\((\d+) days?\)")


def check_solution_config(config: Config, recipe: Recipe, schemas: Schemas, *, event_type: str | None) -> None:
    """Check every member of a solution's configuration against its recipe and the group's schemas (by type).

    Raises `InvalidInput` that names the member, the value and what is allowed.
    """
    parse_parameters(recipe, Place.ALGORITHM, config.get("algorithmHyperParameters", {}))
    parse_parameters(recipe, Place.FEATURIZATION, config.get("featureTransformationParameters", {}))
    _check_threshold(config.get("eventValueThreshold"))
    check_events(config.get("eventsConfig", {}), recipe)
    if config.get("eventsConfig") and (event_type is not None or "eventValueThreshold" in config):
        raise InvalidInput("eventsConfig replaces eventType and eventValueThreshold. Give the one or the others.")
    _check_objective(config.get("optimizationObjective", {}), recipe, schemas.get("ITEMS"))
    check_columns(config.get("trainingDataConfig", {}), schemas)


def check_schedule(config: Config, *, automatic: bool) -> None:
    """`autoTrainingConfig`: every 1 to 30 days, and only while automatic training is on."""
    expression = config.get("schedulingExpression")
    if expression is None:
        return
    if not automatic:
        raise InvalidInput("autoTrainingConfig is given although performAutoTraining is false. Leave one of them out.")
    match = _SCHEDULE.fullmatch(expression)
    if match is None or not 1 <= int(match.group(1)) <= 30:
        raise InvalidInput(f"schedulingExpression {expression!r} is not valid: write rate(N days), N from 1 to 30.")


def check_events(config: Config, recipe: Recipe) -> None:
    """`eventsConfig`: for v2 recipes; each event type once, with a weight somewhere."""
    events: Sequence[Config] = config.get("eventParametersList", ())
    if config and not recipe.events_config:
        raise InvalidInput(f"eventsConfig cannot be given for {recipe.name}. Use eventType and eventValueThreshold.")
    if config and not events:
        raise InvalidInput("eventsConfig.eventParametersList is empty. Name at least one eventType.")
    names = [event.get("eventType") for event in events]
    if None in names:
        raise InvalidInput("An entry of eventParametersList has no eventType. Name one in each.")
    lowered = [str(name).lower() for name in names]
    for name in lowered:
        if lowered.count(name) > 1:
            raise InvalidInput(f"eventParametersList names the eventType {name!r} more than once. Case does not count.")
    weights = [event["weight"] for event in events if "weight" in event]
    if weights and len(weights) == len(events) and not any(weights):
        raise InvalidInput("Every weight of eventParametersList is 0. Give at least one event type a weight above 0.")


def check_columns(config: Config, schemas: Schemas) -> None:
    """`trainingDataConfig`: columns of the group's datasets, none of those that every training reads."""
    for member in ("excludedDatasetColumns", "includedDatasetColumns"):
        for named, columns in _each_once(member, config):
            if named.upper() not in _COLUMN_TYPES:
                raise InvalidInput(f"{member}: {named!r} is no dataset type. Use Interactions, Items or Users.")
            schema = schemas.get(named.upper())
            for column in columns:
                if schema is not None and schema.get(column) is None:
                    raise InvalidInput(f"{member}: the {named} dataset has no column {column!r}.")
                if member.startswith("excluded") and column.upper() in _NEVER_EXCLUDED:
                    raise InvalidInput(f"{member}: {column} of {named} cannot be excluded; training needs it.")
    excluded = {named.upper() for named in config.get("excludedDatasetColumns", {})}
    both = {named for named in config.get("includedDatasetColumns", {}) if named.upper() in excluded}
    if both:
        raise InvalidInput(f"trainingDataConfig both excludes and includes columns of {min(both)}. Do one of them.")


def _each_once(member: str, config: Config) -> list[tuple[str, Sequence[str]]]:
    """Dataset types with their columns; raises `InvalidInput` when one stands there in two spellings."""
    columns: Mapping[str, Sequence[str]] = config.get(member, {})
    names = [named.upper() for named in columns]
    for named in columns:
        if names.count(named.upper()) > 1:
            raise InvalidInput(f"{member} names {named} more than once. Case does not count.")
    return list(columns.items())


def _check_threshold(text: str | None) -> None:
    if text is not None and not _is_number(text):
        raise InvalidInput(f"eventValueThreshold {text!r} is not a number.")


def _check_objective(objective: Config, recipe: Recipe, items: Schema | None) -> None:
    """`optimizationObjective`: a numeric column of Items that is never null, for the recipes that have objectives."""
    if not objective:
        return
    if not recipe.objective:
        raise InvalidInput(f"optimizationObjective cannot be given for {recipe.name}.")
    name = objective.get("itemAttribute")
    if name is None:
        raise InvalidInput("optimizationObjective has no itemAttribute. Name a numeric column of the Items dataset.")
    if items is None:
        raise InvalidInput("optimizationObjective needs an Items dataset, and the dataset group has none.")
    field = items.get(name)
    if field is None or field.nullable or field.type not in ("int", "long", "float", "double"):
        raise InvalidInput(
            f"optimizationObjective.itemAttribute {name!r} must be a numeric column of the Items dataset that cannot "
            "be null."
        )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
