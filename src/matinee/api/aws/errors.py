"""The one place where an exception becomes a response, in the form that each protocol uses."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final, Literal

from matinee.errors import ApiError, Unauthenticated

Protocol = Literal["json", "rest-json"]

#: Media types of the two protocols, as the service answers.
CONTENT_TYPES: Final[dict[Protocol, bytes]] = {"json": b"application/x-amz-json-1.1", "rest-json": b"application/json"}


class Malformed(ApiError):
    """The body is not JSON, or a member has another JSON type than the service model says."""

    code = "SerializationException"


class UnknownOperation(ApiError):
    """No operation has this target or path."""

    code = "UnknownOperationException"
    rest_status = 404


class RequestTooLarge(ApiError):
    """The body is longer than the server reads."""

    code = "RequestEntityTooLargeException"
    control_status = 413
    rest_status = 413


class InternalFailure(ApiError):
    """Anything that was not foreseen. The cause stands in the log under the request's id, never in the answer."""

    code = "InternalFailure"
    control_status = 500
    rest_status = 500


@dataclass(frozen=True)
class Answer:
    """One HTTP answer: status, body and the headers that are its own."""

    status: int
    body: bytes
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


def answer_to(error: ApiError, protocol: Protocol) -> Answer:
    """The answer for `error`: `__type` and message for the control plane, a header and message for REST-JSON."""
    code = error.wire_code if isinstance(error, Unauthenticated) else error.code
    if protocol == "json":
        body = json.dumps({"__type": code, "message": error.message}).encode()
        return Answer(error.control_status, body)
    body = json.dumps({"message": error.message}).encode()
    return Answer(error.rest_status, body, [(b"x-amzn-errortype", code.encode())])
