"""Rates and sizes of requests: those of the quotas that a server keeps, refused before an operation begins."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from matinee.api.aws.model import Service
from matinee.control.context import Caller
from matinee.errors import InvalidInput, Throttling
from matinee.serving.capacity import Rate
from matinee.settings import Settings

Params = Mapping[str, Any]

#: Rates kept in memory; when there are more, those that nobody has used for a while are forgotten.
_MOST_RATES = 10_000


@dataclass(frozen=True)
class _Rule:
    """The quota called `quota` counts together the requests of an account and region with the same `of`."""

    quota: str
    of: Callable[[str, Params], str]


def _all_together(operation: str, params: Params) -> str:
    return ""


def _tracking_id(operation: str, params: Params) -> str:
    return str(params.get("trackingId"))


def _dataset(operation: str, params: Params) -> str:
    return str(params.get("datasetArn"))


def _deployment(operation: str, params: Params) -> str:
    return f"{operation} {params.get('campaignArn') or params.get('recommenderArn')}"


_RUNTIME = (_Rule("campaign-rate", _deployment), _Rule("runtime-rate", _all_together))
#: Of these operations and, below, of all others. A group has one tracker and one dataset of a type.
_RULES: Mapping[str, tuple[_Rule, ...]] = {
    "PutEvents": (_Rule("put-events-rate", _tracking_id),),
    "PutItems": (_Rule("put-items-rate", _dataset),),
    "PutUsers": (_Rule("put-users-rate", _dataset),),
    "PutActions": (_Rule("put-actions-rate", _dataset),),
    "PutActionInteractions": (_Rule("put-action-interactions-rate", _tracking_id),),
    "GetRecommendations": _RUNTIME,
    "GetPersonalizedRanking": _RUNTIME,
    "GetActionRecommendations": _RUNTIME,
}
_CONTROL = (_Rule("control-rate", _all_together),)


class Throttle:
    """Admits requests within the quotas of `settings`. Safe to share between threads.

    `share` is the part of each rate that this process has: one over the number of processes that share a port.
    """

    def __init__(self, settings: Settings, *, share: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        names = {rule.quota for rules in (*_RULES.values(), _CONTROL) for rule in rules}
        limits = {name: settings.quota(name) for name in names}
        self._limits = {name: limit * share for name, limit in limits.items() if limit is not None}
        self._shown = {name: limit for name, limit in limits.items() if limit is not None}
        self._event_bytes = settings.quota("event-bytes")
        self._rates: dict[tuple[str, str, str, str], Rate] = {}

    def admit(self, service: Service, operation: str, caller: Caller, params: Params) -> None:
        """Count one request. Raises `Throttling` when it is one too many for a second, and `InvalidInput` for an event
        that is too large."""
        if operation == "PutEvents" and self._event_bytes is not None:
            self._check_events(params, self._event_bytes)
        for rule in _CONTROL if service == "personalize" else _RULES.get(operation, ()):
            limit = self._limits.get(rule.quota)
            if limit is None:
                continue
            key = (rule.quota, caller.account, caller.region, rule.of(operation, params))
            with self._lock:
                taken = self._rate(key, limit).take(self._clock())
            if not taken:
                raise Throttling(
                    f"Rate exceeded: {operation} was called more than {self._shown[rule.quota]:,} times a second "
                    f"(quota {rule.quota}). Try again after a pause."
                )

    def _rate(self, key: tuple[str, str, str, str], limit: float) -> Rate:
        rate = self._rates.get(key)
        if rate is None:
            if len(self._rates) >= _MOST_RATES:
                now = self._clock()
                self._rates = {key: rate for key, rate in self._rates.items() if not rate.idle(now)}
            rate = self._rates[key] = Rate(limit)
        return rate

    def _check_events(self, params: Params, most: int) -> None:
        for number, event in enumerate(params["eventList"]):
            size = len(json.dumps(event, default=str, ensure_ascii=False).encode(errors="replace"))
            if size > most:
                raise InvalidInput(
                    f"eventList[{number}] has {size:,} bytes; an event may have {most:,}. Send fewer properties or "
                    "impressions."
                )
