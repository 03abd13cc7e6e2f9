"""The application as a whole: doors, health, order of start and stop, and the AWS CLI."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from starlette.applications import Starlette
from tests.unit.api.live import Recorder, clients, get, post, serving

from matinee.api.application import create_app
from matinee.api.aws.signature import Key, MemoryKeys
from matinee.settings import Settings

KEY = Key("AKIDEXAMPLE", "the secret", "111122223333")
TEMPORARY = Key("ASIAEXAMPLE", "another secret", "444455556666", session_token="token/+=")


def credentials(key: Key) -> Credentials:
    return Credentials(key.access_key, key.secret, key.session_token)


def live(app: Starlette, requests: Callable[[], object] = lambda: None) -> None:
    """Start the application, let `requests` come, stop it: what a server does."""

    async def run() -> None:
        async with app.router.lifespan_context(app):
            requests()

    asyncio.run(run())


@pytest.mark.parametrize("key", [KEY, TEMPORARY], ids=["permanent", "temporary"])
def test_known_keys_are_let_in_as_their_account(key: Key) -> None:
    recorder = Recorder({"schemas": []})
    app = create_app(
        Settings(),
        control={"ListSchemas": recorder},
        runtime={"GetRecommendations": recorder},
        events={"PutUsers": recorder},
        key_store=MemoryKeys.of(KEY, TEMPORARY),
    )
    with serving(app) as url:
        boto = clients(url, credentials=credentials(key), region="us-west-2")
        boto["personalize"].list_schemas()
        boto["personalize-runtime"].get_recommendations(userId="Zoë")
        boto["personalize-events"].put_users(datasetArn="arn:aws:personalize:a:b:c", users=[{"userId": "Zoë"}])

    assert [(caller.account, caller.region) for caller, _ in recorder.calls] == [(key.account, "us-west-2")] * 3


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (Credentials("AKIDOTHER", KEY.secret), "UnrecognizedClientException"),
        (Credentials(KEY.access_key, "guessed"), "InvalidSignatureException"),
    ],
    ids=["unknown key", "wrong secret"],
)
def test_others_are_refused_in_both_protocols(given: Credentials, code: str) -> None:
    app = create_app(Settings(), control={}, runtime={}, events={}, key_store=MemoryKeys.of(KEY))
    with serving(app) as url:
        boto = clients(url, credentials=given)
        with pytest.raises(ClientError) as control:
            boto["personalize"].list_schemas()
        with pytest.raises(ClientError) as runtime:
            boto["personalize-runtime"].get_recommendations()

    for refused in (control, runtime):
        assert refused.value.response["Error"]["Code"] == code
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_request_without_a_signature_is_refused() -> None:
    app = create_app(Settings(), control={}, runtime={}, events={}, key_store=MemoryKeys.of(KEY))
    with serving(app) as url:
        status, headers, _ = post(url, b"{}", {}, "/recommendations")

    assert (status, headers["x-amzn-errortype"]) == (403, "MissingAuthenticationTokenException")


def test_the_process_says_that_it_is_alive() -> None:
    with serving(create_app(Settings(), control={}, runtime={}, events={})) as url:
        assert json.loads(get(url, "/healthz")[2]) == {"status": "alive"}


def test_hooks_run_in_order_around_the_requests() -> None:
    order: list[str] = []
    app = create_app(
        Settings(),
        control={},
        runtime={},
        events={},
        on_start=[lambda: order.append("first"), lambda: order.append("second")],
        on_stop=[lambda: order.append("third"), lambda: order.append("last")],
    )
    live(app, lambda: order.append("requests"))

    assert order == ["first", "second", "requests", "third", "last"]


def test_what_was_started_is_stopped_when_the_start_fails() -> None:
    stopped: list[str] = []

    def broken() -> None:
        raise OSError("the disk is full")

    app = create_app(
        Settings(), control={}, runtime={}, events={}, on_start=[broken], on_stop=[lambda: stopped.append("stopped")]
    )

    with pytest.raises(OSError, match="the disk is full"):
        live(app)
    assert stopped == ["stopped"]


def test_every_stop_hook_runs_though_one_fails() -> None:
    stopped: list[str] = []

    def broken() -> None:
        raise OSError("the disk is full")

    app = create_app(Settings(), control={}, runtime={}, events={}, on_stop=[broken, lambda: stopped.append("stopped")])

    with pytest.raises(ExceptionGroup, match="did not stop cleanly"):
        live(app)
    assert stopped == ["stopped"]


def test_the_aws_cli_works_against_it(tmp_path: Path) -> None:
    summary = {
        "name": "films",
        "schemaArn": "arn:aws:personalize:::schema/films",
        "creationDateTime": 1_700_000_000_123,
    }
    recorder = Recorder({"schemas": [summary]})
    app = create_app(Settings(), control={"ListSchemas": recorder}, runtime={}, events={})
    with serving(app) as url:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "AWS_ENDPOINT_URL_PERSONALIZE": url,
            "AWS_ACCESS_KEY_ID": "anyone",
            "AWS_SECRET_ACCESS_KEY": "anything",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }
        command = [sys.executable, "-m", "awscli", "personalize", "list-schemas", "--max-results", "5"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["schemas"][0]["name"] == "films"
    caller, params = recorder.calls[0]
    assert (caller.region, params) == ("eu-central-1", {"maxResults": 5})
