"""What the client tests share: data on S3, a house with one of everything, the example program's run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from tests.clients.data import write_films
from tests.clients.films import Films, run_program
from tests.clients.house import House
from tests.clients.lab import ENVIRONMENT, Lab

from matinee.demo.clients import Clients
from matinee.demo.embedded import EmbeddedServer


@pytest.fixture(scope="session")
def films_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """interactions.csv, items.csv and users.csv."""
    return write_films(tmp_path_factory.mktemp("films"))


@pytest.fixture(scope="session")
def put(s3_endpoint: str) -> Callable[[str, str, bytes], str]:
    """Write an object: `put(bucket, key, content)`; the bucket is made where it is missing. Gives its `s3://` URL."""
    session = boto3.session.Session("testing", "testing", region_name="us-east-1")
    client = session.client("s3", endpoint_url=s3_endpoint)

    def write(bucket: str, key: str, content: bytes) -> str:
        client.create_bucket(Bucket=bucket)
        client.put_object(Bucket=bucket, Key=key, Body=content)
        return f"s3://{bucket}/{key}"

    return write


@pytest.fixture(scope="session")
def films_bucket(films_folder: Path, put: Callable[[str, str, bytes], str]) -> str:
    """A bucket with the three files and the inputs of batch and deletion jobs."""
    bucket = "client-tests"
    for path in sorted(films_folder.iterdir()):
        put(bucket, path.name, path.read_bytes())
    put(bucket, "nobody.csv", b"USER_ID\nnobody\n")
    put(bucket, "batch.jsonl", b'{"userId": "1"}\n')
    return bucket


@pytest.fixture(scope="session")
def clients(server: EmbeddedServer) -> Clients:
    """boto3 clients of the shared server, made once: making them takes longer than most tests."""
    return Clients.of(server.url)


@pytest.fixture(scope="session")
def houses(clients: Clients, films_bucket: str) -> tuple[House, House]:
    """Two houses on the shared server, so that there are at least two of everything."""
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda prefix: House.build(clients, films_bucket, prefix), ("first", "second"))
    first.begin_ranking()
    return first, second


@pytest.fixture
def house(houses: tuple[House, House]) -> House:
    """A house with one of everything."""
    return houses[0]


@pytest.fixture(scope="session")
def films(server: EmbeddedServer, clients: Clients, s3_endpoint: str, films_folder: Path) -> Films:
    """What the example program printed and left behind: three campaigns on one dataset group."""
    return run_program(clients, server.url, s3_endpoint, films_folder / "interactions.csv")


@pytest.fixture(scope="session")
def lab(
    tmp_path_factory: pytest.TempPathFactory,
    server_environment: dict[str, str],
    put: Callable[[str, str, bytes], str],
) -> Iterator[Lab]:
    """A server of its own with a campaign that has two versions; attribution looks at events each second."""
    home = tmp_path_factory.mktemp("lab") / "home"
    with EmbeddedServer(home, {**server_environment, **ENVIRONMENT}) as server:
        yield Lab.build(server, "lab-films", put)
