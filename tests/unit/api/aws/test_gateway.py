"""Requests of real clients, from bytes to bytes."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from botocore.model import OperationModel
from structlog.testing import capture_logs
from tests.unit.api.aws.examples import ARN, MILLISECONDS, example, input_of
from tests.unit.api.live import Recorder, clients, failing, post, serving

from matinee.api.application import create_app
from matinee.api.aws.door import OpenDoor
from matinee.api.aws.gateway import BODY_LIMIT, Gateway
from matinee.api.aws.model import SERVICES, Service, load, service_model
from matinee.api.metrics import Metrics
from matinee.api.throttling import Throttle
from matinee.control.context import Caller
from matinee.errors import InvalidInput, ResourceInUse, ResourceNotFound
from matinee.serving.quick_answers import EncodedCall
from matinee.settings import Settings

OPERATIONS = [(service, name) for service in SERVICES for name in service_model(service).operation_names]
MODELS = {pair: service_model(pair[0]).operation_model(pair[1]) for pair in OPERATIONS}


class Bench:
    """A server whose handlers a test can change, and clients for it."""

    def __init__(self) -> None:
        self.handlers: dict[Service, dict[str, Any]] = {service: {} for service in SERVICES}
        for service, name in OPERATIONS:
            output = MODELS[service, name].output_shape
            self.handlers[service][name] = Recorder(
                example(output, full=True, time=MILLISECONDS) if output is not None else {}
            )

    def app(self) -> Any:
        named = {
            service: {name: self._late(service, name) for name in handlers}
            for service, handlers in self.handlers.items()
        }
        return create_app(
            Settings(),
            control=named["personalize"],
            runtime=named["personalize-runtime"],
            events=named["personalize-events"],
        )

    def _late(self, service: Service, name: str) -> Any:
        return lambda caller, params: self.handlers[service][name](caller, params)


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Bench, str]]:
    bench = Bench()
    with serving(bench.app()) as url:
        yield bench, url


@pytest.fixture
def bench(shared: tuple[Bench, str]) -> Iterator[Bench]:
    before = {service: dict(handlers) for service, handlers in shared[0].handlers.items()}
    yield shared[0]
    shared[0].handlers.update(before)


@pytest.fixture
def url(shared: tuple[Bench, str]) -> str:
    return shared[1]


@pytest.fixture(scope="module")
def boto(shared: tuple[Bench, str]) -> dict[Service, Any]:
    return clients(shared[1])


def call(boto: Mapping[Service, Any], service: Service, name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    client = boto[service]
    methods = {operation: method for method, operation in client.meta.method_to_api_mapping.items()}
    answer: dict[str, Any] = getattr(client, methods[name])(**params)
    return answer


def control(name: str) -> dict[str, str]:
    return {"X-Amz-Target": f"AmazonPersonalize.{name}", "Content-Type": "application/x-amz-json-1.1"}


def moments(value: Any) -> Any:
    """botocore's parsed answer with times as epoch milliseconds, as handlers give them."""
    if isinstance(value, dict):
        return {name: moments(member) for name, member in value.items()}
    if isinstance(value, list):
        return [moments(member) for member in value]
    return round(value.timestamp() * 1000) if isinstance(value, datetime) else value


@pytest.mark.parametrize("pair", OPERATIONS, ids=[name for _, name in OPERATIONS])
def test_boto3_gets_every_member_of_every_answer(bench: Bench, boto: Any, pair: tuple[Service, str]) -> None:
    service, name = pair
    described: OperationModel = MODELS[pair]
    params = example(input_of(described), full=False)

    answer = call(boto, service, name, params)

    recorder = bench.handlers[service][name]
    assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == 200
    assert moments(answer) == recorder.answer
    assert recorder.calls[-1][1].keys() == params.keys()


@pytest.mark.parametrize("pair", OPERATIONS, ids=[name for _, name in OPERATIONS])
def test_every_error_that_an_operation_declares_is_raised_by_name(
    bench: Bench, boto: Any, pair: tuple[Service, str]
) -> None:
    service, name = pair
    client = boto[service]
    declared = {shape.name for shape in MODELS[pair].error_shapes}
    params = example(input_of(MODELS[pair]), full=False)

    for error in (error for error in (InvalidInput, ResourceInUse, ResourceNotFound) if error.code in declared):
        bench.handlers[service][name] = failing(error("the sentence"))
        with pytest.raises(getattr(client.exceptions, error.code)) as raised:
            call(boto, service, name, params)
        assert raised.value.response["Error"]["Message"] == "the sentence"


def test_the_handler_learns_who_calls_from_where(bench: Bench, url: str) -> None:
    clients(url, region="ap-south-1")["personalize"].list_schemas()

    caller, params = bench.handlers["personalize"]["ListSchemas"].calls[-1]
    assert (caller.account, caller.region, caller.access_key) == ("123456789012", "ap-south-1", "anyone")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", caller.request_id)
    assert params == {}


