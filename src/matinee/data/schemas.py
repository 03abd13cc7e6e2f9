"""Avro schemas: parse the JSON that a caller submits, check it, and turn it into typed columns."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from matinee.data.schema_rules import DOMAINS, KEYS, RECORD_NAMES, RULES, VALUE_TYPES, DatasetRules, Reserved
from matinee.errors import InvalidInput

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_COLUMN_TYPES: dict[str, pl.DataType] = {
    "string": pl.String(),
    "int": pl.Int64(),
    "long": pl.Int64(),
    "float": pl.Float64(),
    "double": pl.Float64(),
    "boolean": pl.Boolean(),
}


@dataclass(frozen=True)
class Field:
    """One field of a schema. `type` is one of `VALUE_TYPES`; the rest are the attributes beside it."""

    name: str
    type: str
    nullable: bool = False
    categorical: bool = False
    textual: bool = False
    item_name: bool = False

    @property
    def is_metadata(self) -> bool:
        """Whether training can use it: a category, a text, or a number (2.2)."""
        return self.categorical or self.textual or self.type in {"int", "long", "float", "double"}


@dataclass(frozen=True)
class Schema:
    """A checked schema. `record` is the Avro record's name as written; fields keep their order."""

    record: str
    domain: str | None
    fields: tuple[Field, ...]

    @property
    def dataset_type(self) -> str:
        """INTERACTIONS, ITEMS, USERS, ACTIONS or ACTION_INTERACTIONS."""
        return RECORD_NAMES[self.record]

    @property
    def names(self) -> tuple[str, ...]:
        """The fields' names, in order."""
        return tuple(field.name for field in self.fields)

    @property
    def key(self) -> str | None:
        """The column that identifies a record of ITEMS, USERS or ACTIONS; None where rows are events."""
        return {"ITEMS": "ITEM_ID", "USERS": "USER_ID", "ACTIONS": "ACTION_ID"}.get(self.dataset_type)

    def get(self, name: str) -> Field | None:
        """The field called `name`, or None."""
        return next((field for field in self.fields if field.name == name), None)


def parse_schema(text: str, domain: str | None = None) -> Schema:
    """Parse and check `text`, the JSON of an Avro record, for a custom group (`domain` None) or a domain.

    Raises `InvalidInput` naming the field and the fix. Source of the rules: Personalize specification 2.1 to 2.4.
    """
    if domain is not None and domain not in DOMAINS:
        raise InvalidInput(f"Domain {domain!r} is unknown. Use one of {', '.join(DOMAINS)}, or none.")
    record = _record(text)
    name = record.get("name")
    if not isinstance(name, str) or name not in RECORD_NAMES:
        raise InvalidInput(
            f"The schema's record name is {name!r}. It must match the dataset type: {', '.join(RECORD_NAMES)}."
        )
    fields = record.get("fields")
    if not isinstance(fields, list) or not fields:
        raise InvalidInput('The schema has no fields. Add "fields": [{"name": …, "type": …}, …].')
    schema = Schema(record=name, domain=domain, fields=tuple(_field(entry, at) for at, entry in enumerate(fields)))
    rules = RULES[domain].get(schema.dataset_type)
    if rules is None:
        raise InvalidInput(f"A domain dataset group cannot hold {name} datasets. Create the schema without a domain.")
    _check_unique(schema)
    _check_attributes(schema)
    _check_reserved(schema, rules)
    _check_counts(schema, rules)
    return schema


def polars_schema(schema: Schema) -> dict[str, pl.DataType]:
    """Column types of the Parquet parts: String, Int64 for int and long, Float64 for float and double, Boolean."""
    return {field.name: _COLUMN_TYPES[field.type] for field in schema.fields}


def check_replacement(old: Schema, new: Schema) -> None:
    """Check that UpdateDataset may put `new` in the place of `old` (1.4); raises `InvalidInput` naming the field."""
    if old.dataset_type not in {"ITEMS", "USERS"}:
        raise InvalidInput(f"The schema of {old.dataset_type} datasets cannot be replaced: only Items and Users can.")
    if new.dataset_type != old.dataset_type:
        raise InvalidInput(f"The new schema is for {new.dataset_type}, the dataset holds {old.dataset_type}.")
    for field in old.fields:
        kept = new.get(field.name)
        if kept is None:
            raise InvalidInput(f"The new schema lacks field {field.name}. Keep every field of the schema in use.")
        if kept != field:
            raise InvalidInput(
                f"Field {field.name} differs from the schema in use. Keep its type, null and attributes as they are."
            )
    for field in new.fields:
        if old.get(field.name) is None and not field.nullable:
            raise InvalidInput(f'Added field {field.name} must be nullable. Use "type": ["null", "{field.type}"].')


