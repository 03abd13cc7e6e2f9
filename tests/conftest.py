"""Fixtures shared by every suite: real servers, real data where it is, and a plain word on what is missing."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import psycopg
import pytest
import sqlalchemy as sa
from moto.server import ThreadedMotoServer

from matinee.demo.clients import Clients
from matinee.demo.embedded import EmbeddedServer


def need_program(name: str, install: str) -> str:
    """The path of a program that a test runs. Missing: in CI a failure, elsewhere a skip that tells the remedy."""
    path = shutil.which(name)
    if path is not None:
        return path
    sentence = f"needs the program {name}; install it with: {install}"
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


@pytest.fixture(autouse=True)
def _no_real_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may reach for someone's AWS account."""
    for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """A real S3 endpoint: moto's server on a free port."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def server_environment(s3_endpoint: str) -> dict[str, str]:
    """What a Matinee server of the tests needs in its environment: the moto endpoint as its S3."""
    return {
        "AWS_ENDPOINT_URL_S3": s3_endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        # Threads of a training that wait for each other make it ten times slower where other tests run beside it.
        "MATINEE_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, server_environment: dict[str, str]) -> Iterator[EmbeddedServer]:
    """One Matinee server, API and worker, for all client tests; its S3 is the moto endpoint."""
    with EmbeddedServer(tmp_path_factory.mktemp("matinee") / "home", server_environment) as running:
        yield running


@pytest.fixture
def clients(server: EmbeddedServer) -> Clients:
    """boto3 clients of the shared server."""
    return Clients.of(server.url)


@pytest.fixture
def bucket(s3_endpoint: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh bucket on the S3 endpoint, named after the test."""
    name = f"bucket-{abs(hash((request.node.nodeid, str(tmp_path)))):x}"[:40]
    client = boto3.client(
        "s3",
        endpoint_url=s3_endpoint,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    client.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real PostgreSQL server that lives as long as the test run."""
    folder = Path(tempfile.mkdtemp(prefix="matinee-pg-"))  # short: the path of its socket has a limit
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # pgserver asks for it when it is imported
    import pgserver

    server = pgserver.get_server(folder / "data", cleanup_mode="delete")
    if before is None:
        del os.environ["XDG_RUNTIME_DIR"]
    else:
        os.environ["XDG_RUNTIME_DIR"] = before
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # Tests kill workers, never this server: it need not survive a power cut.
        for statement in ("ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET synchronous_commit = off"):
            connection.execute(statement)
        connection.execute("SELECT pg_reload_conf()")
    yield str(server.get_uri())
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """The URL of a fresh, empty database on the PostgreSQL server."""
    name = f"matinee_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return sa.make_url(postgres_server).set(database=name, drivername="postgresql+psycopg").render_as_string(False)
