"""All 79 operations over boto3: each answers in its modelled shape or with a modelled error; Creates have effect."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.clients.house import House, arn_member, describe, listed
from tests.clients.requests import REQUESTS, RESOURCES
from tests.clients.services import OPERATIONS, call, check_refusal
from tests.unit.api.aws.examples import example, input_of

from matinee.demo.clients import Clients, wait_until_gone

DELETES = [name for name in sorted(OPERATIONS) if name.startswith("Delete")]


def test_there_is_a_request_for_each_operation() -> None:
    assert set(REQUESTS) == set(OPERATIONS)
    assert len(OPERATIONS) == 79


@pytest.mark.parametrize("operation", [name for name in sorted(OPERATIONS) if name not in DELETES])
def test_valid_input_is_answered_in_the_modelled_shape(house: House, operation: str) -> None:
    call(house.clients, operation, REQUESTS[operation](house))


@pytest.mark.parametrize("operation", DELETES)
def test_a_deletion_ends_with_describe_knowing_nothing(house: House, operation: str) -> None:
    resource = operation.removeprefix("Delete")
    request = REQUESTS[operation](house)
    call(house.clients, operation, request)
    arn = request[arn_member(resource)]
    wait_until_gone(lambda: describe(house.clients, resource, arn))
    assert arn not in {summary[arn_member(resource)] for summary in listed(house.clients, resource)}


@pytest.mark.parametrize("full", [False, True], ids=["smallest", "fullest"])
@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_an_example_of_the_model_is_answered_or_refused(clients: Clients, operation: str, full: bool) -> None:
    """The shape of such a request is right; what it names may not exist, and values may not fit each other."""
    request: dict[str, Any] = example(input_of(OPERATIONS[operation]), full=full)
    try:
        call(clients, operation, request)
    except ClientError as error:
        check_refusal(operation, error, *(("InvalidInputException",) if operation.startswith("List") else ()))


@pytest.mark.parametrize("resource", RESOURCES)
def test_what_was_created_is_described_and_listed(houses: tuple[House, House], resource: str) -> None:
    for house in houses:
        operation = f"Create{resource}"
        arn, request = house.arns[resource], house.requests[operation]
        shown = describe(house.clients, resource, arn)
        assert shown[arn_member(resource)] == arn
        assert {name: shown[name] for name in request if name in shown} == {
            name: value for name, value in request.items() if name in shown
        }
        (summary,) = (one for one in listed(house.clients, resource) if one[arn_member(resource)] == arn)
        assert {name: shown[name] for name in summary} == summary
