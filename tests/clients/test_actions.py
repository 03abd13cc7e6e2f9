"""Actions and user segments as a program uses them in boto3: train, deploy, ask, answer, ask again; segments on S3."""

from __future__ import annotations

import csv
import io
import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from tests.clients.data import ACTION_INTERACTIONS, ACTIONS, INTERACTIONS, ITEMS
from tests.clients.house import RECIPES, ROLE, settle

from matinee.demo.clients import POLL_SECONDS, Clients

NOW = int(time.time())
DAY = 86_400


def _answers() -> bytes:
    """1000 answers of 50 users: even ones take `call`, odd ones take `join`."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["USER_ID", "ACTION_ID", "EVENT_TYPE", "TIMESTAMP"])
    for number in range(1000):
        user, action = number % 50 + 1, "call" if number // 50 % 2 else "join"
        kind = "Taken" if (user % 2 == 0) == (action == "call") else "Not taken"
        rows.writerow([user, action, kind, NOW - DAY * (1 + number // 50) - number])
    return text.getvalue().encode()


@pytest.fixture(scope="module")
def datasets(clients: Clients, films_bucket: str, put: Callable[[str, str, bytes], str]) -> dict[str, str]:
    """A group with films, interactions, two actions and answers to them; `group` and dataset types to ARNs."""
    control = clients.control
    put(films_bucket, "answers.csv", _answers())
    put(films_bucket, "actions.csv", b"ACTION_ID,VALUE\ncall,3\njoin,5\n")
    arns = {"group": control.create_dataset_group(name="acts")["datasetGroupArn"]}
    settle(clients, "DatasetGroup", arns["group"])
    for kind, text, file in (
        ("INTERACTIONS", INTERACTIONS, "interactions.csv"),
        ("ITEMS", ITEMS, "items.csv"),
        ("ACTIONS", ACTIONS, "actions.csv"),
        ("ACTION_INTERACTIONS", ACTION_INTERACTIONS, "answers.csv"),
    ):
        name = f"acts-{kind.lower()}"
        schema = control.create_schema(name=name, schema=text)["schemaArn"]
        arns[kind] = control.create_dataset(
            name=name, schemaArn=schema, datasetGroupArn=arns["group"], datasetType=kind
        )["datasetArn"]
        settle(clients, "Dataset", arns[kind])
        job = control.create_dataset_import_job(
            jobName=name,
            datasetArn=arns[kind],
            dataSource={"dataLocation": f"s3://{films_bucket}/{file}"},
            roleArn=ROLE,
        )["datasetImportJobArn"]
        assert settle(clients, "DatasetImportJob", job) == "ACTIVE"
    return arns


def _trained(clients: Clients, group: str, recipe: str) -> str:
    solution = clients.control.create_solution(
        name=f"acts-{recipe}", datasetGroupArn=group, recipeArn=f"{RECIPES}{recipe}", performAutoTraining=False
    )["solutionArn"]
    version = str(clients.control.create_solution_version(solutionArn=solution)["solutionVersionArn"])
    assert settle(clients, "SolutionVersion", version) == "ACTIVE"
    return version


def _metrics(clients: Clients, version: str) -> dict[str, float]:
    return dict(clients.control.get_solution_metrics(solutionVersionArn=version)["metrics"])


def test_actions_from_import_to_answer(clients: Clients, datasets: dict[str, str]) -> None:
    version = _trained(clients, datasets["group"], "aws-next-best-action")
    assert set(_metrics(clients, version)) == {"coverage", "precision", "recall", "auc"}
    campaign = clients.control.create_campaign(name="acts", solutionVersionArn=version)["campaignArn"]
    assert settle(clients, "Campaign", campaign) == "ACTIVE"

    def actions(user: str, **more: Any) -> dict[str, float]:
        answer = clients.runtime.get_action_recommendations(campaignArn=campaign, userId=user, **more)
        assert answer["recommendationId"].startswith("RID-")
        return {one["actionId"]: one["score"] for one in answer["actionList"]}

    assert list(actions("2")) == ["call", "join"]
    assert list(actions("3")) == ["join", "call"]
    assert actions("3")["join"] > 0.5 > actions("3")["call"]
    assert list(actions("3", numResults=1)) == ["join"]

    chosen = clients.control.create_filter(
        name="acts-unseen",
        datasetGroupArn=datasets["group"],
        filterExpression='EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("Viewed")',
    )["filterArn"]
    settle(clients, "Filter", chosen)
    tracking = clients.control.describe_dataset(datasetArn=datasets["ACTION_INTERACTIONS"])["dataset"]["trackingId"]
    viewed = datetime.fromtimestamp(NOW, UTC)
    clients.events.put_action_interactions(
        trackingId=tracking,
        actionInteractions=[
            {"actionId": "join", "userId": "3", "sessionId": "s", "eventType": "VIEWED", "timestamp": viewed}
        ],
    )
    assert list(actions("3", filterArn=chosen)) == ["call"]

    clients.events.put_actions(
        datasetArn=datasets["ACTIONS"], actions=[{"actionId": "gift", "properties": json.dumps({"value": 9})}]
    )
    end = time.monotonic() + 60
    while "gift" not in (found := actions("3")) and time.monotonic() < end:
        threading.Event().wait(POLL_SECONDS)
    assert found["gift"] == 0.0


def test_segments_by_item_and_by_attribute(
    clients: Clients, datasets: dict[str, str], bucket: str, s3_endpoint: str
) -> None:
    s3 = boto3.client("s3", endpoint_url=s3_endpoint)
    lines = {
        "aws-item-affinity": [{"itemId": "1"}, {"itemId": "2"}],
        "aws-item-attribute-affinity": [{"itemAttributes": 'ITEMS.genres = "Drama"'}],
    }
    for recipe, asked in lines.items():
        version = _trained(clients, datasets["group"], recipe)
        assert set(_metrics(clients, version)) == {"coverage", "hits_at_1_percent", "recall_at_1_percent"}
        body = "".join(f"{json.dumps(line)}\n" for line in asked).encode()
        s3.put_object(Bucket=bucket, Key=f"in/{recipe}.json", Body=body)
        job = clients.control.create_batch_segment_job(
            jobName=recipe,
            solutionVersionArn=version,
            numResults=7,
            jobInput={"s3DataSource": {"path": f"s3://{bucket}/in/{recipe}.json"}},
            jobOutput={"s3DataDestination": {"path": f"s3://{bucket}/out/"}},
            roleArn=ROLE,
        )["batchSegmentJobArn"]
        assert settle(clients, "BatchSegmentJob", job) == "ACTIVE"
        text = s3.get_object(Bucket=bucket, Key=f"out/{recipe}.json.out")["Body"].read().decode()
        answered = [json.loads(line) for line in text.splitlines()]
        assert [line["input"] for line in answered] == asked
        assert [(len(line["output"]["usersList"]), line["error"]) for line in answered] == [(7, None)] * len(asked)
    assert s3.get_object(Bucket=bucket, Key="out/_CHECK")["Body"].read() == b""
