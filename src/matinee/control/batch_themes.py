"""Themes of batch inference: which jobs may ask for them, and what they must name. Spec 10.2."""

from __future__ import annotations

from matinee.control.datasets import schemas_of_group
from matinee.control.kind import Request
from matinee.control.operation import Operation
from matinee.data.schemas import Schema
from matinee.errors import InvalidInput
from matinee.recipes.catalogue import Recipe

#: Values of batchInferenceJobMode.
PLAIN, THEMED = "BATCH_INFERENCE", "THEME_GENERATION"


def check_mode(operation: Operation, request: Request, recipe: Recipe, group_arn: str) -> None:
    """`batchInferenceJobMode` and `themeGenerationConfig`; raises `InvalidInput`.

    THEME_GENERATION is for aws-similar-items, needs the column of the items' names, and a textual column.
    """
    if request.get("batchInferenceJobMode", PLAIN) == PLAIN:
        if "themeGenerationConfig" in request:
            raise InvalidInput(f"themeGenerationConfig is for batchInferenceJobMode {THEMED} only. Leave it out.")
        return
    if not recipe.themes:
        raise InvalidInput(f"{recipe.name} makes no themes: {THEMED} is for aws-similar-items only. Use {PLAIN}.")
    if "themeGenerationConfig" not in request:
        raise InvalidInput(f"{THEMED} needs themeGenerationConfig.fieldsForThemeGeneration.itemName.")
    name = request["themeGenerationConfig"]["fieldsForThemeGeneration"]["itemName"]
    schema = schemas_of_group(operation, group_arn).get("ITEMS")
    if schema is None:
        raise InvalidInput(f"{THEMED} needs an Items dataset, whose column {name} has the items' names.")
    name_column(schema, name)
    if not any(field.textual for field in schema.fields):
        raise InvalidInput(
            f'{THEMED} needs a textual column. Add "textual": true to a string field of the Items schema.'
        )


def name_column(schema: Schema, name: str) -> str:
    """The text column of Items that holds the names, spelt as in the schema; raises `InvalidInput`."""
    field = schema.get(name) or schema.get(name.upper())
    if field is None or field.type != "string":
        texts = ", ".join(field.name for field in schema.fields if field.type == "string")
        raise InvalidInput(f"itemName is {name}, which is no text column of the Items dataset; it has {texts}.")
    return field.name
