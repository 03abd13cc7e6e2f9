"""An import whose role or bucket keeps the service out fails in the known words, and the advice in them mends it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.unit.cloud.account import Account
from tests.unit.cloud.documents import document, trust_document

from matinee.demo.clients import Clients, WorkflowFailed, wait_until_active
from matinee.demo.embedded import EmbeddedServer
from matinee.storage.s3_reading import insufficient_privileges

_SCHEMA = {
    "type": "record",
    "name": "Interactions",
    "namespace": "com.amazonaws.personalize.schema",
    "fields": [
        {"name": "USER_ID", "type": "string"},
        {"name": "ITEM_ID", "type": "string"},
        {"name": "TIMESTAMP", "type": "long"},
    ],
    "version": "1.0",
}


@pytest.fixture(scope="module")
def checking(tmp_path_factory: pytest.TempPathFactory, s3_endpoint: str) -> Iterator[EmbeddedServer]:
    """A server that is told where IAM answers."""
    environment = {
        "AWS_ENDPOINT_URL_S3": s3_endpoint,
        "AWS_ENDPOINT_URL_IAM": s3_endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with EmbeddedServer(tmp_path_factory.mktemp("checking") / "home", environment) as server:
        yield server


def _dataset(control: Any) -> str:
    group = control.create_dataset_group(name="films")["datasetGroupArn"]
    wait_until_active(lambda: control.describe_dataset_group(datasetGroupArn=group), "datasetGroup")
    schema = control.create_schema(name="films", schema=json.dumps(_SCHEMA))["schemaArn"]
    dataset = control.create_dataset(name="films", datasetGroupArn=group, datasetType="Interactions", schemaArn=schema)[
        "datasetArn"
    ]
    wait_until_active(lambda: control.describe_dataset(datasetArn=dataset), "dataset")
    return str(dataset)


def _import(control: Any, dataset: str, account: Account, name: str) -> None:
    job = control.create_dataset_import_job(
        jobName=name,
        datasetArn=dataset,
        dataSource={"dataLocation": f"s3://{account.name}/in/"},
        roleArn=account.role_arn,
    )["datasetImportJobArn"]
    wait_until_active(lambda: control.describe_dataset_import_job(datasetImportJobArn=job), "datasetImportJob")


def test_the_three_policies_are_asked_for_and_the_advice_mends_them(
    checking: EmbeddedServer, s3_endpoint: str, bucket: str, tmp_path: Path
) -> None:
    account = Account(s3_endpoint, bucket)
    account.create_role(trust_document(service="lambda.amazonaws.com"))
    rows = "".join(f"user{n % 50},film{n},{1_000_000_000 + n}\n" for n in range(1000))
    (tmp_path / "a.csv").write_text(f"USER_ID,ITEM_ID,TIMESTAMP\n{rows}")
    boto3.client("s3", endpoint_url=s3_endpoint).upload_file(str(tmp_path / "a.csv"), bucket, "in/a.csv")
    control = Clients.of(checking.url).control
    dataset = _dataset(control)

    with pytest.raises(WorkflowFailed) as refused:
        _import(control, dataset, account, "refused")
    reason = str(refused.value)
    assert insufficient_privileges(bucket) in reason
    trust, own, buckets = (
        json.loads(text) for text in re.findall(r"Add the statement (\{.*?\})(?= Missing|$)", reason)
    )
    account.iam.update_assume_role_policy(RoleName=bucket, PolicyDocument=json.dumps(document(trust)))
    account.grant(document(own))
    account.set_bucket_policy(document(buckets))
    _import(control, dataset, account, "granted")
