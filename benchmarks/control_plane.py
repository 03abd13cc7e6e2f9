"""Describe and List with 10,000 resources, in process, on SQLite and PostgreSQL; writes control_plane.md beside it.

    python benchmarks/control_plane.py [--quick] [--out FILE]

A call is a whole request to the ASGI application, without a socket: HTTP request, door, checks against the service
model, handler, database, answer as JSON, a line in the log. SQLite is a file with the settings of a server (WAL,
synchronous=FULL); PostgreSQL is a server of its own on this machine, reached through a Unix socket.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from starlette.types import ASGIApp, Message

from matinee.api.application import create_app
from matinee.control import records
from matinee.control.plane import ControlPlane
from matinee.logs import log_to_stderr
from matinee.settings import Settings
from matinee.storage.local_disk import LocalDisk
from matinee.storage.metadata import Database

ACCOUNT, REGION = "123456789012", "us-east-1"
GOAL_MS = 5.0
#: How many resources of a kind live in one dataset group. They make 50; the groups' number makes the rest.
SHARES = {"dataset": 3, "dataset-import-job": 12, "solution": 5, "solution-version": 15, "campaign": 5, "filter": 8}
PER_GROUP = 2 + sum(SHARES.values())  # and the group itself, and a schema
_HEADERS = {
    "host": "127.0.0.1",
    "content-type": "application/x-amz-json-1.1",
    "authorization": f"AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/{REGION}/personalize/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64,
    "x-amz-date": "20260101T000000Z",
}


@dataclass(frozen=True)
class Measured:
    """The calls of one row of the table: milliseconds on the clock, and of this process's processor time."""

    call: str
    milliseconds: tuple[float, ...]
    processor: tuple[float, ...]

    @property
    def median(self) -> float:
        """The 50th percentile."""
        return statistics.median(self.milliseconds)

    @property
    def p99(self) -> float:
        """The 99th percentile."""
        return statistics.quantiles(self.milliseconds, n=100)[98]

    @property
    def busy(self) -> float:
        """The 50th percentile of the processor time, which other work on the machine lengthens less."""
        return statistics.median(self.processor)


def arn(suffix: str) -> str:
    """An ARN of the tenant."""
    return f"arn:aws:personalize:{REGION}:{ACCOUNT}:{suffix}"


def fill(database: Database, groups: int) -> None:
    """`groups` dataset groups with what such groups hold, all of one account and region."""
    for number in range(groups):
        with database.transaction() as connection:
            _fill_group(connection, f"g{number:04d}")


def _fill_group(connection: sa.Connection, name: str) -> None:
    group, schema = arn(f"dataset-group/{name}"), arn(f"schema/{name}")
    text = json.dumps({"type": "record", "name": "Interactions", "fields": [{"name": "USER_ID", "type": "string"}] * 9})
    _add(connection, "dataset-group", name, group, None, {})
    _add(connection, "schema", name, schema, None, {"schema": text}, status=None)
    made: dict[str, list[str]] = {}
    for kind, count in SHARES.items():
        for number in range(count):
            own = f"{name}-{number}"
            parent, suffix, attributes = _resource(kind, number, own, group, schema, made)
            made.setdefault(kind, []).append(arn(suffix))
            _add(connection, kind, own, arn(suffix), parent, attributes)
            records.refer(connection, arn(suffix), {"datasetGroupArn": group})


