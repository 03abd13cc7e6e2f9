"""The operations as compiled from the service models."""

import json
from typing import Any

import pytest
from botocore.model import OperationModel
from tests.unit.api.aws.examples import example, input_of

from matinee.api.aws.constraints import python_pattern
from matinee.api.aws.model import SERVICES, Operation, Service, load, service_model

EVERY = [
    pytest.param(load().of(service)[name], service_model(service).operation_model(name), id=name)
    for service in SERVICES
    for name in service_model(service).operation_names
]


def test_every_operation_of_the_three_apis_is_there() -> None:
    counts = {service: len(load().of(service)) for service in SERVICES}

    assert counts == {"personalize": 71, "personalize-runtime": 3, "personalize-events": 5}


def test_control_operations_are_selected_by_target() -> None:
    assert load().by_target[b"AmazonPersonalize.CreateCampaign"].name == "CreateCampaign"


def test_runtime_and_events_operations_are_selected_by_path() -> None:
    assert {path: operation.name for path, operation in load().by_path.items()} == {
        "/recommendations": "GetRecommendations",
        "/personalize-ranking": "GetPersonalizedRanking",
        "/action-recommendations": "GetActionRecommendations",
        "/events": "PutEvents",
        "/items": "PutItems",
        "/users": "PutUsers",
        "/actions": "PutActions",
        "/action-interactions": "PutActionInteractions",
    }


@pytest.mark.parametrize("service", SERVICES)
def test_every_input_travels_in_the_body_of_a_post(service: Service) -> None:
    model = service_model(service)
    described = [model.operation_model(name) for name in model.operation_names]

    assert {operation.http["method"] for operation in described} == {"POST"}
    assert not [
        (operation.name, name)
        for operation in described
        for name, member in input_of(operation).members.items()
        if member.serialization.keys() & {"location", "payload"}
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_every_pattern_is_understood(service: Service) -> None:
    model = service_model(service)
    shapes = [model.shape_for(name) for name in model.shape_names]
    patterns = {shape.metadata["pattern"] for shape in shapes if "pattern" in shape.metadata}

    assert not [pattern for pattern in patterns if python_pattern(pattern) is None]


@pytest.mark.parametrize("full", [False, True], ids=["minimal", "full"])
@pytest.mark.parametrize(("operation", "described"), EVERY)
def test_a_valid_input_parses_to_itself(operation: Operation, described: OperationModel, full: bool) -> None:
    given: dict[str, Any] = example(input_of(described), full=full)

    parsed = operation.parse(json.dumps(given).encode())

    assert parsed.keys() == given.keys()
    assert {name: parsed[name] for name in parsed if name not in _WITH_JSON} == {
        name: given[name] for name in given if name not in _WITH_JSON
    }


_WITH_JSON = {"eventList", "items", "users", "actions", "actionInteractions"}


@pytest.mark.parametrize("protocol_service", [("json", "personalize"), ("rest-json", "personalize-runtime")])
def test_the_protocol_is_the_models(protocol_service: tuple[str, Service]) -> None:
    protocol, service = protocol_service

    assert {operation.protocol for operation in load().of(service).values()} == {protocol}
