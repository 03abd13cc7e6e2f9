"""The three service models as botocore has them, and whether what came over the wire fits them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import botocore.session
from botocore.exceptions import ClientError
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from matinee.api.aws.model import SERVICES
from matinee.demo.clients import Clients

OPERATIONS: dict[str, OperationModel] = {}
for _service in SERVICES:
    _model = botocore.session.get_session().get_service_model(_service)
    OPERATIONS.update({name: _model.operation_model(name) for name in _model.operation_names})


@cache
def python_name(operation: str) -> str:
    """`CreateCampaign` as boto3's method is called."""
    return str(botocore.xform_name(operation))


def client_of(clients: Clients, operation: str) -> Any:
    """The client that has an operation."""
    service = OPERATIONS[operation].service_model.service_name
    return {
        "personalize": clients.control,
        "personalize-runtime": clients.runtime,
        "personalize-events": clients.events,
    }[service]


def call(clients: Clients, operation: str, request: dict[str, Any]) -> Any:
    """Call an operation by its name on the wire, and hold the raw answer against the model."""
    client = client_of(clients, operation)
    with raw_answers(client) as answers:
        answer = getattr(client, python_name(operation))(**request)
    check_body(OPERATIONS[operation], answers[-1].content)
    return answer


def check_refusal(operation: str, error: ClientError, *also: str) -> None:
    """A refusal is one of the operation's modelled exceptions (or one of `also`), a 4xx, and says something."""
    code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    declared = {shape.name for shape in OPERATIONS[operation].error_shapes}
    assert code in {*declared, *also}, f"{operation}: {error}"
    assert 400 <= status < 500, f"{operation}: {status}"
    assert error.response["Error"]["Message"].strip(), f"{operation}: {error}"


def check_body(operation: OperationModel, body: bytes) -> None:
    """Every member of an answer is one of the model's and of its type; required ones are there; nothing is null."""
    shape = operation.output_shape
    if shape is None:
        assert body == b"", f"{operation.name} answers {body!r}"
    else:
        _fits(json.loads(body), shape, operation.name)


@contextmanager
def raw_answers(client: Any) -> Iterator[list[Any]]:
    """Within the block, collect the HTTP answers (status_code, headers, content) that a boto3 client receives."""
    answers: list[Any] = []

    def keep(http_response: Any, **_: Any) -> None:
        answers.append(http_response)

    client.meta.events.register("after-call", keep)
    try:
        yield answers
    finally:
        client.meta.events.unregister("after-call", keep)


def _fits(value: Any, shape: Shape, place: str) -> None:
    if isinstance(shape, StructureShape):
        assert isinstance(value, dict), f"{place}: {value!r}"
        assert set(value) <= set(shape.members), f"{place} has {set(value) - set(shape.members)}"
        assert set(shape.required_members) <= set(value), f"{place} lacks {set(shape.required_members) - set(value)}"
        for name, member in value.items():
            _fits(member, shape.members[name], f"{place}.{name}")
    elif isinstance(shape, ListShape):
        assert isinstance(value, list), f"{place}: {value!r}"
        for number, member in enumerate(value):
            _fits(member, shape.member, f"{place}[{number}]")
    elif isinstance(shape, MapShape):
        assert isinstance(value, dict), f"{place}: {value!r}"
        for key, member in value.items():
            _fits(key, shape.key, f"{place} key")
            _fits(member, shape.value, f"{place}.{key}")
    else:
        _fits_scalar(value, shape, place)


def _fits_scalar(value: Any, shape: Shape, place: str) -> None:
    match shape.type_name:
        case "string":
            assert isinstance(value, str), f"{place}: {value!r}"
            assert value in (shape.metadata.get("enum") or [value]), f"{place}: {value!r}"
        case "boolean":
            assert isinstance(value, bool), f"{place}: {value!r}"
        case "integer" | "long":
            assert type(value) is int, f"{place}: {value!r}"
        case "double" | "float":
            assert type(value) in (int, float), f"{place}: {value!r}"
        case "timestamp":
            assert 1_400_000_000 < value < 10_000_000_000, f"{place} is not in epoch seconds: {value!r}"
        case other:
            raise AssertionError(f"{place}: no check for {other}")
