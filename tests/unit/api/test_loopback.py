"""Requests that another name led here are refused while any credentials are taken."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError
from tests.unit.api.live import Recorder, clients, post, serving

from matinee.api.application import create_app
from matinee.api.aws.signature import MemoryKeys
from matinee.api.loopback import host_of
from matinee.settings import Settings

APP = create_app(
    Settings(),
    control={"ListSchemas": Recorder({"schemas": []})},
    runtime={"GetRecommendations": Recorder()},
    events={},
)
TARGET = {"x-amz-target": "AmazonPersonalize.ListSchemas"}


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8765", "127.0.0.1:1", "127.1.2.3", "[::1]:8765", "[::1]"])
def test_this_machines_names_are_answered(host: str) -> None:
    with serving(APP) as url:
        assert post(url, b"{}", {**TARGET, "host": host})[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "localhost.evil.example", "192.0.2.1", ""]
)
@pytest.mark.parametrize("path", ["/", "/recommendations", "/metrics"])
def test_other_names_are_refused_with_a_sentence(host: str, path: str) -> None:
    with serving(APP) as url:
        status, headers, body = post(url, b"{}", {**TARGET, "host": host}, path)

    assert (status, headers["x-amzn-errortype"]) == (403, "AccessDeniedException")
    assert "matinee keys create" in json.loads(body)["message"]


@pytest.mark.parametrize("service", ["personalize", "personalize-runtime"])
def test_clients_show_the_refusal(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(APP) as url:
        client = {str(name): made for name, made in clients(url).items()}[service]
        client.meta.events.register(
            "before-sign", lambda request, **_: request.headers.__setitem__("Host", "films.example")
        )
        with pytest.raises(ClientError, match="the Host header names another host") as refused:
            client.list_schemas() if service == "personalize" else client.get_recommendations()

    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_with_keys_any_name_may_lead_here() -> None:
    app = create_app(Settings(), control={}, runtime={}, events={}, key_store=MemoryKeys.of())
    with serving(app) as url:
        assert post(url, None, {"host": "films.example"}, "/healthz", "GET")[0] == 200


@pytest.mark.parametrize(
    ("header", "host"), [("a:1", "a"), ("A", "a"), ("[::1]:8765", "::1"), ("[::1]", "::1"), ("", ""), ("[", "")]
)
def test_ports_and_brackets_are_left_out(header: str, host: str) -> None:
    assert host_of(header) == host
