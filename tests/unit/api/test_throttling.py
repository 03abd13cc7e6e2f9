"""Rates and sizes of requests, by a clock of the test's own; what a refusal reads like is asked with boto3."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.unit.api.live import Recorder, clients, serving

from matinee.api.application import create_app
from matinee.api.throttling import Throttle
from matinee.control.context import Caller
from matinee.errors import InvalidInput, Throttling
from matinee.quotas import Limit
from matinee.settings import Settings

ONE = Caller("111122223333", "us-east-1")
ANOTHER = Caller("444455556666", "us-east-1")
EVENT = {"eventType": "watch", "sentAt": 1}


class Clock:
    """Shows what the test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def throttle(clock: Clock, *, share: float = 1.0, **limits: int) -> Throttle:
    """One that keeps these quotas, their names with underscores."""
    given = tuple(Limit(name.replace("_", "-"), number) for name, number in limits.items())
    return Throttle(Settings(quotas=given), share=share, clock=clock)


def admitted(gate: Throttle, calls: int, operation: str = "PutItems", caller: Caller = ONE, **params: Any) -> int:
    """How many of so many calls at once are admitted."""
    count = 0
    for _ in range(calls):
        try:
            gate.admit("personalize-events", operation, caller, params)
        except Throttling:
            continue
        count += 1
    return count


def test_by_default_nothing_is_throttled(clock: Clock) -> None:
    gate = Throttle(Settings(), clock=clock)
    assert admitted(gate, 500, datasetArn="a") == 500
    assert admitted(gate, 500, "PutEvents", trackingId="t", eventList=[EVENT]) == 500


def test_the_services_own_quotas_are_kept_when_asked_for(clock: Clock) -> None:
    gate = Throttle(Settings(aws_quotas=True), clock=clock)
    assert admitted(gate, 20, "PutItems", datasetArn="a") == 10
    assert admitted(gate, 20, "PutUsers", datasetArn="b") == 10
    assert admitted(gate, 20, "PutActions", datasetArn="c") == 10
    assert admitted(gate, 1100, "PutEvents", trackingId="t", eventList=[EVENT]) == 1000
    clock.now += 0.5
    assert admitted(gate, 20, "PutItems", datasetArn="a") == 5


def test_datasets_groups_and_accounts_have_rates_of_their_own(clock: Clock) -> None:
    gate = throttle(clock, put_items_rate=2, put_events_rate=3)
    assert admitted(gate, 5, datasetArn="a") == 2
    assert admitted(gate, 5, datasetArn="b") == 2
    assert admitted(gate, 5, datasetArn="a", caller=ANOTHER) == 2
    assert admitted(gate, 5, "PutUsers", datasetArn="a") == 5
    assert admitted(gate, 5, "PutEvents", trackingId="t") == 3


def test_a_campaign_has_a_rate_for_each_operation_and_all_share_the_accounts(clock: Clock) -> None:
    gate = throttle(clock, campaign_rate=4, runtime_rate=10)
    assert admitted(gate, 9, "GetRecommendations", campaignArn="a") == 4
    assert admitted(gate, 9, "GetPersonalizedRanking", campaignArn="a") == 4
    assert admitted(gate, 9, "GetRecommendations", recommenderArn="r") == 2
    assert admitted(gate, 9, "GetRecommendations", campaignArn="b", caller=ANOTHER) == 4


def test_processes_share_a_rate(clock: Clock) -> None:
    assert admitted(throttle(clock, share=0.5, put_items_rate=8), 20, datasetArn="a") == 4


def test_rates_that_nobody_uses_are_forgotten(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matinee.api.throttling._MOST_RATES", 3)
    gate = throttle(clock, put_events_rate=1)
    for number in range(3):
        assert admitted(gate, 1, "PutEvents", trackingId=f"t{number}") == 1
    clock.now += 2
    assert admitted(gate, 2, "PutEvents", trackingId="t3") == 1
    assert len(gate._rates) == 1


def test_an_event_that_is_too_large_is_refused(clock: Clock) -> None:
    gate = Throttle(Settings(aws_quotas=True), clock=clock)
    large = {**EVENT, "impression": ["é" * 200] * 25, "properties": json.dumps({"a": "b" * 900})}
    with pytest.raises(InvalidInput, match=r"eventList\[1\] has 11,\d\d\d bytes; an event may have 10,000"):
        gate.admit("personalize-events", "PutEvents", ONE, {"trackingId": "t", "eventList": [EVENT, large]})


def test_clients_get_the_services_exception() -> None:
    put, show = Recorder(), Recorder({"schemas": []})
    settings = Settings(quotas=(Limit("put-items-rate", 0), Limit("control-rate", 0)))
    app = create_app(settings, control={"ListSchemas": show}, runtime={}, events={"PutItems": put, "PutUsers": put})
    arn = "arn:aws:personalize:eu-west-1:123456789012:dataset/films/ITEMS"
    with serving(app) as url:
        asked = clients(url)
        with pytest.raises(ClientError, match="Rate exceeded: PutItems") as events:
            asked["personalize-events"].put_items(datasetArn=arn, items=[{"itemId": "1"}])
        with pytest.raises(ClientError, match="Rate exceeded: ListSchemas") as control:
            asked["personalize"].list_schemas()
        asked["personalize-events"].put_users(datasetArn=arn, users=[{"userId": "1"}])
    refusals = [one.value.response for one in (events, control)]
    assert [one["Error"]["Code"] for one in refusals] == ["ThrottlingException"] * 2
    assert [one["ResponseMetadata"]["HTTPStatusCode"] for one in refusals] == [429, 400]
    assert (len(put.calls), len(show.calls)) == (1, 0)
