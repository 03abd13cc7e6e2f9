"""A server under load while everything changes: no error, no stale answer; writes load.json and load.md beside it.

    python benchmarks/load.py [--seconds 600] [--workers 1] [--recipe aws-user-personalization-v2] [--out FOLDER]

Requests come at half the measured peak, whether earlier ones are answered or not; each one's time counts from the
moment at which it was due. Meanwhile users watch films that must be gone from their next answer, filters are made and
deleted, the solution is trained again on new data, and the campaign is updated to the new version.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import polars as pl

from matinee.bench.wrk import signed
from matinee.data.sample import generate_sample
from matinee.demo.clients import Clients, wait_until_active
from matinee.demo.embedded import EmbeddedServer
from matinee.storage.access_keys import AccessKey

HERE = Path(__file__).parent
ROLE = "arn:aws:iam::123456789012:role/personalize"
USERS, FILMS, RATINGS = 300, 400, 20_000
CONNECTIONS, RESULTS = 8, 25
WATCHED = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'


@dataclass(frozen=True)
class Answered:
    """Milliseconds of each answer, from the moment when its request was due; what was not a 200; the whole time."""

    milliseconds: list[float]
    failures: list[str]
    seconds: float


def ask(url: str, requests: Sequence[bytes], seconds: float, rate: float | None) -> Answered:
    """Send requests in turn for some seconds: `rate` a second, or without one as fast as answers come."""
    return asyncio.run(_ask(url, requests, seconds, rate))


async def _ask(url: str, requests: Sequence[bytes], seconds: float, rate: float | None) -> Answered:
    begin, taken = time.perf_counter(), iter(range(10**9))
    times: list[float] = []
    failures: list[str] = []

    async def connection() -> None:
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for number in taken:
            due = time.perf_counter() if rate is None else begin + number / rate
            if due - begin >= seconds:
                break
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(requests[number % len(requests)])
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
                body = await reader.readexactly(length)
            except (OSError, EOFError, asyncio.LimitOverrunError) as problem:
                failures.append(repr(problem))
                break
            times.append((time.perf_counter() - due) * 1000)
            if not head.startswith(b"HTTP/1.1 200 "):
                failures.append(body.decode(errors="replace")[:300])
        writer.close()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return Answered(times, failures, time.perf_counter() - begin)


@dataclass
class Shop:
    """The resources under load, made as programs make them."""

    clients: Clients
    folder: Path
    recipe: str
    group: str = ""
    solution: str = ""
    tracking_id: str = ""
    versions: list[str] = field(default_factory=list)
    campaign: str = ""
    unseen: str = ""

    def open(self) -> None:
        """Data, the first version, campaign, tracker and filter."""
        control = self.clients.control
        self.group = control.create_dataset_group(name="load")["datasetGroupArn"]
        wait_until_active(lambda: control.describe_dataset_group(datasetGroupArn=self.group), "datasetGroup")
        columns = (("USER_ID", "string"), ("ITEM_ID", "string"), ("TIMESTAMP", "long"), ("EVENT_TYPE", "string"))
        fields = [{"name": name, "type": kind} for name, kind in columns]
        text = json.dumps({"type": "record", "name": "Interactions", "fields": fields, "version": "1.0"})
        schema = control.create_schema(name="load", schema=text)["schemaArn"]
        dataset = control.create_dataset(
            name="load", datasetGroupArn=self.group, schemaArn=schema, datasetType="Interactions"
        )["datasetArn"]
        wait_until_active(lambda: control.describe_dataset(datasetArn=dataset), "dataset")
        source: Any = {"dataLocation": write_interactions(self.folder).absolute().as_uri()}
        job = control.create_dataset_import_job(jobName="load", datasetArn=dataset, dataSource=source, roleArn=ROLE)[
            "datasetImportJobArn"
        ]
        wait_until_active(lambda: control.describe_dataset_import_job(datasetImportJobArn=job), "datasetImportJob")
        self.solution = control.create_solution(
            name="load",
            datasetGroupArn=self.group,
            recipeArn=f"arn:aws:personalize:::recipe/{self.recipe}",
            performAutoTraining=False,
        )["solutionArn"]
        self.campaign = control.create_campaign(name="load", solutionVersionArn=self.train())["campaignArn"]
        wait_until_active(lambda: control.describe_campaign(campaignArn=self.campaign), "campaign")
        self.tracking_id = control.create_event_tracker(name="load", datasetGroupArn=self.group)["trackingId"]
        self.unseen = self.filter("unseen")

    def train(self) -> str:
        """A new version on all that is known by now, once it is ACTIVE."""
        control = self.clients.control
        version = control.create_solution_version(solutionArn=self.solution)["solutionVersionArn"]
        wait_until_active(lambda: control.describe_solution_version(solutionVersionArn=version), "solutionVersion")
        self.versions.append(version)
        return version

    def filter(self, name: str) -> str:
        """A new filter of what was watched, once it is ACTIVE."""
        control = self.clients.control
        arn = control.create_filter(name=name, datasetGroupArn=self.group, filterExpression=WATCHED)["filterArn"]
        wait_until_active(lambda: control.describe_filter(filterArn=arn), "filter")
        return arn

    def update(self, version: str) -> None:
        """Let the campaign serve another version; returns once Describe says that it does."""
        control = self.clients.control
        control.update_campaign(campaignArn=self.campaign, solutionVersionArn=version)
        while control.describe_campaign(campaignArn=self.campaign)["campaign"]["solutionVersionArn"] != version:
            time.sleep(0.05)

    def items(self, user: str, unseen: str, results: int = RESULTS) -> list[tuple[str, float | None]]:
        """Items for a user with their scores."""
        answer = self.clients.runtime.get_recommendations(
            campaignArn=self.campaign, userId=user, filterArn=unseen, numResults=results
        )
        return [(item["itemId"], item.get("score")) for item in answer["itemList"]]

    def watch(self, user: str, item: str, number: int) -> None:
        """Stream that a user watched an item."""
        event: Any = {"eventType": "watch", "sentAt": int(time.time()), "itemId": item, "eventId": f"{user}-{number}"}
        self.clients.events.put_events(trackingId=self.tracking_id, userId=user, sessionId=user, eventList=[event])


def write_interactions(folder: Path) -> Path:
    """interactions.csv of a generated log; the same each time."""
    sample = generate_sample(users=USERS, films=FILMS, ratings=RATINGS, seed=3)
    path = folder / "interactions.csv"
    sample.ratings.select(
        USER_ID=pl.col("userId"),
        ITEM_ID=pl.col("movieId"),
        TIMESTAMP=pl.col("timestamp"),
        EVENT_TYPE=pl.lit("watch"),
    ).write_csv(path)
    return path


@dataclass
class Meanwhile:
    """What happens beside the load, and what was found to be wrong."""

    shop: Shop
    stop: threading.Event = field(default_factory=threading.Event)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("events", "filters", "checks"), 0))
    wrong: list[str] = field(default_factory=list)
    updated: bool = False

    def guarded(self, action: Callable[[], None]) -> threading.Thread:
        """A thread that repeats `action` until the end; what it raises counts as wrong."""

        def run() -> None:
            try:
                while not self.stop.is_set():
                    action()
            except Exception as problem:
                self.wrong.append(f"{action.__name__}: {problem!r}")

        thread = threading.Thread(target=run, name=action.__name__)
        thread.start()
        return thread

    def watching(self) -> None:
        """A new user watches the best film again and again; none of them may come back."""
        user, watched = f"watcher-{uuid.uuid4()}", set[str]()
        for number in range(12):
            items = [item for item, _ in self.shop.items(user, self.shop.unseen)]
            self._check(not watched & set(items), f"{user} was shown {sorted(watched & set(items))} again")
            if self.stop.is_set() or not items:
                return
            self.shop.watch(user, items[0], number)
            watched.add(items[0])
            self.counts["events"] += 1
            self.stop.wait(0.02)

    def filtering(self) -> None:
        """A filter is made, used, and deleted."""
        arn = self.shop.filter(f"filter-{uuid.uuid4().hex[:12]}")
        user = f"filtered-{uuid.uuid4()}"
        (first, _), *_ = self.shop.items(user, arn)
        self.shop.watch(user, first, 0)
        self._check(first not in dict(self.shop.items(user, arn)), f"{first} came through the new filter {arn}")
        self.shop.clients.control.delete_filter(filterArn=arn)
        self.counts["filters"] += 1
        self.stop.wait(1.0)

    def retrain_and_update(self, before: float) -> None:
        """After `before` seconds a film is made popular, a version trained on that and deployed; old answers end."""
        self.stop.wait(before)
        shop = self.shop
        old = shop.items("nobody", shop.unseen)
        favourite = shop.items("nobody", shop.unseen, 100)[-1][0]
        for number in range(400):
            shop.watch(f"fan-{number}", favourite, number)
        self._check(shop.items("nobody", shop.unseen) == old, "events of others changed what nobody is shown")
        shop.update(shop.train())
        new = shop.items("nobody", shop.unseen)
        self._check(new != old, "the old version answered after the update")
        while not self.stop.wait(0.2):
            self._check(shop.items("nobody", shop.unseen) == new, "an answer of another version after the update")
        self.updated = True

    def _check(self, fine: bool, what: str) -> None:
        self.counts["checks"] += 1
        if not fine:
            self.wrong.append(what)


def run(folder: Path, seconds: float, workers: int, recipe: str) -> dict[str, Any]:
    """Prepare, measure the peak, and load for some seconds; the figures by name."""
    environment = {"MATINEE_THREADS": "1", "OMP_NUM_THREADS": "1", "MATINEE_AUTO_TRAINING": "off"}
    with EmbeddedServer(folder / "home", environment, ["--workers", str(workers)]) as server:
        shop = Shop(Clients.of(server.url), folder, recipe)
        shop.open()
        bodies = [
            {"campaignArn": shop.campaign, "userId": str(user), "filterArn": shop.unseen, "numResults": RESULTS}
            for user in range(1, USERS + 1)
        ]
        key = AccessKey("anyone", "anything", "123456789012", "", enabled=True, created_at=0)
        requests = signed(server.url, "/recommendations", bodies, key, "us-east-1")
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as generator:
            # Events and filters from the beginning: each makes answers that are kept worthless, so that a peak without
            # them would be one of another kind of answers.
            meanwhile = Meanwhile(shop)
            threads = [meanwhile.guarded(meanwhile.watching), meanwhile.guarded(meanwhile.filtering)]
            peak = generator.submit(ask, server.url, requests, min(20.0, seconds / 2), None).result()
            rate = len(peak.milliseconds) / peak.seconds / 2
            load = generator.submit(ask, server.url, requests, seconds, rate)

            def retraining() -> None:
                meanwhile.retrain_and_update(seconds / 10)

            threads.append(meanwhile.guarded(retraining))
            loaded = load.result()
            meanwhile.stop.set()
            for thread in threads:
                thread.join()
    if len(shop.versions) < 2 or not meanwhile.updated:
        meanwhile.wrong.append("the run was over before the retraining and the update were; load for longer")
    return _figures(peak, loaded, meanwhile, rate)


def _figures(peak: Answered, loaded: Answered, meanwhile: Meanwhile, rate: float) -> dict[str, Any]:
    p50, p99, p999, longest = np.percentile(loaded.milliseconds, [50, 99, 99.9, 100])
    return {
        "seconds": round(loaded.seconds, 1),
        "peak_rps": round(2 * rate, 1),
        "asked_rps": round(rate, 1),
        "requests": len(loaded.milliseconds),
        "p50_ms": round(float(p50), 2),
        "p99_ms": round(float(p99), 2),
        "p999_ms": round(float(p999), 2),
        "longest_ms": round(float(longest), 2),
        **meanwhile.counts,
        "errors": len(peak.failures) + len(loaded.failures),
        "first_errors": (peak.failures + loaded.failures)[:5],
        "wrong": meanwhile.wrong[:20],
    }


def page(found: dict[str, Any], recipe: str, workers: int) -> str:
    """The report."""
    rows = "\n".join(f"| {name} | {value} |" for name, value in found.items() if not isinstance(value, list))
    verdict = (
        "No error, no stale answer." if not found["errors"] and not found["wrong"] else "IT FAILED, see load.json."
    )
    return f"""# A server under load while everything changes

