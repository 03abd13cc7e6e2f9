"""What data and trainings are refused for, as a program sees it: a failed status, and a reason that says what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.clients.data import INTERACTIONS
from tests.clients.house import RECIPES, ROLE, House, describe, settle

Put = Callable[[str, str, bytes], str]

_BUCKET = "failure-reasons"
_EVENTS = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\n"
_ITEMS = "ITEM_ID,TITLE,GENRES,PRICE,CREATION_TIMESTAMP\n"


def _rows(users: int = 50, step: int = 1) -> str:
    """1000 different events of so many users, so many seconds apart."""
    return _EVENTS + "".join(f"u{n % users},i{n // users},{1_000_000 + step * n},e\n" for n in range(1000))


@pytest.mark.parametrize(
    ("dataset", "content", "reason"),
    [
        (
            "INTERACTIONS",
            "USER_ID,ITEM_ID\nu,i\n",
            "Input CSV is missing the following columns: [TIMESTAMP, EVENT_TYPE].",
        ),
        ("INTERACTIONS", _EVENTS + "u,i,1,e\n" * 999, "needs at least 1000 rows"),
        ("INTERACTIONS", _EVENTS + "u,i,today,e\n" * 1000, "line 2, column TIMESTAMP"),
        ("INTERACTIONS", _EVENTS + ",i,1,e\n" * 1000, "line 2, column USER_ID"),
        (
            "INTERACTIONS",
            _EVENTS + f"u,{'i' * 257},1,e\n" * 1000,
            "Length cannot be more than 256 characters for ITEM_ID. If no values exceed the character limit, make sure "
            "your data follows the formatting guidelines",
        ),
        ("ITEMS", _ITEMS + f"i,T,{'g' * 1001},1,1\n", "Length cannot be more than 1000 characters for GENRES."),
        ("ITEMS", _ITEMS + "i,T,,1,1\n", "does not allow null"),
        ("ITEMS", _ITEMS + "i,T,Drama,dear,1\n", "line 2, column PRICE"),
        ("ITEMS", "", "The file is empty."),
        ("ITEMS", None, "Invalid Data location."),
    ],
    ids=["columns", "few-rows", "type", "no-user", "id", "category", "null", "number", "empty", "nowhere"],
)
def test_an_import_of_bad_data_fails_with_the_reason(
    house: House, put: Put, dataset: str, content: str | None, reason: str
) -> None:
    name = house.new_name()
    place = f"s3://{_BUCKET}/{name}-nothing.csv"
    put(_BUCKET, "something", b"")
    if content is not None:
        place = put(_BUCKET, f"{name}.csv", content.encode())
    source = {"dataLocation": place}
    job = house.begin("DatasetImportJob", datasetArn=house.datasets[dataset], dataSource=source, roleArn=ROLE)
    assert settle(house.clients, "DatasetImportJob", job) == "CREATE FAILED"
    assert reason in describe(house.clients, "DatasetImportJob", job)["failureReason"]


def test_a_deletion_without_a_list_of_users_fails_with_the_reason(house: House, put: Put) -> None:
    source = {"dataLocation": put(_BUCKET, "users.csv", b"NAME\nann\n")}
    job = house.create("DataDeletionJob", datasetGroupArn=house.arns["DatasetGroup"], dataSource=source, roleArn=ROLE)
    shown = describe(house.clients, "DataDeletionJob", job)
    assert shown["status"] == "FAILED"
    assert "Write USER_ID on the first line" in shown["failureReason"]


def test_a_batch_without_input_fails_with_the_reason(house: House) -> None:
    asked = {**house.requests["CreateBatchInferenceJob"], "jobName": house.new_name()}
    asked["jobInput"] = {"s3DataSource": {"path": house.place("nothing.jsonl")}}
    shown = describe(house.clients, "BatchInferenceJob", house.create("BatchInferenceJob", **asked))
    assert shown["status"] == "CREATE FAILED"
    assert shown["failureReason"].startswith("Invalid S3 input path")


@pytest.mark.parametrize(
    ("rows", "recipe", "request_", "reason"),
    [
        (
            _rows(),
            "aws-popularity-count",
            {"eventType": "buy"},
            "Dataset has fewer than 1000 interactions after filtering by event type: buy",
        ),
        (
            _rows(),
            "aws-popularity-count",
            {"solutionConfig": {"eventValueThreshold": "1"}},
            "The Interactions dataset has no EVENT_VALUE column",
        ),
        (
            _rows(users=24),
            "aws-popularity-count",
            {},
            "Dataset has fewer than 25 users with at least 2 interactions each.",
        ),
        (
            _rows().replace(",e\n", ",EVENT_TYPE\n"),
            "aws-popularity-count",
            {},
            "All values in the event_type column are either reserved keywords or null",
        ),
        (_rows(step=0), "aws-item-affinity", {}, "All timestamps of the interactions are equal"),
        (_rows(), "aws-item-attribute-affinity", {}, "Did not find any attribute to train on."),
    ],
    ids=["few-events", "no-value", "few-users", "reserved", "one-time", "no-items"],
)
def test_a_training_on_bad_data_fails_with_the_reason(
    house: House, put: Put, rows: str, recipe: str, request_: dict[str, Any], reason: str
) -> None:
    group = house.fresh_group()
    schema = house.create("Schema", schema=INTERACTIONS)
    dataset = house.create("Dataset", datasetGroupArn=group, schemaArn=schema, datasetType="Interactions")
    source = {"dataLocation": put(_BUCKET, f"{house.new_name()}.csv", rows.encode())}
    job = house.create("DatasetImportJob", datasetArn=dataset, dataSource=source, roleArn=ROLE)
    assert describe(house.clients, "DatasetImportJob", job)["status"] == "ACTIVE"
    solution = house.create(
        "Solution", datasetGroupArn=group, recipeArn=RECIPES + recipe, performAutoTraining=False, **request_
    )
    version = house.create("SolutionVersion", solutionArn=solution)
    shown = describe(house.clients, "SolutionVersion", version)
    assert shown["status"] == "CREATE FAILED"
    assert reason in shown["failureReason"]
