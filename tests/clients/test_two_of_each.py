"""Two API processes and two workers share one PostgreSQL, one Redis and one object store, under load all the time."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.clients.data import INTERACTIONS
from tests.clients.house import RECIPES, ROLE
from tests.clients.steady_load import SteadyLoad
from tests.faults.event_rounds import Redis
from tests.unit.api.live import get
from tests.unit.api.waiting import until

from matinee.demo.clients import POLL_SECONDS, Clients, wait_until_active
from matinee.demo.embedded import EmbeddedServer
from matinee.storage.metadata import Database, jobs

_PATIENCE = 120.0
_WATCHED = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'


class Worker:
    """`matinee worker` in a process of its own, with a home of its own."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        home.mkdir(parents=True)
        self._log_path = home / "worker.log"
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "matinee", "worker"],
                env={**os.environ, **environment, "MATINEE_HOME": str(home)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def said(self, *words: str) -> bool:
        """Whether one line of its log holds all these words."""
        lines = self._log_path.read_text(errors="replace").splitlines()
        return any(all(word in line for word in words) for line in lines)

    def kill(self) -> None:
        """kill -9."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """End it."""
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait()


@dataclass(frozen=True)
class Cluster:
    """Clients of both API processes, both workers, and the database that they share."""

    first: Clients
    second: Clients
    workers: tuple[Worker, Worker]
    database: Database
    urls: tuple[str, str]

    def jobs(self, arn: str = "%") -> list[sa.Row[Any]]:
        """The jobs of a resource, or of all."""
        with self.database.read() as connection:
            return list(connection.execute(sa.select(jobs).where(jobs.c.arn.like(arn))).all())

    def taken_from_redis(self) -> bool:
        """Whether either process has given an answer that the other one had computed."""
        shown = (get(url, "/metrics")[2].decode() for url in self.urls)
        counts = (re.findall(r'matinee_answers_total\{source="redis"\} (\S+)', text) for text in shown)
        return any(float(count) > 0 for (count,) in counts)

    def whose(self, job_id: str) -> Worker:
        """The worker that has begun a job; waits until one has."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            for worker in self.workers:
                if worker.said(job_id, "begun"):
                    return worker
            threading.Event().wait(0.01)
        raise AssertionError(f"no worker has begun {job_id}")


@contextmanager
def cluster(folder: Path, environment: dict[str, str]) -> Iterator[Cluster]:
    """Two of each, each with a home of its own, over the database and the store that `environment` names."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(EmbeddedServer(folder / name, environment, ["--no-worker"])) for name in ("a", "b")
        ]
        workers = [Worker(folder / name, environment) for name in ("w", "v")]
        for worker in workers:
            stack.callback(worker.stop)
        database = Database(environment["MATINEE_DATABASE_URL"])
        stack.callback(database.close)
        first, second = (Clients.of(server.url) for server in servers)
        yield Cluster(first, second, (workers[0], workers[1]), database, (servers[0].url, servers[1].url))


@pytest.fixture(params=["file", "s3"])
def two(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    server_environment: dict[str, str],
    postgres_url: str,
    bucket: str,
) -> Iterator[Cluster]:
    """The cluster, its objects in a shared folder or in a bucket."""
    store = f"file://{tmp_path}/shared" if request.param == "file" else f"s3://{bucket}/matinee"
    redis = Redis(tmp_path)
    redis.start()
    own = {"MATINEE_DATABASE_URL": postgres_url, "MATINEE_STORE_URL": store, "MATINEE_REDIS_URL": redis.url}
    try:
        with cluster(tmp_path, {**server_environment, **own}) as running:
            yield running
    finally:
        redis.kill()


def _items(clients: Clients, **request: Any) -> list[str]:
    answer = clients.runtime.get_recommendations(numResults=10, userId="newcomer", **request)
    return [item["itemId"] for item in answer["itemList"]]


def _trained(two: Cluster, group: str, recipe: str, *, killing: bool = False) -> str:
    """A version: its solution made on one server, its training begun on the other, maybe with a worker's death."""
    solution = two.first.control.create_solution(
        name=recipe, datasetGroupArn=group, recipeArn=f"{RECIPES}{recipe}", performAutoTraining=False
    )["solutionArn"]
    version = two.second.control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    if killing:
        (job,) = two.jobs(version)
        two.whose(job.id).kill()
    wait_until_active(
        lambda: two.first.control.describe_solution_version(solutionVersionArn=version), "solutionVersion"
    )
    return version


def _data(two: Cluster, films_bucket: str) -> str:
    """A dataset group with interactions, each step on the other server than the one before."""
    a, b = two.first.control, two.second.control
    group = a.create_dataset_group(name="films")["datasetGroupArn"]
    assert b.describe_dataset_group(datasetGroupArn=group)["datasetGroup"]["name"] == "films"
    schema = a.create_schema(name="films", schema=INTERACTIONS)["schemaArn"]
    wait_until_active(lambda: b.describe_dataset_group(datasetGroupArn=group), "datasetGroup")
    dataset = b.create_dataset(name="films", schemaArn=schema, datasetGroupArn=group, datasetType="Interactions")[
        "datasetArn"
    ]
    wait_until_active(lambda: a.describe_dataset(datasetArn=dataset), "dataset")
    imported = a.create_dataset_import_job(
        jobName="films",
        datasetArn=dataset,
        dataSource={"dataLocation": f"s3://{films_bucket}/interactions.csv"},
        roleArn=ROLE,
    )["datasetImportJobArn"]
    wait_until_active(lambda: b.describe_dataset_import_job(datasetImportJobArn=imported), "datasetImportJob")
    return group


def _moved(two: Cluster, campaign: str, version: str) -> None:
    """Wait until an update, asked for on the second server, is over; both say so."""
    two.second.control.update_campaign(campaignArn=campaign, solutionVersionArn=version)
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        shown = two.first.control.describe_campaign(campaignArn=campaign)["campaign"]
        if shown["solutionVersionArn"] == version:
            return
        threading.Event().wait(POLL_SECONDS)
    raise AssertionError(f"still not updated: {shown}")


def test_two_of_each_are_one_service(two: Cluster, films_bucket: str) -> None:
    group = _data(two, films_bucket)
    popular = _trained(two, group, "aws-popularity-count")
    campaign = two.first.control.create_campaign(name="live", solutionVersionArn=popular)["campaignArn"]
    wait_until_active(lambda: two.second.control.describe_campaign(campaignArn=campaign), "campaign")
    unseen = two.second.control.create_filter(name="unseen", datasetGroupArn=group, filterExpression=_WATCHED)
    wait_until_active(lambda: two.first.control.describe_filter(filterArn=unseen["filterArn"]), "filter")
    ask = {"campaignArn": campaign, "filterArn": unseen["filterArn"]}
    before = _items(two.second, **ask)
    assert _items(two.first, **ask) == before

    tracker = two.second.control.create_event_tracker(name="events", datasetGroupArn=group)["trackingId"]
    event: Any = {"eventType": "watch", "sentAt": 1_750_000_000, "itemId": before[0]}
    two.first.events.put_events(trackingId=tracker, userId="newcomer", sessionId="s", eventList=[event])
    assert _items(two.second, **ask)[:9] == before[1:]

    with SteadyLoad((two.first, two.second), tracker, ask) as load:
        personal = _trained(two, group, "aws-user-personalization-v2", killing=True)
        _moved(two, campaign, personal)
        load.scores_from_now()
        now = [count + 20 for count in load.answered]
        until(lambda: load.problems or all(count >= goal for count, goal in zip(load.answered, now, strict=True)))
        until(two.taken_from_redis)
    assert load.problems == []
    assert load.events > 20
    (training,) = two.jobs(personal)
    assert (training.state, training.attempts) == ("DONE", 2)
    assert _items(two.first, **ask) == _items(two.second, **ask)
    assert len(_items(two.first, **ask)) == 10
    others = [job for job in two.jobs() if job.id != training.id]
    assert {(job.state, job.attempts) for job in others} == {("DONE", 1)}
