"""Fixtures shared by every suite: real servers, real data where it is, and a plain word on what is missing."""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import boto3
import pytest
import sqlalchemy as sa
from moto.server import ThreadedMotoServer

from matinee.demo.clients import Clients
from matinee.demo.embedded import EmbeddedServer
from matinee.storage.metadata import Database, tables


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


def _need_postgres() -> ModuleType:
    """The module that brings a PostgreSQL server. Missing: in CI a failure, elsewhere a skip that tells the remedy."""
    try:
        importlib.import_module("psycopg")
        return importlib.import_module("pgserver")
    except ImportError as missing:
        sentence = f"needs PostgreSQL ({missing}); install it with: pip install -e '.[dev,postgres]'"
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a real PostgreSQL server that lives as long as the test run."""
    folder = Path(tempfile.mkdtemp(prefix="matinee-pg-"))  # short: the path of its socket has a limit
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # pgserver asks for it when it is imported
    server = _need_postgres().get_server(folder / "data", cleanup_mode="delete")
    if before is None:
        del os.environ["XDG_RUNTIME_DIR"]
    else:
        os.environ["XDG_RUNTIME_DIR"] = before
    url = str(server.get_uri())
    # Tests kill workers, never this server: it need not survive a power cut.
    _on_server(url, "ALTER SYSTEM SET fsync = off")
    _on_server(url, "ALTER SYSTEM SET synchronous_commit = off")
    _on_server(url, "SELECT pg_reload_conf()")
    yield url
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """The URL of a fresh, empty database on the PostgreSQL server."""
    return _new_postgres(postgres_server)


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: str) -> str:
    """The name of a database with every table and no row, to be copied."""
    url = _new_postgres(postgres_server)
    database = Database(url)
    database.upgrade()
    database.close()
    return str(database.url.database)


@pytest.fixture
def furnished_postgres_url(postgres_server: str, _postgres_template: str) -> str:
    """The URL of a fresh database on the PostgreSQL server in which every table is, and no row."""
    return _new_postgres(postgres_server, f"TEMPLATE {_postgres_template}")


@pytest.fixture(scope="session")
def shared_postgres(postgres_server: str, _postgres_template: str) -> str:
    return _new_postgres(postgres_server, f"TEMPLATE {_postgres_template}")


@pytest.fixture
def shared_postgres_url(shared_postgres: str) -> str:
    """The URL of a PostgreSQL database with every table and no row, which test after test has to itself.

    It is emptied when a test asks for it: that takes milliseconds, where a database of one's own takes a tenth of a
    second. Only for tests that leave nothing running.
    """
    database = Database(shared_postgres)
    with database.transaction() as connection:
        connection.execute(sa.text("SET LOCAL lock_timeout = '30s'"))  # whoever left a transaction open is found out
        for table in tables.sorted_tables:
            connection.execute(table.delete())
    database.close()
    return shared_postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind: the same tests on both. Only for tests that leave nothing running."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'matinee.db'}"
    return str(request.getfixturevalue("shared_postgres_url"))


def _new_postgres(server: str, how: str = "") -> str:
    """Make a database; returns its URL."""
    name = f"matinee_{uuid.uuid4().hex[:12]}"
    _on_server(server, f"CREATE DATABASE {name} {how}")
    return sa.make_url(server).set(database=name, drivername="postgresql+psycopg").render_as_string(False)


def _on_server(url: str, statement: str) -> None:
    """Carry out a statement that no transaction may surround."""
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