Measured {datetime.now(UTC):%Y-%m-%d} on {platform.machine()}, {os.cpu_count()} cores (load {os.getloadavg()[0]:.1f},
the generator and the checks included), Python {platform.python_version()}, {recipe}, {workers} API process(es) and a
worker on SQLite, by `python benchmarks/load.py`.

{verdict}

Half of the peak that {CONNECTIONS} connections reach with the same requests, each {RESULTS} results under a filter of
what was watched; a request's time counts from when it was due. During both: `events` watched by users whose next answer
was looked at, `filters` made, used and deleted; during the load one retraining and one campaign update; `checks` of
answers in all.

| what | found |
|---|---|
{rows}
"""


def main() -> None:
    """Run, write the report, and fail where something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--recipe", default="aws-user-personalization-v2")
    parser.add_argument("--out", type=Path, default=HERE)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="matinee-load-") as scratch:
        found = run(Path(scratch), asked.seconds, asked.workers, asked.recipe)
    (asked.out / "load.json").write_text(json.dumps(found, indent=2) + "\n")
    (asked.out / "load.md").write_text(page(found, asked.recipe, asked.workers))
    print(json.dumps(found, indent=2))
    sys.exit(bool(found["errors"] or found["wrong"]))


if __name__ == "__main__":
    main()
