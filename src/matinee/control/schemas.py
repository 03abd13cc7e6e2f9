"""Schemas: immutable, usable at once, gone at once."""

from __future__ import annotations

from matinee.control import quotas, records, states
from matinee.control.kind import Answer, Kind, Request, given, members
from matinee.control.operation import Operation
from matinee.data.schemas import parse_schema
from matinee.errors import ResourceInUse

SCHEMA = Kind(
    word="schema",
    member="schema",
    plural="schemas",
    described=members("name schemaArn schema domain"),
    summarised=members("name schemaArn domain"),
)


def create_schema(operation: Operation, request: Request) -> Answer:
    """Check a schema by the rules of its domain and keep its text as it was submitted."""
    arn = operation.free_arn(f"schema/{request['name']}")
    parse_schema(request["schema"], request.get("domain"))
    operation.leave_room(quotas.SCHEMAS)
    operation.create(SCHEMA, arn, request["name"], given(request, "schema", "domain"), status=None, job=None)
    return {SCHEMA.arn_member: arn}


def describe_schema(operation: Operation, request: Request) -> Answer:
    """One schema, its text verbatim."""
    return operation.describe(SCHEMA, request)


def list_schemas(operation: Operation, request: Request) -> Answer:
    """The caller's schemas."""
    return operation.list(SCHEMA, request)


def delete_schema(operation: Operation, request: Request) -> Answer:
    """Remove a schema that no dataset uses."""
    schema = operation.find(SCHEMA, request["schemaArn"])
    for dataset in records.users(operation.connection, schema.arn, "dataset"):
        if dataset.status not in states.DELETING:
            raise ResourceInUse(
                f"{schema.arn} cannot be deleted: {dataset.arn} uses it. Delete that dataset first, then try again."
            )
    records.remove(operation.connection, [schema.arn])
    return {}


OPERATIONS = (create_schema, describe_schema, list_schemas, delete_schema)
