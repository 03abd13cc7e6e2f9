"""Batch inference, export and data deletion as a program does them in boto3, on S3."""

from __future__ import annotations

import csv
import json
from typing import Any

import boto3
import pytest
from tests.clients.data import INTERACTIONS
from tests.clients.house import RECIPES, ROLE, settle

from matinee.demo.clients import Clients


@pytest.fixture
def s3(s3_endpoint: str) -> Any:
    """A client of the tests' S3."""
    return boto3.client("s3", endpoint_url=s3_endpoint)


@pytest.fixture
def group(clients: Clients, films_bucket: str) -> str:
    """A dataset group with the films' interactions; its ARN."""
    control, name = clients.control, "batch-night"
    schema = control.create_schema(name=name, schema=INTERACTIONS)["schemaArn"]
    group = control.create_dataset_group(name=name)["datasetGroupArn"]
    settle(clients, "DatasetGroup", group)
    dataset = control.create_dataset(name=name, schemaArn=schema, datasetGroupArn=group, datasetType="Interactions")[
        "datasetArn"
    ]
    settle(clients, "Dataset", dataset)
    job = control.create_dataset_import_job(
        jobName=name,
        datasetArn=dataset,
        dataSource={"dataLocation": f"s3://{films_bucket}/interactions.csv"},
        roleArn=ROLE,
    )["datasetImportJobArn"]
    assert settle(clients, "DatasetImportJob", job) == "ACTIVE"
    return str(group)


def _text(s3: Any, bucket: str, key: str) -> str:
    return str(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())


def test_a_night_of_jobs(clients: Clients, group: str, bucket: str, s3: Any) -> None:
    control = clients.control
    solution = control.create_solution(
        name="batch-night",
        datasetGroupArn=group,
        recipeArn=f"{RECIPES}aws-popularity-count",
        performAutoTraining=False,
    )["solutionArn"]
    version = control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    assert settle(clients, "SolutionVersion", version) == "ACTIVE"
    s3.put_object(Bucket=bucket, Key="in/users.json", Body=b'{"userId": "1"}\n{"userId": "2"}\n')
    batch = control.create_batch_inference_job(
        jobName="night",
        solutionVersionArn=version,
        numResults=10,
        jobInput={"s3DataSource": {"path": f"s3://{bucket}/in/users.json"}},
        jobOutput={"s3DataDestination": {"path": f"s3://{bucket}/out/"}},
        roleArn=ROLE,
    )["batchInferenceJobArn"]
    assert settle(clients, "BatchInferenceJob", batch) == "ACTIVE"
    shown = control.describe_batch_inference_job(batchInferenceJobArn=batch)["batchInferenceJob"]
    lines = [json.loads(line) for line in _text(s3, bucket, "out/users.json.out").splitlines()]
    assert [line["input"] for line in lines] == [{"userId": "1"}, {"userId": "2"}]
    assert [(len(line["output"]["recommendedItems"]), line["error"]) for line in lines] == [(10, None)] * 2
    assert _text(s3, bucket, "out/_CHECK") == ""
    written = s3.head_object(Bucket=bucket, Key="out/users.json.out")["LastModified"]
    assert written > shown["creationDateTime"]

    dataset = f"{group.replace(':dataset-group/', ':dataset/')}/INTERACTIONS"
    before = _exported(clients, s3, bucket, dataset, "before")
    user = before[0]["USER_ID"]
    s3.put_object(Bucket=bucket, Key="gone/users.csv", Body=f"USER_ID\n{user}\n".encode())
    deletion = control.create_data_deletion_job(
        jobName="forget",
        datasetGroupArn=group,
        dataSource={"dataLocation": f"s3://{bucket}/gone/"},
        roleArn=ROLE,
    )["dataDeletionJobArn"]
    assert settle(clients, "DataDeletionJob", deletion) == "COMPLETED"
    after = _exported(clients, s3, bucket, dataset, "after")
    assert after == [row for row in before if row["USER_ID"] != user]
    told = control.describe_data_deletion_job(dataDeletionJobArn=deletion)["dataDeletionJob"]
    assert told["numDeleted"] == len(before) - len(after) > 0


def _exported(clients: Clients, s3: Any, bucket: str, dataset: str, name: str) -> list[dict[str, str]]:
    arn = clients.control.create_dataset_export_job(
        jobName=f"export-{name}",
        datasetArn=dataset,
        ingestionMode="ALL",
        roleArn=ROLE,
        jobOutput={"s3DataDestination": {"path": f"s3://{bucket}/export/"}},
    )["datasetExportJobArn"]
    assert settle(clients, "DatasetExportJob", arn) == "ACTIVE"
    return list(csv.DictReader(_text(s3, bucket, f"export/export-{name}.csv").splitlines()))
