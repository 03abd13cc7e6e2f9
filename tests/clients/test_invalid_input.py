"""Whatever breaks a constraint of the service models is refused as InvalidInputException that names the member."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.clients.services import OPERATIONS, python_name
from tests.clients.violations import violations

from matinee.demo.embedded import EmbeddedServer

#: What Matinee takes although the model does not: operation, member and rule, with the reason.
TAKEN_ON_PURPOSE = {
    ("PutEvents", "userId", "shortest"): "recorded programs send an empty userId for visitors who are not signed in",
}


@pytest.fixture(scope="module")
def unchecked(server: EmbeddedServer) -> dict[str, Any]:
    """A client for each service that sends whatever it is given."""
    session: Any = boto3.session.Session("anyone", "anything", region_name="us-east-1")
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    services = {model.service_model.service_name for model in OPERATIONS.values()}
    return {name: session.client(name, endpoint_url=server.url, config=config) for name in services}


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_a_broken_constraint_is_refused_by_name(unchecked: dict[str, Any], operation: str) -> None:
    model = OPERATIONS[operation]
    ask = getattr(unchecked[model.service_model.service_name], python_name(operation))
    cases = violations(model)
    assert cases
    for case in cases:
        if (operation, case.place, case.rule) in TAKEN_ON_PURPOSE:
            continue
        with pytest.raises(ClientError) as refusal:
            ask(**case.request)
        error = refusal.value.response
        assert error["Error"]["Code"] == "InvalidInputException", f"{operation} {case}: {refusal.value}"
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 400, f"{operation} {case}"
        assert f"at '{case.place}'" in error["Error"]["Message"], f"{operation} {case}: {refusal.value}"
