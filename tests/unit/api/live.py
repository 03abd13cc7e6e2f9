"""A Matinee application on a real socket, and boto3 clients for it."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.credentials import Credentials
from starlette.types import ASGIApp

from matinee.api.aws.gateway import Handler
from matinee.api.aws.model import SERVICES, Service
from matinee.api.http import HttpServer, bind, url_of
from matinee.control.context import Caller

ANYONE = Credentials("anyone", "anything")


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve `app` from a thread for as long as the block lasts; gives the URL."""
    listening = threading.Event()
    with bind("127.0.0.1", 0) as bound:
        server = HttpServer(app, bound, listening.set)
        thread = threading.Thread(target=server.serve_until_stopped)
        thread.start()
        try:
            assert listening.wait(20)
            yield url_of(bound)
        finally:
            server.should_exit = True
            thread.join(30)
    assert not thread.is_alive()


def clients(
    url: str,
    *,
    credentials: Credentials = ANYONE,
    region: str = "eu-west-1",
    validate: bool = True,
) -> dict[Service, Any]:
    """A boto3 client for each of the three APIs at `url`."""
    session = boto3.session.Session(*credentials.get_frozen_credentials()[:3], region_name=region)
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=validate)
    return {service: session.client(service, endpoint_url=url, config=config) for service in SERVICES}


def post(
    url: str, body: Any, headers: Mapping[str, str], path: str = "/", method: str = "POST"
) -> tuple[int, dict[str, str], bytes]:
    """A request without an AWS client; gives status, headers by lower-case name, and body."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def get(url: str, path: str) -> tuple[int, dict[str, str], bytes]:
    """What `path` shows to a browser."""
    return post(url, None, {}, path, "GET")


class Recorder:
    """A handler that remembers its calls and gives one answer."""

    def __init__(self, answer: Mapping[str, Any] | None = None) -> None:
        self.answer = dict(answer or {})
        self.calls: list[tuple[Caller, dict[str, Any]]] = []

    def __call__(self, caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((caller, params))
        return self.answer


def failing(error: Exception) -> Handler:
    """A handler that raises `error`."""

    def fail(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
        raise error

    return fail
