"""An SQS queue by boto3: each message one CloudEvent as its body. FIFO queues keep each user's order."""

from __future__ import annotations

import hashlib
import re
import threading
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from matinee.delivery.cloud_event import MEDIA_TYPE, Message
from matinee.errors import DeliveryFailed, InvalidInput

_ARN = re.compile(r"arn:aws:sqs:([a-z0-9-]+):(\d{12}):([A-Za-z0-9_-]{1,80}(?:\.fifo)?)")
#: One try at a time: what failed is tried again by the deliverer, later and later.
ONE_TRY = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1})


class Queue:
    """Sends to one queue with the credentials and endpoints that boto3 finds."""

    def __init__(self, arn: str) -> None:
        match = _ARN.fullmatch(arn)
        if match is None:
            raise InvalidInput(f"{arn} is no queue; it should read like arn:aws:sqs:us-east-1:123456789012:NAME.")
        self._region, self._account, self._name = match.groups()
        self._guard = threading.Lock()
        self._client: Any = None
        self._url = ""

    def send(self, message: Message) -> None:
        """Return when the queue has the message; raises `DeliveryFailed`."""
        order: dict[str, str] = {}
        if self._name.endswith(".fifo"):
            # Any text is a user's ID, but not a group's.
            group = hashlib.sha256(message.lane.encode()).hexdigest()
            order = {"MessageGroupId": group, "MessageDeduplicationId": message.id}
        try:
            self._opened().send_message(
                QueueUrl=self._url,
                MessageBody=message.body.decode(),
                MessageAttributes={"content-type": {"DataType": "String", "StringValue": MEDIA_TYPE}},
                **order,
            )
        except (BotoCoreError, ClientError) as problem:
            raise DeliveryFailed(f"SQS did not take the message: {said(problem)}.") from None

    def close(self) -> None:
        """Let connections go."""
        if self._client is not None:
            self._client.close()

    def _opened(self) -> Any:
        with self._guard:
            if self._client is None:
                import boto3

                client = boto3.session.Session().client("sqs", region_name=self._region, config=ONE_TRY)
                found = client.get_queue_url(QueueName=self._name, QueueOwnerAWSAccountId=self._account)
                self._client, self._url = client, found["QueueUrl"]
            return self._client


def said(problem: BotoCoreError | ClientError) -> str:
    """What AWS said, in its own word; never what was sent."""
    if isinstance(problem, ClientError):
        return str(problem.response.get("Error", {}).get("Code", "an error without a code"))
    return type(problem).__name__
