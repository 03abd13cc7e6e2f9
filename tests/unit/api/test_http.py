"""Sockets and addresses."""

from __future__ import annotations

import socket

import pytest
from tests.unit.api.live import get, serving

from matinee.api.application import create_app
from matinee.api.http import HttpServer, bind, is_loopback, url_of
from matinee.errors import SettingsProblem
from matinee.settings import Settings


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("localhost", True),
        ("::1", True),
        ("192.0.2.1", False),
        ("::", False),
        ("10.0.0.1", False),
        ("example.org", False),
        ("localhost.example.org", False),
    ],
)
def test_only_this_machines_own_addresses_are_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_any_free_port_is_taken_and_told() -> None:
    with bind("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]

        assert port > 0
        assert url_of(bound) == f"http://127.0.0.1:{port}"


def test_a_port_in_use_is_named() -> None:
    with bind("127.0.0.1", 0) as taken, socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        with pytest.raises(SettingsProblem, match=rf"Cannot listen on 127.0.0.1:{port}: Address already in use"):
            bind("127.0.0.1", port)
        assert taken.getsockname()[1] != port


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(SettingsProblem, match=r"not an address|Cannot listen"):
        bind("203.0.113.7", 0)


def test_a_server_answers_until_it_is_asked_to_stop() -> None:
    with serving(create_app(Settings(), control={}, runtime={}, events={})) as url:
        assert get(url, "/healthz")[0] == 200

    with pytest.raises(ConnectionError):
        get(url, "/healthz")


def test_nothing_is_told_when_the_application_does_not_start() -> None:
    def broken() -> None:
        raise OSError("the disk is full")

    told: list[str] = []
    app = create_app(Settings(), control={}, runtime={}, events={}, on_start=[broken])

    with bind("127.0.0.1", 0) as bound, pytest.raises(SystemExit):
        HttpServer(app, bound, lambda: told.append("listening")).serve_until_stopped()
    assert told == []