def test_the_answer_carries_the_requests_id(bench: Bench, boto: Any) -> None:
    answer = boto["personalize"].list_schemas()

    request_id = bench.handlers["personalize"]["ListSchemas"].calls[-1][0].request_id
    assert answer["ResponseMetadata"]["RequestId"] == request_id


@pytest.mark.parametrize(
    ("path", "headers", "media_type"),
    [("/", control("ListSchemas"), "application/x-amz-json-1.1"), ("/recommendations", {}, "application/json")],
)
def test_answers_have_the_services_headers(url: str, path: str, headers: dict[str, str], media_type: str) -> None:
    _, answered, _ = post(url, b"{}", headers, path)

    assert answered["content-type"] == media_type
    assert answered["cache-control"] == "no-cache"
    assert answered["x-content-type-options"] == "nosniff"
    assert answered["x-frame-options"] == "DENY"
    assert len(answered["x-amzn-requestid"]) == 36
    assert "server" not in answered


def test_an_operation_without_output_answers_with_an_empty_body(url: str) -> None:
    status, headers, body = post(url, json.dumps({"campaignArn": ARN}), control("DeleteCampaign"))

    assert (status, headers["content-length"], body) == (200, "0", b"")


def test_an_operation_with_an_empty_output_answers_with_an_object(url: str) -> None:
    request = json.dumps({"resourceArn": ARN, "tags": []})

    assert post(url, request, control("TagResource"))[::2] == (200, b"{}")


def test_text_beyond_ascii_survives_both_ways(bench: Bench, boto: Any) -> None:
    items = {"itemList": [{"itemId": "Le Fabuleux Destin d'Amélie 日本 🎬"}], "recommendationId": "RID"}
    bench.handlers["personalize-runtime"]["GetRecommendations"] = recorder = Recorder(items)

    answer = boto["personalize-runtime"].get_recommendations(userId="Zoë 🎬")

    assert answer["itemList"] == items["itemList"]
    assert recorder.calls[0][1] == {"userId": "Zoë 🎬"}


def test_a_broken_constraint_is_an_invalid_input(url: str) -> None:
    client = clients(url, validate=False)["personalize"]

    with pytest.raises(client.exceptions.InvalidInputException, match=r"at 'name' failed.*must not be null"):
        client.create_dataset_group()


def test_trap_1_a_refusal_of_the_runtime_has_its_status_and_header(bench: Bench, url: str) -> None:
    bench.handlers["personalize-runtime"]["GetRecommendations"] = failing(ResourceNotFound.of(ARN))

    status, headers, body = post(url, b"{}", {}, "/recommendations")

    assert (status, headers["x-amzn-errortype"]) == (404, "ResourceNotFoundException")
    assert json.loads(body) == {"message": f"Resource Arn {ARN} does not exist."}


