"""The home of a benchmarked server: one group, campaign, filter and tracker, written as rows; an access key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from matinee.bench.short_training import RECIPE
from matinee.control import records
from matinee.control.context import Caller
from matinee.data.schemas import parse_schema, polars_schema
from matinee.settings import Settings
from matinee.storage import access_keys
from matinee.storage.access_keys import AccessKey
from matinee.storage.local_disk import LocalDisk
from matinee.storage.metadata import Database, dataset_parts

ACCOUNT, REGION = "123456789012", "us-east-1"
TRACKING_ID = "7f2d6b1c-0d53-4c1f-9a43-b1f2f3a4c5d6"
_EXPRESSION = 'INCLUDE ItemID WHERE Items.GENRES IN ("{}") | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'
_INTERACTIONS = [("USER_ID", "string"), ("ITEM_ID", "string"), ("TIMESTAMP", "long"), ("EVENT_TYPE", "string")]
_ARTIFACT = "artifacts/bench"


@dataclass(frozen=True)
class Home:
    """What a client of the server needs: its key and the ARNs."""

    folder: Path
    key: AccessKey
    campaign: str
    filter: str


def make_home(folder: Path, artifact: Path, genres: Mapping[str, str], genre: str) -> Home:
    """Write the home in `folder`. Its campaign serves `artifact`; its filter asks for `genre` and nothing watched."""
    folder.mkdir(parents=True, exist_ok=True)
    database = Database(Settings(home=folder).effective_database_url)
    database.upgrade()
    objects = LocalDisk(folder / "objects")
    place = objects.root / _ARTIFACT
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(artifact.absolute(), target_is_directory=True)
    caller = Caller(ACCOUNT, REGION)
    group = _add(database, caller, "dataset-group", "bench", {})
    _add_datasets(database, objects, caller, group, genres)
    within = {"datasetGroupArn": group}
    _add(database, caller, "event-tracker", "bench", {**within, "trackingId": TRACKING_ID}, parent=group)
    expression = _EXPRESSION.format(genre)
    named = _add(database, caller, "filter", "bench", {**within, "filterExpression": expression}, parent=group)
    version = _add(
        database,
        caller,
        "solution-version",
        "bench",
        {**within, "recipeArn": f"arn:aws:personalize:::recipe/{RECIPE}"},
        path="solution/bench/00000001",
        private={"artifact": _ARTIFACT},
    )
    campaign = _add(database, caller, "campaign", "bench", {"solutionVersionArn": version, "campaignConfig": {}})
    key = access_keys.create(database, ACCOUNT, "bench")
    database.close()
    return Home(folder, key, campaign, named)


def _add(
    database: Database,
    caller: Caller,
    kind: str,
    name: str,
    attributes: Mapping[str, Any],
    *,
    parent: str | None = None,
    path: str | None = None,
    private: Mapping[str, Any] | None = None,
) -> str:
    arn = caller.arn(path or f"{kind}/{name}")
    with database.transaction() as connection:
        made = records.insert(
            connection,
            arn=arn,
            account=caller.account,
            region=caller.region,
            kind=kind,
            name=name,
            parent=parent,
            status="ACTIVE",
            attributes=attributes,
        )
        if private:
            records.change(connection, made, private=dict(private))
    return arn


def _add_datasets(
    database: Database, objects: LocalDisk, caller: Caller, group: str, genres: Mapping[str, str]
) -> None:
    items = [("ITEM_ID", "string"), ("GENRES", ["null", "string"])]
    for kind, record, columns in (("INTERACTIONS", "Interactions", _INTERACTIONS), ("ITEMS", "Items", items)):
        fields = [
            {"name": name, "type": of, **({"categorical": True} if name == "GENRES" else {})} for name, of in columns
        ]
        text = json.dumps({"type": "record", "name": record, "fields": fields, "version": "1.0"})
        schema = _add(database, caller, "schema", kind.lower(), {"schema": text})
        attributes = {"datasetGroupArn": group, "datasetType": kind, "schemaArn": schema}
        dataset = _add(database, caller, "dataset", f"bench/{kind}", attributes, parent=group)
        if kind == "ITEMS":
            _import(database, objects, dataset, text, genres)


def _import(database: Database, objects: LocalDisk, dataset: str, schema: str, genres: Mapping[str, str]) -> None:
    rows = {"ITEM_ID": list(genres), "GENRES": [names or None for names in genres.values()]}
    part = objects.root.parent / "items.parquet"
    pl.DataFrame(rows, schema=polars_schema(parse_schema(schema))).write_parquet(part)
    objects.put_file("datasets/items.parquet", part)
    with database.transaction() as connection:
        connection.execute(
            sa.insert(dataset_parts).values(
                dataset_arn=dataset,
                job_arn="bench",
                object_key="datasets/items.parquet",
                rows=len(genres),
                bytes=part.stat().st_size,
                created_at=1,
            )
        )
