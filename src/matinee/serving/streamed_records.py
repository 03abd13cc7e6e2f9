"""PutItems, PutUsers and PutActions: from a request to rows of the `records` table, checked against the schema."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from matinee.data.schemas import Field, Schema, parse_schema
from matinee.errors import ApiError, InvalidInput, ResourceInUse, ResourceNotFound
from matinee.serving.events import Row, number, properties_of, storable
from matinee.storage.metadata import resources

#: Longest category or plain string; longer texts are cut where they are read (spec 2.5).
LONGEST_STRING = 1000
LONGEST_TEXT = 20_000
_WHOLE = frozenset({"int", "long"})


@dataclass(frozen=True)
class RecordBatch:
    """The records of one call, whose properties are as the client named them. `elements` is (ID, properties)."""

    account: str
    region: str
    dataset_arn: str
    dataset_type: str
    elements: tuple[tuple[str, Mapping[str, Any]], ...]
    member: str
    received_at: int


def records_of(
    account: str, region: str, params: Mapping[str, Any], dataset_type: str, member: str, id_member: str
) -> RecordBatch:
    """What a Put call of `dataset_type` brings in `params[member]`. Raises `InvalidInput` naming the element."""
    return RecordBatch(
        account=account,
        region=region,
        dataset_arn=params["datasetArn"],
        dataset_type=dataset_type,
        elements=tuple(
            (
                storable(element[id_member], f"{member}[{at}].{id_member}"),
                properties_of(element, f"{member}[{at}]"),
            )
            for at, element in enumerate(params[member])
        ),
        member=member,
        received_at=time.time_ns() // 1_000_000,
    )


def record_rows(connection: sa.Connection, batch: RecordBatch) -> list[Row]:
    """Rows for `batch`, its properties named and typed as in the dataset's schema.

    Raises `ResourceNotFound` for an unknown dataset, `ResourceInUse` for one that is not ACTIVE and `InvalidInput` for
    properties that do not fit the schema.
    """
    dataset = connection.execute(
        sa.select(resources).where(resources.c.arn == batch.dataset_arn, resources.c.kind == "dataset")
    ).one_or_none()
    if dataset is None or (dataset.account, dataset.region) != (batch.account, batch.region):
        raise ResourceNotFound.of(batch.dataset_arn)
    if dataset.attributes["datasetType"] != batch.dataset_type:
        raise InvalidInput(f"{batch.dataset_arn} is not a dataset of type {batch.dataset_type}.")
    if dataset.status != "ACTIVE":
        raise ResourceInUse(f"{batch.dataset_arn} is {dataset.status}; wait until it is ACTIVE.")
    schema = schema_of(connection, dataset.attributes["schemaArn"])
    return [
        {
            "dataset_arn": batch.dataset_arn,
            "entity_id": entity,
            "properties": conform({**properties, str(schema.key): entity}, schema, f"{batch.member}[{at}].properties"),
            "received_at": batch.received_at,
        }
        for at, (entity, properties) in enumerate(batch.elements)
    ]


def schema_of(connection: sa.Connection, arn: str) -> Schema:
    """The schema that a dataset refers to, parsed."""
    attributes = connection.scalars(sa.select(resources.c.attributes).where(resources.c.arn == arn)).one()
    return _parsed(attributes["schema"], attributes.get("domain"))


@lru_cache(maxsize=512)
def _parsed(text: str, domain: str | None) -> Schema:
    """Schemas are immutable, so each text is parsed once."""
    return parse_schema(text, domain)


def camel_case(name: str) -> str:
    """`BRAND_NAME` as `brandName`, the form in which the APIs carry column names."""
    first, *rest = name.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def conform(properties: Mapping[str, Any], schema: Schema, place: str) -> dict[str, Any]:
    """`properties` under the schema's names and of its types; absent nullable fields are left out.

    A property may be spelt in camel case or as in the schema. Raises `InvalidInput` naming the property.
    """
    fields = {field.name.replace("_", "").lower(): field for field in schema.fields}
    record: dict[str, Any] = {}
    for name, value in properties.items():
        field = fields.get(name.replace("_", "").lower())
        if field is None:
            names = ", ".join(camel_case(known.name) for known in schema.fields if known.name != schema.key)
            raise InvalidInput(f"{place} has {name!r}, which the dataset's schema does not; it has {names}.")
        if value is not None:
            record[field.name] = _typed(value, field, f"{place}.{name}")
    for field in schema.fields:
        if field.name not in record and not field.nullable:
            raise InvalidInput(f"{place} lacks {camel_case(field.name)}, which the dataset's schema requires.")
    return record


def _typed(value: Any, field: Field, place: str) -> Any:
    """One value as its field's type."""
    try:
        if field.type == "string":
            return _string(value, field, place)
        if field.type == "boolean":
            return _boolean(value, place)
        result = number(value, place)
        if field.type in _WHOLE and not result.is_integer():
            raise InvalidInput(f"{place} must be a whole number, not {value!r}.")
        return int(value) if field.type in _WHOLE else result
    except ApiError:
        raise
    except ValueError:
        # A whole number written as "5.0": the exact value is not needed to be past 2^53 then.
        return int(float(value))


def _string(value: Any, field: Field, place: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{place} must be a string, not {value!r}.")
    longest = LONGEST_TEXT if field.textual else LONGEST_STRING
    if len(value) > longest:
        if field.textual:
            return value[:longest]
        raise InvalidInput(f"Length cannot be more than {longest} characters for {field.name}.")
    return value


def _boolean(value: Any, place: str) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise InvalidInput(f"{place} must be true or false, not {value!r}.")
