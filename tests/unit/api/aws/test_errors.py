"""Exceptions as answers, in the form of each protocol."""

from __future__ import annotations

import json

import pytest

from matinee.api.aws.errors import Malformed, Protocol, RequestTooLarge, UnknownOperation, answer_to
from matinee.errors import (
    AccessDenied,
    ApiError,
    InvalidInput,
    ResourceInUse,
    ResourceNotFound,
    Throttling,
    Unauthenticated,
)


@pytest.mark.parametrize(
    ("error", "name", "control", "rest"),
    [
        (InvalidInput("why"), "InvalidInputException", 400, 400),
        (ResourceNotFound("why"), "ResourceNotFoundException", 400, 404),
        (ResourceInUse("why"), "ResourceInUseException", 400, 409),
        (Throttling("why"), "ThrottlingException", 400, 429),
        (AccessDenied("why"), "AccessDeniedException", 400, 403),
        (Unauthenticated("InvalidSignatureException", "why"), "InvalidSignatureException", 403, 403),
        (Malformed("why"), "SerializationException", 400, 400),
        (UnknownOperation("why"), "UnknownOperationException", 400, 404),
        (RequestTooLarge("why"), "RequestEntityTooLargeException", 413, 413),
    ],
)
def test_an_error_has_its_form_in_both_protocols(error: ApiError, name: str, control: int, rest: int) -> None:
    in_control, in_rest = answer_to(error, "json"), answer_to(error, "rest-json")

    assert (in_control.status, json.loads(in_control.body)) == (control, {"__type": name, "message": "why"})
    assert (in_rest.status, json.loads(in_rest.body)) == (rest, {"message": "why"})
    assert in_rest.headers == [(b"x-amzn-errortype", name.encode())]


@pytest.mark.parametrize("protocol", ["json", "rest-json"])
def test_a_message_may_hold_any_text(protocol: Protocol) -> None:
    sentence = 'A "quote", a line\nbreak, é, 日本 and \ud800.'

    assert json.loads(answer_to(InvalidInput(sentence), protocol).body)["message"] == sentence