def _record(text: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(
            f"The schema is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from None
    if not isinstance(record, dict) or record.get("type") != "record":
        raise InvalidInput('The schema must be an Avro record: {"type": "record", "name": …, "fields": […]}.')
    return record


def _field(entry: object, at: int) -> Field:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise InvalidInput(f'Field number {at + 1} of the schema has no name. Write {{"name": …, "type": …}}.')
    name = entry["name"]
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"Field name {name!r} is not allowed. Use letters, digits and underscores, not starting with a digit."
        )
    kind, nullable = _type(name, entry.get("type"))
    attributes = {key: entry.get(key, False) for key in ("categorical", "textual", "itemName")}
    for key, value in attributes.items():
        if not isinstance(value, bool):
            raise InvalidInput(f'Field {name}: "{key}" must be true or false, not {value!r}.')
    return Field(
        name=name,
        type=kind,
        nullable=nullable,
        categorical=attributes["categorical"],
        textual=attributes["textual"],
        item_name=attributes["itemName"],
    )


def _type(name: str, given: object) -> tuple[str, bool]:
    """The type and whether null is allowed: a name, `[name]`, or a union with null in either order."""
    members = given if isinstance(given, list) else [given]
    nullable = "null" in members
    kinds = [member for member in members if member != "null"]
    if len(kinds) == 1 and len(members) == 1 + nullable and kinds[0] in VALUE_TYPES:
        return str(kinds[0]), nullable
    raise InvalidInput(
        f"Field {name} has type {json.dumps(given)}. Use one of {', '.join(VALUE_TYPES)}, alone or in a list with "
        '"null"; schemas are flat, so no records, arrays, maps or enums.'
    )


def _check_unique(schema: Schema) -> None:
    seen: dict[str, str] = {}
    for field in schema.fields:
        # A CSV header is matched without case, so names that differ only in case collide too.
        bare = field.name.replace("_", "").upper()
        if bare in seen:
            raise InvalidInput(
                f"Fields {seen[bare]} and {field.name} are the same once underscores are removed. Rename one of them."
            )
        seen[bare] = field.name


def _check_attributes(schema: Schema) -> None:
    for field in schema.fields:
        given = [
            word
            for word, has in (
                ("categorical", field.categorical),
                ("textual", field.textual),
                ("itemName", field.item_name),
            )
            if has
        ]
        if given and field.type != "string":
            raise InvalidInput(f'Field {field.name} is {given[0]} but a {field.type}. Make it "type": "string".')
        if field.categorical and (field.textual or field.item_name):
            raise InvalidInput(f"Field {field.name} is both {' and '.join(given)}. Keep one.")
        if (field.textual or field.item_name) and schema.dataset_type != "ITEMS":
            raise InvalidInput(f"Field {field.name} is {given[0]}: only Items schemas have such fields. Remove it.")
    for word, names in (
        ("textual", [field.name for field in schema.fields if field.textual]),
        ("itemName", [field.name for field in schema.fields if field.item_name]),
    ):
        if len(names) > 1:
            raise InvalidInput(f"Fields {', '.join(names)} are all {word}. An Items schema may have one.")


def _check_reserved(schema: Schema, rules: DatasetRules) -> None:
    for entry in rules.required:
        found = _named(schema.fields, entry)
        if found is None:
            raise InvalidInput(
                f"The {schema.record} schema lacks the required field {entry.name}. Add it as {entry.wording}; "
                "names are in upper case."
            )
        if found.nullable and not entry.nullable:
            raise InvalidInput(f'Field {found.name} must not be null. Use "type": "{entry.types[0]}".')
        _check_kind(found, entry)
    for entry in rules.reserved:
        found = _named(schema.fields, entry)
        if found is not None:
            _check_kind(found, entry)


def _named(fields: Sequence[Field], entry: Reserved) -> Field | None:
    return next((field for field in fields if field.name in (entry.name, *entry.aliases)), None)


def _check_kind(field: Field, entry: Reserved) -> None:
    if field.type not in entry.types:
        raise InvalidInput(f"Field {field.name} is reserved and has type {field.type}. Make it {entry.wording}.")
    if entry.kind == "categorical" and not field.categorical:
        raise InvalidInput(f'Field {field.name} is reserved and must be categorical. Add "categorical": true.')
    if entry.kind == "plain" and field.categorical:
        raise InvalidInput(f'Field {field.name} is reserved and must not be categorical. Remove "categorical".')
    if entry.kind == "textual" and not field.textual:
        raise InvalidInput(f'Field {field.name} is reserved and must be textual. Add "textual": true.')
    if entry.kind == "plain" and (field.textual or field.item_name):
        raise InvalidInput(f"Field {field.name} is reserved and must be a plain string. Remove its attributes.")


def _check_counts(schema: Schema, rules: DatasetRules) -> None:
    known = {name for entry in (*rules.required, *rules.reserved) for name in (entry.name, *entry.aliases)}
    own = [field.name for field in schema.fields if field.name not in known]
    metadata = [field for field in schema.fields if field.name not in KEYS]
    if rules.needs_metadata and not any(field.is_metadata for field in metadata):
        raise InvalidInput(
            f"The {schema.record} schema has no metadata field. Add a categorical string"
            f"{', a textual string' if schema.dataset_type == 'ITEMS' else ''} or a number."
        )
    if rules.max_own is not None and len(own) > rules.max_own:
        raise InvalidInput(
            f"The {schema.record} schema has {len(own)} columns of its own ({', '.join(own)}); "
            f"at most {rules.max_own} are allowed. Remove {len(own) - rules.max_own}."
        )
    if rules.max_metadata is not None and len(metadata) > rules.max_metadata:
        raise InvalidInput(
            f"The {schema.record} schema has {len(metadata)} metadata columns; at most {rules.max_metadata} are "
            f"allowed. Remove {len(metadata) - rules.max_metadata}."
        )
