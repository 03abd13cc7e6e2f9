"""One workflow, from a schema to recommendations that follow events, in boto3, the AWS CLI and the JavaScript SDK."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from tests.clients.data import INTERACTIONS
from tests.clients.films import Films
from tests.clients.house import RECIPES, ROLE, arn_member, member, settle
from tests.clients.programs import PROGRAMS, JavaScript, Program, Refused, environment_of, install_javascript

from matinee.demo.clients import Clients
from matinee.demo.embedded import EmbeddedServer

METRICS = {
    "coverage",
    "mean_reciprocal_rank_at_25",
    *(f"normalized_discounted_cumulative_gain_at_{k}" for k in (5, 10, 25)),
    *(f"precision_at_{k}" for k in (5, 10, 25)),
}


@pytest.fixture(scope="module", params=sorted(PROGRAMS))
def program(request: pytest.FixtureRequest, server: EmbeddedServer) -> Iterator[Program]:
    """Each of the three programs, pointed at the shared server by the variables of its three endpoints."""
    kind = PROGRAMS[request.param]
    if kind is JavaScript:
        _install_or_skip()
    with kind(environment_of(server.url, os.environ)) as running:
        yield running


def _install_or_skip() -> None:
    try:
        install_javascript()
    except subprocess.CalledProcessError as problem:
        sentence = f"needs the packages of tests/clients/js, which npm could not install: {problem.stderr}"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)


def _check_active(program: Program, clients: Clients, resource: str, arn: str) -> dict[str, Any]:
    """Wait until a resource has settled (with boto3, since a process for each look is slow), then ask the program."""
    settle(clients, resource, arn)
    shown = dict(program.call(f"Describe{resource}", **{arn_member(resource): arn})[member(resource)])
    assert shown["status"] == "ACTIVE", shown
    return shown


def _items(program: Program, **request: Any) -> list[str]:
    return [item["itemId"] for item in program.call("GetRecommendations", **request)["itemList"]]


def test_the_workflow_from_schema_to_events(program: Program, clients: Clients, films_bucket: str) -> None:
    name = type(program).__name__
    schema = program.call("CreateSchema", name=name, schema=INTERACTIONS)["schemaArn"]
    group = program.call("CreateDatasetGroup", name=name)["datasetGroupArn"]
    _check_active(program, clients, "DatasetGroup", group)
    dataset = program.call(
        "CreateDataset", name=name, schemaArn=schema, datasetGroupArn=group, datasetType="Interactions"
    )["datasetArn"]
    _check_active(program, clients, "Dataset", dataset)
    source = {"dataLocation": f"s3://{films_bucket}/interactions.csv"}
    job = program.call("CreateDatasetImportJob", jobName=name, datasetArn=dataset, dataSource=source, roleArn=ROLE)[
        "datasetImportJobArn"
    ]
    _check_active(program, clients, "DatasetImportJob", job)
    solution = program.call(
        "CreateSolution",
        name=name,
        datasetGroupArn=group,
        recipeArn=f"{RECIPES}aws-popularity-count",
        performAutoTraining=False,
    )["solutionArn"]
    version = program.call("CreateSolutionVersion", solutionArn=solution)["solutionVersionArn"]
    assert _check_active(program, clients, "SolutionVersion", version)["trainingHours"] >= 0
    metrics = program.call("GetSolutionMetrics", solutionVersionArn=version)["metrics"]
    assert set(metrics) == METRICS
    assert 0 < metrics["normalized_discounted_cumulative_gain_at_25"] <= 1
    campaign = program.call("CreateCampaign", name=name, solutionVersionArn=version, minProvisionedTPS=1)["campaignArn"]
    _check_active(program, clients, "Campaign", campaign)
    expression = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'
    unseen = program.call("CreateFilter", name=name, datasetGroupArn=group, filterExpression=expression)["filterArn"]
    _check_active(program, clients, "Filter", unseen)
    ask = {"campaignArn": campaign, "userId": "newcomer", "filterArn": unseen, "numResults": 10}
    before = _items(program, **ask)
    assert len(before) == 10
    tracker = program.call("CreateEventTracker", name=name, datasetGroupArn=group)
    _watch(program, tracker["trackingId"], before[0])
    assert _items(program, **ask)[:9] == before[1:]
    with pytest.raises(Refused) as refusal:
        program.call("CreateDatasetGroup", name=name)
    assert refusal.value.code == "ResourceAlreadyExistsException"
    assert refusal.value.message == f"Another resource with Arn {group} already exists."


def test_point_18_each_client_honours_the_variable_of_each_endpoint(program: Program, films: Films) -> None:
    """Only AWS_ENDPOINT_URL_PERSONALIZE, _PERSONALIZE_RUNTIME and _PERSONALIZE_EVENTS name the one port."""
    assert "films" in [group["name"] for group in program.call("ListDatasetGroups")["datasetGroups"]]
    user = f"visitor-{type(program).__name__}"
    ask = {"campaignArn": films.campaigns["aws-user-personalization-v2"], "userId": user, "numResults": 10}
    before = _items(program, **ask)
    _watch(program, films.tracking_id, before[-1], user)
    assert _items(program, **ask) != before


def test_a_refusal_at_run_time_has_its_class(program: Program, films: Films) -> None:
    missing = f"{films.campaigns['aws-sims']}-gone"
    with pytest.raises(Refused) as refusal:
        program.call("GetRecommendations", campaignArn=missing, itemId="1")
    assert refusal.value.code == "ResourceNotFoundException"
    assert missing in refusal.value.message


def _watch(program: Program, tracking_id: str, item: str, user: str = "newcomer") -> None:
    event = {"eventType": "watch", "sentAt": 1_750_000_000, "properties": json.dumps({"itemId": item})}
    program.call("PutEvents", trackingId=tracking_id, userId=user, sessionId="evening", eventList=[event])