def test_a_failure_tells_nothing_but_the_requests_id(
    bench: Bench, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.handlers["personalize"]["ListSchemas"] = failing(RuntimeError("the password is swordfish"))

    with capture_logs() as logged:
        status, headers, body = post(url, b"{}", control("ListSchemas"))

    assert (status, json.loads(body)["__type"]) == (500, "InternalFailure")
    assert b"swordfish" not in body
    assert headers["x-amzn-requestid"].encode() in body
    assert [(line["event"], line["request_id"], line["operation"]) for line in logged] == [
        (event, headers["x-amzn-requestid"], "ListSchemas") for event in ("request failed", "request")
    ]


def test_an_answer_that_cannot_be_written_is_a_failure(bench: Bench, url: str) -> None:
    bench.handlers["personalize-runtime"]["GetRecommendations"] = Recorder({"recommendationId": float("nan")})

    status, headers, _ = post(url, b"{}", {}, "/recommendations")

    assert (status, headers["x-amzn-errortype"]) == (500, "InternalFailure")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/", control("MakeCoffee"), 400),
        ("POST", "/", {}, 400),
        ("GET", "/", {}, 400),
        ("GET", "/recommendations", {}, 404),
        ("POST", "/recommendations/", {}, 404),
        ("POST", "/films", {}, 404),
        ("PUT", "/", control("ListSchemas"), 400),
    ],
)
def test_what_is_no_operation_is_unknown(
    url: str, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answered, answer_headers, body = post(url, b"{}", headers, path, method)

    name = answer_headers.get("x-amzn-errortype") or json.loads(body)["__type"]
    assert (answered, name) == (status, "UnknownOperationException")
    assert "POST /action-interactions, /action-recommendations, /actions" in json.loads(body)["message"]


def test_a_body_that_is_not_json_is_malformed(url: str) -> None:
    status, _, body = post(url, b"{", control("ListSchemas"))

    assert (status, json.loads(body)["__type"]) == (400, "SerializationException")


def test_a_body_that_announces_too_much_is_refused_unread(url: str) -> None:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    connection.putrequest("POST", "/items")
    connection.putheader("Content-Length", str(BODY_LIMIT + 1))
    connection.endheaders()

    answer = connection.getresponse()

    assert (answer.status, answer.headers["x-amzn-errortype"]) == (413, "RequestEntityTooLargeException")
    connection.close()


def test_a_body_that_grows_too_large_is_refused(url: str) -> None:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    chunks = (b"x" * 65536 for _ in range(BODY_LIMIT // 65536 + 1))

    connection.request("POST", "/items", chunks, encode_chunked=True, headers={"Transfer-Encoding": "chunked"})

    assert connection.getresponse().status == 413
    connection.close()


def test_a_body_in_pieces_is_put_together(url: str) -> None:
    pieces = iter([b'{"user', b'Id": "1"', b"}"])

    status, _, _ = post(url, pieces, {}, "/recommendations")

    assert status == 200


def test_an_asynchronous_handler_is_awaited(bench: Bench, boto: Any) -> None:
    async def put_events(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
        seen.append(params["sessionId"])
        return {}

    seen: list[str] = []
    bench.handlers["personalize-events"]["PutEvents"] = put_events
    event = {"eventType": "click", "sentAt": 1_700_000_000}

    boto["personalize-events"].put_events(trackingId="t", sessionId="s", eventList=[event])

    assert seen == ["s"]


def test_control_handlers_may_block_while_recommendations_go_on(bench: Bench, url: str) -> None:
    entered, release = threading.Event(), threading.Event()

    def blocked(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
        entered.set()
        assert release.wait(20)
        return {"schemas": []}

    bench.handlers["personalize"]["ListSchemas"] = blocked
    waiting = threading.Thread(target=post, args=(url, b"{}", control("ListSchemas")))
    waiting.start()
    try:
        assert entered.wait(20)
        assert post(url, b"{}", {}, "/recommendations")[0] == 200
    finally:
        release.set()
        waiting.join(20)


def test_extra_headers_are_sent_and_cannot_end_their_line(bench: Bench, boto: Any) -> None:
    extra = {"X-Matinee-Progress": 0.25, "x-matinee-progress-message": "Hälfte\r\nset-cookie: a=b"}
    bench.handlers["personalize"]["ListSchemas"] = Recorder({"schemas": [], "@headers": extra})

    answer = boto["personalize"].list_schemas()

    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-matinee-progress"] == "0.25"
    assert headers["x-matinee-progress-message"] == "H?lfte??set-cookie: a=b"
    assert "@headers" not in answer


def test_an_operation_without_a_handler_is_not_there_yet() -> None:
    app = create_app(Settings(), control={}, runtime={}, events={})
    with serving(app) as url, pytest.raises(ClientError, match="does not have ListSchemas yet"):
        clients(url)["personalize"].list_schemas()


def test_a_handler_of_no_operation_is_refused_at_start() -> None:
    with pytest.raises(KeyError, match="MakeCoffee"):
        create_app(Settings(), control={"MakeCoffee": Recorder()}, runtime={}, events={})


def test_a_client_that_went_away_is_not_answered() -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    gateway = Gateway(load(), {}, OpenDoor("123456789012"), Metrics(), Throttle(Settings()))
    scope = {"type": "http", "method": "POST", "path": "/events", "headers": []}
    asyncio.run(gateway(scope, receive, send))

    assert sent == []


class _Again:
    """Answers in bytes, and knows a body that it was asked before."""

    def __init__(self) -> None:
        self.params: dict[bytes, Mapping[str, Any]] = {}

    def known(self, caller: Caller, body: bytes) -> Any:
        return SimpleNamespace(params=self.params[body]) if body in self.params else None

    def again(self, answer: Any) -> bytes:
        return b'{"itemList":[],"recommendationId":"again"}'

    def compute(self, calls: Sequence[EncodedCall]) -> list[bytes | Exception]:
        return [self._computed(call) for call in calls]

    def _computed(self, call: EncodedCall) -> bytes | Exception:
        if call.params.get("userId") == "refused":
            return InvalidInput("Not this one.")
        self.params[call.body] = call.params
        return b'{"itemList":[{"itemId":"a"}],"recommendationId":"new"}'


def test_an_operation_may_answer_in_bytes_and_know_what_it_answered() -> None:
    app = create_app(
        Settings(),
        control={},
        runtime={"GetRecommendations": Recorder({})},
        events={},
        encoded={"GetRecommendations": _Again()},
    )
    with serving(app) as url:
        ask = clients(url)["personalize-runtime"].get_recommendations
        assert [ask(userId="u")["recommendationId"] for _ in range(2)] == ["new", "again"]
        assert ask(userId="v")["itemList"] == [{"itemId": "a"}]
        with pytest.raises(ClientError, match="Not this one"):
            ask(userId="refused")
