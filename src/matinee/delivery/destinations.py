"""Where deliveries go, told by one text: a webhook's URL, a Redis stream, an SQS queue or an EventBridge bus.

https://shop.example/hook                      a signed webhook
redis://cache:6379/0?stream=recommendations    a Redis stream
arn:aws:sqs:us-east-1:123456789012:films.fifo  an SQS queue
arn:aws:events:us-east-1:123456789012:event-bus/films
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from matinee.delivery.addresses import endpoint_of
from matinee.delivery.cloud_event import Message
from matinee.errors import InvalidInput
from matinee.settings import Settings


class Destination(Protocol):
    """Takes messages; used by several threads at once."""

    def send(self, message: Message) -> None:
        """Return when the message is taken; raises `DeliveryFailed`."""

    def close(self) -> None:
        """Let connections go."""


def check_destination(to: str, settings: Settings) -> None:
    """Raise `InvalidInput` for a text that names no destination, or one that may not be used."""
    _kind(to)(to, (), settings).close()


def open_destination(to: str, secrets: Sequence[str], settings: Settings) -> Destination:
    """What sends to a destination; connections are made with the first message. `secrets` sign webhooks."""
    return _kind(to)(to, secrets, settings)


def is_webhook(to: str) -> bool:
    """Whether messages to a destination are signed."""
    return to.startswith(("https:", "http:"))


def _kind(to: str) -> Callable[[str, Sequence[str], Settings], Destination]:
    if is_webhook(to):
        return _webhook
    for beginning, opens in (
        ("redis:", _redis),
        ("rediss:", _redis),
        ("arn:aws:sqs:", _sqs),
        ("arn:aws:events:", _bus),
    ):
        if to.startswith(beginning):
            return opens
    raise InvalidInput(
        "A rule delivers to an https:// URL, to redis://host:port/0?stream=NAME, to arn:aws:sqs:… or to "
        "arn:aws:events:…:event-bus/NAME."
    )


def _webhook(to: str, secrets: Sequence[str], settings: Settings) -> Destination:
    from matinee.delivery.webhook import Webhook

    return Webhook(endpoint_of(to, settings.delivery_hosts), secrets, settings.delivery_ca)


def _redis(to: str, _secrets: Sequence[str], _settings: Settings) -> Destination:
    from matinee.delivery.redis_stream import RedisStream

    return RedisStream(to)


def _sqs(to: str, _secrets: Sequence[str], _settings: Settings) -> Destination:
    from matinee.delivery.sqs import Queue

    return Queue(to)


def _bus(to: str, _secrets: Sequence[str], _settings: Settings) -> Destination:
    from matinee.delivery.event_bus import EventBus

    return EventBus(to)
