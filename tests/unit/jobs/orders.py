"""Batch, export and deletion jobs in the house of the jobs' tests, and what they need beside interactions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from tests.unit.jobs.rig import ACCOUNT, GROUP, REGION, House, arn, csv_rows, write_csv

from matinee.control import places, records
from matinee.control.outbox import JobKind
from matinee.jobs.handlers import HANDLERS
from matinee.jobs.workflow import run_job
from matinee.storage import metadata

ROLE = "arn:aws:iam::123456789012:role/personalize"
USERS_DATASET = arn("dataset/films/USERS")
_USERS_SCHEMA = {
    "type": "record",
    "name": "Users",
    "namespace": "com.amazonaws.personalize.schema",
    "fields": [{"name": "USER_ID", "type": "string"}, {"name": "ABOUT", "type": "string", "categorical": True}],
    "version": "1.0",
}


def run(house: House, job: str) -> str:
    """Carry out a job here and now."""
    return run_job(house.workshop, HANDLERS, job)


def trained(house: House, folder: Path, recipe: str, version: str = "a1") -> str:
    """Import interactions unless there are some, and train; the version's ARN."""
    if not house.part_keys():
        house.imported(write_csv(folder / "interactions.csv", csv_rows(1500)))
    assert run(house, house.train_job(version, recipe)) == "DONE"
    return arn(f"solution/s/{version}")


def batch_job(house: House, version: str, source: str, target: str, name: str = "batch", **more: Any) -> str:
    """Create a batch inference job; its id."""
    described = {
        "solutionVersionArn": version,
        "jobInput": {"s3DataSource": {"path": source}},
        "jobOutput": {"s3DataDestination": {"path": target}},
        "roleArn": ROLE,
        "numResults": 5,
        **more,
    }
    resource = arn(f"batch-inference-job/{name}")
    house.add(resource, "batch-inference-job", version, "CREATE PENDING", described)
    return house.job(JobKind.BATCH_INFERENCE, resource, {**described, "datasetGroupArn": GROUP})


def segment_job(house: House, version: str, source: str, target: str, name: str = "segment", **more: Any) -> str:
    """Create a batch segment job; its id."""
    described = {
        "solutionVersionArn": version,
        "jobInput": {"s3DataSource": {"path": source}},
        "jobOutput": {"s3DataDestination": {"path": target}},
        "roleArn": ROLE,
        "numResults": 5,
        **more,
    }
    resource = arn(f"batch-segment-job/{name}")
    house.add(resource, "batch-segment-job", version, "CREATE PENDING", described)
    return house.job(JobKind.BATCH_SEGMENT, resource, {**described, "datasetGroupArn": GROUP})


def export_job(house: House, target: str, mode: str, name: str = "export", kind: str = "INTERACTIONS") -> str:
    """Create an export job; its id."""
    dataset = arn(f"dataset/films/{kind}")
    found = house.resource(dataset)
    assert found is not None
    described = {"datasetArn": dataset, "ingestionMode": mode, "roleArn": ROLE}
    resource = arn(f"dataset-export-job/{name}")
    house.add(resource, "dataset-export-job", dataset, "CREATE PENDING", described)
    payload = {**described, "datasetGroupArn": GROUP, "datasetType": kind, "path": target}
    if "schemaArn" in found.attributes:
        payload["schemaArn"] = found["schemaArn"]
    return house.job(JobKind.EXPORT, resource, payload)


def deletion_job(house: House, location: str, name: str = "forget") -> str:
    """Create a data deletion job; its id."""
    resource = arn(f"data-deletion-job/{name}")
    house.add(resource, "data-deletion-job", GROUP, "PENDING", {"datasetGroupArn": GROUP, "roleArn": ROLE})
    payload = {"datasetGroupArn": GROUP, "roleArn": ROLE, "dataLocation": location}
    return house.job(JobKind.DATA_DELETION, resource, payload)


def add_users(house: House, folder: Path, users: Mapping[str, str]) -> None:
    """A Users dataset with imported records: user ID to what is told ABOUT them."""
    house.add(arn("schema/users"), "schema", None, None, {"schema": json.dumps(_USERS_SCHEMA)})
    described = {"datasetGroupArn": GROUP, "datasetType": "USERS", "schemaArn": arn("schema/users")}
    house.add(USERS_DATASET, "dataset", GROUP, "ACTIVE", described)
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{user},{about}\n" for user, about in users.items())
    (folder / "users.csv").write_text(f"USER_ID,ABOUT\n{lines}")
    resource = arn("dataset-import-job/users")
    house.add(resource, "dataset-import-job", USERS_DATASET, "CREATE PENDING", {"importMode": "FULL"})
    payload = {
        "datasetArn": USERS_DATASET,
        "datasetGroupArn": GROUP,
        "datasetType": "USERS",
        "schemaArn": arn("schema/users"),
        "dataLocation": f"file://{folder}/users.csv",
        "importMode": "FULL",
        "prefix": places.dataset_prefix(ACCOUNT, REGION, "films", "USERS"),
    }
    assert run(house, house.job(JobKind.IMPORT, resource, payload)) == "DONE"


def put_user(house: House, user: str, about: str) -> None:
    """Stream a record of a user."""
    row = {"dataset_arn": USERS_DATASET, "entity_id": user, "properties": {"USER_ID": user, "ABOUT": about}}
    with house.database.transaction() as connection:
        connection.execute(sa.insert(metadata.records).values(**row, received_at=records.now_ms()))


def put_event(house: House, user: str | None, item: str, session: str = "s", at: int = 2_000_000_000) -> None:
    """Stream an event; one that names a user links its session to them."""
    with house.database.transaction() as connection:
        number = connection.scalar(sa.select(sa.func.count()).select_from(metadata.events))
        row = {
            "group_arn": GROUP,
            "event_id": f"e{number}-{user}-{item}",
            "user_id": user,
            "session_id": session,
            "event_type": "watch",
            "item_id": item,
            "sent_at": at,
            "received_at": records.now_ms(),
        }
        connection.execute(sa.insert(metadata.events).values(row))
        linked = sa.select(metadata.session_links.c.user_id).where(metadata.session_links.c.session_id == session)
        if user is not None and connection.scalar(linked) is None:
            link = {"group_arn": GROUP, "session_id": session, "user_id": user}
            connection.execute(sa.insert(metadata.session_links).values(link))


def write_lines(path: Path, lines: Sequence[Any]) -> str:
    """Write JSON Lines; returns the file's `file://` location."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return f"file://{path}"


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The JSON Lines of a file."""
    return [json.loads(line) for line in path.read_text().splitlines()]
