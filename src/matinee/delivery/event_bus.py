"""An EventBridge bus by boto3: each message one entry, whose detail is the CloudEvent."""

from __future__ import annotations

import re
import threading
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from matinee.delivery.cloud_event import TYPE, Message
from matinee.delivery.sqs import ONE_TRY, said
from matinee.errors import DeliveryFailed, InvalidInput

_ARN = re.compile(r"arn:aws:events:([a-z0-9-]+):\d{12}:event-bus/[A-Za-z0-9._/-]{1,256}")
_SOURCE = "matinee"


class EventBus:
    """Puts events on one bus with the credentials and endpoints that boto3 finds. EventBridge itself keeps no order."""

    def __init__(self, arn: str) -> None:
        match = _ARN.fullmatch(arn)
        if match is None:
            raise InvalidInput(
                f"{arn} is no bus; it should read like arn:aws:events:us-east-1:123456789012:event-bus/NAME."
            )
        self._arn, self._region = arn, match.group(1)
        self._guard = threading.Lock()
        self._client: Any = None

    def send(self, message: Message) -> None:
        """Return when the bus has the event; raises `DeliveryFailed`."""
        entry = {
            "Source": _SOURCE,
            "DetailType": TYPE,
            "Detail": message.body.decode(),
            "EventBusName": self._arn,
            "Resources": [message.source],
        }
        try:
            answer = self._opened().put_events(Entries=[entry])
        except (BotoCoreError, ClientError) as problem:
            raise DeliveryFailed(f"EventBridge did not take the event: {said(problem)}.") from None
        if answer["FailedEntryCount"]:
            raise DeliveryFailed(f"EventBridge did not take the event: {answer['Entries'][0].get('ErrorCode')}.")

    def close(self) -> None:
        """Let connections go."""
        if self._client is not None:
            self._client.close()

    def _opened(self) -> Any:
        with self._guard:
            if self._client is None:
                import boto3

                self._client = boto3.session.Session().client("events", region_name=self._region, config=ONE_TRY)
            return self._client