def _resource(
    kind: str, number: int, own: str, group: str, schema: str, made: Mapping[str, Sequence[str]]
) -> tuple[str, str, dict[str, Any]]:
    """Parent, the ARN's last part and attributes of one resource inside a group."""
    attributes: dict[str, Any]
    within = {"datasetGroupArn": group}
    recipe: dict[str, Any] = {
        "recipeArn": "arn:aws:personalize:::recipe/aws-user-personalization-v2",
        "performHPO": False,
    }
    match kind:
        case "dataset":
            dataset_type = ("INTERACTIONS", "ITEMS", "USERS")[number]
            attributes = {**within, "schemaArn": schema, "datasetType": dataset_type}
            return group, f"dataset/{group.rpartition('/')[2]}/{dataset_type}", attributes
        case "dataset-import-job":
            dataset = made["dataset"][number % 3]
            source = {"dataLocation": f"s3://bucket/{own}.csv"}
            return dataset, f"{kind}/{own}", {"datasetArn": dataset, "dataSource": source, "importMode": "FULL"}
        case "solution":
            return group, f"solution/{own}", {**within, **recipe, "solutionConfig": {}, "performAutoTraining": True}
        case "solution-version":
            solution = made["solution"][number % 5]
            attributes = {**within, **recipe, "solutionArn": solution, "solutionConfig": {}, "trainingMode": "FULL"}
            return solution, f"{solution.split(':', 5)[5]}/{number:08x}", attributes
        case "campaign":
            version = made["solution-version"][number]
            attributes = {"solutionVersionArn": version, "minProvisionedTPS": 1, "campaignConfig": {}}
            return version.rpartition("/")[0], f"{kind}/{own}", attributes
        case _:
            expression = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Watch")'
            return group, f"{kind}/{own}", {**within, "filterExpression": expression}


def _add(
    connection: sa.Connection,
    kind: str,
    name: str,
    arn: str,
    parent: str | None,
    attributes: Mapping[str, Any],
    *,
    status: str | None = "ACTIVE",
) -> None:
    records.insert(
        connection,
        arn=arn,
        account=ACCOUNT,
        region=REGION,
        kind=kind,
        name=name,
        parent=parent,
        status=status,
        attributes=attributes,
    )


class Caller:
    """Calls operations of an ASGI application in this process."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def call(self, operation: str, request: Mapping[str, Any]) -> tuple[dict[str, Any], float, float]:
        """The answer, the milliseconds that it took, those of the processor. `SystemExit` for anything but 200."""
        body = json.dumps(request).encode()
        headers = {**_HEADERS, "x-amz-target": f"AmazonPersonalize.{operation}", "content-length": str(len(body))}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/",
            "raw_path": b"/",
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        started, idle = time.perf_counter(), time.process_time()
        await self._app(scope, receive, send)
        milliseconds, processor = (time.perf_counter() - started) * 1e3, (time.process_time() - idle) * 1e3
        if sent[0]["status"] != 200:
            raise SystemExit(f"{operation} answered {sent[0]['status']}: {sent[1]['body']!r}")
        answer: dict[str, Any] = json.loads(sent[1]["body"])
        return answer, milliseconds, processor


async def measure(app: ASGIApp, groups: int, calls: int) -> list[Measured]:
    """Every row of the table: `calls` calls each, in turn, about random resources, after a tenth as warm-up."""
    caller, chance = Caller(app), np.random.default_rng(7)
    page, *_ = await caller.call("ListSolutionVersions", {"maxResults": 100})
    for _ in range(groups * SHARES["solution-version"] // 200):
        page, *_ = await caller.call("ListSolutionVersions", {"maxResults": 100, "nextToken": page["nextToken"]})
    middle = page["nextToken"]

    def some(prefix: str) -> str:
        return arn(f"{prefix}/g{chance.integers(groups):04d}")

    requests: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
        "DescribeDatasetGroup": ("DescribeDatasetGroup", lambda: {"datasetGroupArn": some("dataset-group")}),
        "DescribeDataset": ("DescribeDataset", lambda: {"datasetArn": some("dataset") + "/INTERACTIONS"}),
        "DescribeSchema": ("DescribeSchema", lambda: {"schemaArn": some("schema")}),
        "DescribeSolution (with its newest version)": (
            "DescribeSolution",
            lambda: {"solutionArn": some("solution") + "-1"},
        ),
        "DescribeCampaign": ("DescribeCampaign", lambda: {"campaignArn": some("campaign") + "-1"}),
        "ListDatasetGroups, first 100": ("ListDatasetGroups", dict),
        "ListSolutionVersions, first 100": ("ListSolutionVersions", dict),
        "ListSolutionVersions, 100 from the middle": ("ListSolutionVersions", lambda: {"nextToken": middle}),
        "ListDatasetImportJobs of one dataset": (
            "ListDatasetImportJobs",
            lambda: {"datasetArn": some("dataset") + "/ITEMS"},
        ),
        "ListFilters of one group": ("ListFilters", lambda: {"datasetGroupArn": some("dataset-group")}),
    }
    times: dict[str, list[tuple[float, float]]] = {title: [] for title in requests}
    for turn in range(calls + calls // 10):
        for title, (operation, request) in requests.items():
            _, milliseconds, processor = await caller.call(operation, request())
            if turn >= calls // 10:
                times[title].append((milliseconds, processor))
    rows = [Measured(title, *(tuple(column) for column in zip(*found, strict=True))) for title, found in times.items()]
    for row in rows:
        print(f"  {row.call:45s} p50 {row.median:6.2f} ms  p99 {row.p99:6.2f} ms  processor {row.busy:6.2f} ms")
    return rows


def measure_on(url: str, folder: Path, groups: int, calls: int) -> list[Measured]:
    """Fill the database at `url` and measure."""
    settings = Settings(home=folder)
    database = Database(url)
    try:
        database.upgrade()
        fill(database, groups)
        if not database.is_sqlite:  # what autovacuum does some minutes after so many rows
            with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(sa.text("VACUUM ANALYZE"))
        control = ControlPlane(database, LocalDisk(folder / "objects"), settings).operations()
        return asyncio.run(measure(create_app(settings, control=control, runtime={}, events={}), groups, calls))
    finally:
        database.close()


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The URL of a PostgreSQL server that lives as long as the block."""
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # pgserver asks for it when it is imported
    import pgserver

    server = pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        yield sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(False)
    finally:
        server.cleanup()


