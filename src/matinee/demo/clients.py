"""The three boto3 clients of a Personalize program, and waiting on statuses as such programs do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from matinee.errors import MatineeError

if TYPE_CHECKING:
    from mypy_boto3_personalize import PersonalizeClient
    from mypy_boto3_personalize_events import PersonalizeEventsClient
    from mypy_boto3_personalize_runtime import PersonalizeRuntimeClient
    from mypy_boto3_s3 import S3Client

#: Seconds between two looks at a status.
POLL_SECONDS = 0.1


class WorkflowFailed(MatineeError):
    """A resource ended in a failed state; carries its `failureReason`."""


@dataclass(frozen=True)
class Clients:
    """Control plane, runtime and events of one endpoint; S3 wherever boto3 finds it."""

    control: PersonalizeClient
    runtime: PersonalizeRuntimeClient
    events: PersonalizeEventsClient
    s3: S3Client

    @classmethod
    def of(cls, endpoint: str, region: str = "us-east-1") -> Self:
        """Clients for a Matinee server at `endpoint`; it accepts any credentials on loopback."""
        anyone = "matinee"
        session = boto3.session.Session(aws_access_key_id=anyone, aws_secret_access_key=anyone, region_name=region)
        config = Config(retries={"max_attempts": 2}, read_timeout=120, proxies={})
        return cls(
            control=session.client("personalize", endpoint_url=endpoint, config=config),
            runtime=session.client("personalize-runtime", endpoint_url=endpoint, config=config),
            events=session.client("personalize-events", endpoint_url=endpoint, config=config),
            s3=session.client("s3"),
        )


@dataclass(frozen=True)
class Seen:
    """One look at a resource: its status and, while it trains, how far it is (from Matinee's extra header)."""

    status: str
    fraction: float | None
    message: str


def wait_until_active(
    describe: Callable[[], Mapping[str, Any]], member: str, on_look: Callable[[Seen], None] = lambda _: None
) -> Mapping[str, Any]:
    """Poll `describe` until the resource under `member` is ACTIVE; returns it.

    Raises `WorkflowFailed` with the resource's `failureReason` when it ends otherwise.
    """
    while True:
        answer = describe()
        resource: Mapping[str, Any] = answer[member]
        status = str(resource["status"])
        on_look(_seen(status, answer["ResponseMetadata"]["HTTPHeaders"]))
        if status == "ACTIVE":
            return resource
        if status.endswith(("FAILED", "STOPPED")):
            raise WorkflowFailed(f"{member} ended as {status}: {resource.get('failureReason', 'no reason given')}")
        time.sleep(POLL_SECONDS)


def wait_until_gone(describe: Callable[[], object]) -> None:
    """Poll `describe` until the service says that the resource does not exist."""
    while True:
        try:
            describe()
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return
            raise
        time.sleep(POLL_SECONDS)


def _seen(status: str, headers: Mapping[str, str]) -> Seen:
    fraction = headers.get("x-matinee-progress")
    return Seen(
        status=status,
        fraction=float(fraction) if fraction is not None else None,
        message=headers.get("x-matinee-progress-message", ""),
    )
