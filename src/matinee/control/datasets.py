"""Datasets: one of each type in a group, and the replacement of their schemas."""

from __future__ import annotations

import uuid

from matinee.control import places, records, states, updates
from matinee.control.dataset_groups import DATASET_GROUP
from matinee.control.kind import Answer, Blocker, Kind, Request, given, members
from matinee.control.operation import Operation
from matinee.control.outbox import JobKind
from matinee.control.records import Resource
from matinee.control.schemas import SCHEMA
from matinee.data.schemas import Schema, check_replacement, parse_schema
from matinee.errors import InvalidInput, ResourceInUse

TYPES = ("INTERACTIONS", "ITEMS", "USERS", "ACTIONS", "ACTION_INTERACTIONS")
CUSTOM_ONLY = ("ACTIONS", "ACTION_INTERACTIONS")
#: What an event tracker makes for the events that stream in; cannot be asked for.
EVENT_INTERACTIONS = "EVENT_INTERACTIONS"

DATASET = Kind(
    word="dataset",
    member="dataset",
    plural="datasets",
    described=members(
        "name datasetArn datasetGroupArn datasetType schemaArn status latestDatasetUpdate trackingId",
    ),
    summarised=members("name datasetArn datasetType status"),
    within="datasetGroupArn",
    blockers=(
        Blocker("dataset-import-job", busy=True),
        Blocker("dataset-export-job", busy=True),
        Blocker("solution-version", busy=True, through="datasetGroupArn"),
        Blocker("recommender", busy=True, through="datasetGroupArn"),
        Blocker("data-deletion-job", busy=True, through="datasetGroupArn"),
    ),
)


def create_dataset(operation: Operation, request: Request) -> Answer:
    """Add a dataset of a type that its group does not have yet."""
    group = operation.find(DATASET_GROUP, request["datasetGroupArn"])
    dataset_type = _type(request["datasetType"])
    arn = operation.free_arn(f"dataset/{group.name}/{dataset_type}")
    operation.find_usable(DATASET_GROUP, group.arn)
    schema = operation.find(SCHEMA, request["schemaArn"])
    _check_fit(group, schema, dataset_type)
    tracking = {"trackingId": str(uuid.uuid4())} if dataset_type == "ACTION_INTERACTIONS" else {}
    operation.create(
        DATASET,
        arn,
        request["name"],
        {**given(request, "datasetGroupArn", "schemaArn"), "datasetType": dataset_type, **tracking},
        parent=group.arn,
        uses=given(request, "datasetGroupArn", "schemaArn"),
        tags=request.get("tags", ()),
    )
    return {DATASET.arn_member: arn}


def create_event_interactions(operation: Operation, group: Resource) -> None:
    """Add the dataset of streamed events to a group that has none; nothing happens when it has one."""
    arn = operation.caller.arn(f"dataset/{group.name}/{EVENT_INTERACTIONS}")
    existing = records.find(operation.connection, arn)
    if existing is None:
        attributes = {"datasetGroupArn": group.arn, "datasetType": EVENT_INTERACTIONS}
        uses = {"datasetGroupArn": group.arn}
        operation.create(DATASET, arn, "event-interactions", attributes, parent=group.arn, uses=uses)
    elif existing.status in states.DELETING:
        raise ResourceInUse(f"{arn} is in status {existing.status}. Wait until it is gone, then try again.")


def describe_dataset(operation: Operation, request: Request) -> Answer:
    """One dataset; `trackingId` stands on Action_Interactions datasets only."""
    return operation.describe(DATASET, request)


def list_datasets(operation: Operation, request: Request) -> Answer:
    """The caller's datasets, or those of one group."""
    return operation.list(DATASET, request)


def update_dataset(operation: Operation, request: Request) -> Answer:
    """Put a wider schema in the place of an Items or Users dataset's own."""
    dataset = operation.find_usable(DATASET, request["datasetArn"])
    schema = operation.find(SCHEMA, request["schemaArn"])
    if dataset["datasetType"] == EVENT_INTERACTIONS:
        raise InvalidInput(f"{dataset.arn} holds streamed events and has no schema to replace.")
    if schema.arn == dataset["schemaArn"]:
        raise InvalidInput(f"{dataset.arn} has the schema {schema.arn} already. Give a schema that differs from it.")
    group = operation.find(DATASET_GROUP, dataset["datasetGroupArn"])
    check_replacement(schema_of(operation, dataset), _parsed(schema))
    _check_fit(group, schema, dataset["datasetType"])
    for job in records.children(operation.connection, dataset.arn, "dataset-import-job"):
        if job.status in states.BUSY:
            raise ResourceInUse(f"{job.arn} is importing into {dataset.arn}. Wait until it has ended, then try again.")
    change = {"schemaArn": schema.arn}
    updates.start(
        operation.connection,
        dataset,
        JobKind.UPDATE_DATASET,
        shown=change,
        becomes=change,
        uses=change,
        pending="UPDATE PENDING",
    )
    states.advance(operation.connection, dataset.arn, "UPDATE PENDING")
    return {DATASET.arn_member: dataset.arn}


def delete_dataset(operation: Operation, request: Request) -> Answer:
    """Delete a dataset that nothing is reading or writing; trained versions and campaigns keep working."""
    return operation.delete(DATASET, request)


def schema_of(operation: Operation, dataset: Resource) -> Schema:
    """The parsed schema of a dataset."""
    return _parsed(operation.find(SCHEMA, dataset["schemaArn"]))


def schemas_of_group(operation: Operation, group_arn: str) -> dict[str, Schema]:
    """The parsed schemas of a group's live datasets, by dataset type."""
    return {
        dataset["datasetType"]: schema_of(operation, dataset)
        for dataset in records.children(operation.connection, group_arn, DATASET.word)
        if dataset.status not in states.DELETING and "schemaArn" in dataset.attributes
    }


def storage_prefix(dataset: Resource) -> str:
    """The key prefix under which a dataset's Parquet parts are written."""
    return places.prefixes(dataset)[0]


def _parsed(schema: Resource) -> Schema:
    return parse_schema(schema["schema"], schema.attributes.get("domain"))


def _type(text: str) -> str:
    """The dataset type as ARNs and answers spell it; clients write it in any case."""
    if text.upper() not in TYPES:
        raise InvalidInput(
            f"datasetType {text!r} is not known. Use Interactions, Items, Users, Actions or Action_Interactions."
        )
    return text.upper()


def _check_fit(group: Resource, schema: Resource, dataset_type: str) -> None:
    """Whether a schema suits a group's domain and the type of a dataset."""
    domain, schema_domain = group.attributes.get("domain"), schema.attributes.get("domain")
    if domain is not None and dataset_type in CUSTOM_ONLY:
        raise InvalidInput(
            f"The dataset group {group.arn} is of domain {domain}: {dataset_type} datasets need a custom group."
        )
    if domain != schema_domain:
        raise InvalidInput(
            f"The schema {schema.arn} is {_of(schema_domain)}, the dataset group {group.arn} {_of(domain)}. "
            f"Use a schema that was created {'without a domain' if domain is None else f'with domain {domain}'}."
        )
    named = _parsed(schema).dataset_type
    if named != dataset_type:
        raise InvalidInput(
            f"The record of schema {schema.arn} is for {named} datasets, not {dataset_type}. Use a schema whose "
            "record name matches datasetType."
        )


def _of(domain: str | None) -> str:
    return "custom" if domain is None else f"of domain {domain}"


OPERATIONS = (create_dataset, describe_dataset, list_datasets, update_dataset, delete_dataset)