def page(results: Mapping[str, Sequence[Measured]], facts: str, resources: int) -> str:
    """The report in Markdown."""
    names = list(results)
    head = "".join(f" {name} p50 | p99 | processor |" for name in names)
    rows = [f"| milliseconds |{head}", "|---|" + "---|" * (3 * len(names))]
    for row in zip(*results.values(), strict=True):
        cells = "".join(f" {one.median:.2f} | {one.p99:.2f} | {one.busy:.2f} |" for one in row)
        rows.append(f"| {row[0].call} |{cells}")
    worst = max((one.median, one.call, name) for name, measured in results.items() for one in measured)
    verdict = "met" if worst[0] < GOAL_MS else "missed"
    table = "\n".join(rows)
    return f"""# Describe and List with {resources:,} resources

{facts}

A call is a whole request to the ASGI application in this process, without a socket: HTTP request, door, checks against
the service model, handler, database, answer as JSON, a line in the log. All {resources:,} resources belong to one
account and region. One call at a time. SQLite is a file as a server has it (WAL, synchronous=FULL), PostgreSQL a
server on the same machine, reached through a Unix socket. "processor" is the median of this process's own
processor time, which other work on the machine lengthens less.

{table}

Goal: a median under {GOAL_MS:g} ms. It is {verdict}: the slowest median is {worst[0]:.2f} ms ({worst[1]}, {worst[2]}).
"""


def _processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="a tenth of the resources and of the calls, no report")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    given = parser.parse_args()
    groups, calls = (20, 100) if given.quick else (10_000 // PER_GROUP, 1000)
    folder = Path(tempfile.mkdtemp(prefix="matinee-bench-"))  # short: the path of PostgreSQL's socket has a limit
    results = {}
    try:
        with (folder / "log").open("w", encoding="utf-8") as log:
            with redirect_stderr(log):
                log_to_stderr("INFO")  # each request is logged, as it is by a server
            print(f"SQLite, {groups * PER_GROUP:,} resources")
            results["SQLite"] = measure_on(f"sqlite:///{folder}/matinee.db", folder, groups, calls)
            print(f"PostgreSQL, {groups * PER_GROUP:,} resources")
            with postgres(folder) as url:
                results["PostgreSQL"] = measure_on(url, folder, groups, calls)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if given.quick:
        return
    load = os.getloadavg()[0]
    facts = (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {_processor()}, {os.cpu_count()} cores (load {load:.1f}, other work "
        f"included),\n{platform.system()} {platform.machine()}, Python {platform.python_version()}, {calls} calls a "
        f"row, priority {os.nice(0)}, by `python benchmarks/{Path(__file__).name}`."
    )
    given.out.write_text(page(results, facts, groups * PER_GROUP), encoding="utf-8")
    print(f"written {given.out}")


if __name__ == "__main__":
    main()
