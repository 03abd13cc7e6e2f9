"""What real programs rely on when they import data: point 10 of the survey of such programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.clients.data import INTERACTIONS, schema_text
from tests.clients.house import ROLE, House, describe, settle

from matinee.demo.clients import Clients

Put = Callable[[str, str, bytes], str]

ROW = "1,Dawn,Drama|War,12.5,1600000000\n"
NAMES = "ITEM_ID,TITLE,GENRES,PRICE,CREATION_TIMESTAMP\n"


def _interactions_schema(**changed: Any) -> str:
    """The interactions schema in the spellings that programs use."""
    fields = json.loads(INTERACTIONS)["fields"]
    return schema_text("Interactions", *({**field, "type": [field["type"]]} for field in fields), **changed)


@pytest.mark.parametrize("version", [None, "1.1"])
def test_point_10_schemas_without_a_version_or_with_another_and_types_in_lists(
    clients: Clients, house: House, version: str | None
) -> None:
    text = _interactions_schema(version=version)
    arn = clients.control.create_schema(name=house.new_name(), schema=text)["schemaArn"]
    assert describe(clients, "Schema", arn)["schema"] == text
    group = house.fresh_group()
    dataset = clients.control.create_dataset(
        name="d", datasetGroupArn=group, schemaArn=arn, datasetType="iNTERactions"
    )["datasetArn"]
    assert dataset.endswith("/INTERACTIONS")
    assert describe(clients, "Dataset", dataset)["datasetType"] == "INTERACTIONS"


@pytest.mark.parametrize(
    ("location", "files"),
    [
        ("one/file.csv", {"one/file.csv": NAMES + ROW}),
        ("folder/", {"folder/a.csv": NAMES + ROW, "folder/b.csv": NAMES + ROW.replace("1,", "2,", 1)}),
        ("whole", {"whole/a.csv": NAMES + ROW, "whole-other.csv": "another thing"}),
        ("more.csv", {"more.csv": NAMES.replace("TITLE", "TITLE,RATING") + ROW.replace("Dawn", "Dawn,5")}),
        ("lower.csv", {"lower.csv": NAMES.lower() + ROW}),
    ],
    ids=["file", "folder", "folder-without-slash", "more-columns", "lower-case-header"],
)
def test_point_10_imports_find_files_and_columns(
    clients: Clients, house: House, put: Put, location: str, files: dict[str, str]
) -> None:
    for key, text in files.items():
        put("imports-of-point-10", key, text.encode())
    job = clients.control.create_dataset_import_job(
        jobName=house.new_name(),
        datasetArn=house.datasets["ITEMS"],
        dataSource={"dataLocation": f"s3://imports-of-point-10/{location}"},
        roleArn=ROLE,
    )["datasetImportJobArn"]
    assert settle(clients, "DatasetImportJob", job) == "ACTIVE", describe(clients, "DatasetImportJob", job)


def test_point_10_users_may_stand_in_the_file_more_than_once(clients: Clients, house: House, put: Put) -> None:
    place = put("imports-of-point-10", "users.csv", b"USER_ID,AGE\n1,30\n1,31\n2,40\n")
    job = clients.control.create_dataset_import_job(
        jobName=house.new_name(),
        datasetArn=house.datasets["USERS"],
        dataSource={"dataLocation": place},
        roleArn=ROLE,
    )["datasetImportJobArn"]
    assert settle(clients, "DatasetImportJob", job) == "ACTIVE", describe(clients, "DatasetImportJob", job)
