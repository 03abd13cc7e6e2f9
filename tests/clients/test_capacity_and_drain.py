"""What a program sees of capacity, of a server that ends, and of one that cannot answer yet."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.unit.api.live import clients, get
from tests.unit.api.waiting import until
from tests.unit.serving.shop import CALLER, Shop, log_of

from matinee.demo.embedded import EmbeddedServer
from matinee.models.popularity import Popularity
from matinee.storage.metadata import Database

LOG = log_of([("u", "a", 1, "watch"), ("v", "a", 1, "watch"), ("u", "b", 2, "watch")])


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop whose home a server can take over, with two campaigns."""
    migrated = Database(f"sqlite:///{tmp_path / 'home' / 'matinee.db'}")
    migrated.upgrade()
    migrated.close()
    opened = Shop(tmp_path / "home")
    opened.campaign("calm", "aws-popularity-count", Popularity(), LOG)
    opened.campaign("busy", "aws-popularity-count", Popularity(), LOG)
    opened.change(
        CALLER.arn("campaign/calm"),
        attributes={
            "solutionVersionArn": CALLER.arn("solution/calm/0000000a"),
            "campaignConfig": {},
            "minProvisionedTPS": 3,
        },
    )
    yield opened
    opened.close()


def _served(shop: Shop, **environment: str) -> EmbeddedServer:
    return EmbeddedServer(shop.folder, environment, ["--no-worker"])


def _outcomes(runtime: Any, campaign: str, asked: int) -> list[str]:
    """What each of so many calls was answered with, in order."""
    found = []
    for _ in range(asked):
        try:
            runtime.get_recommendations(campaignArn=CALLER.arn(f"campaign/{campaign}"))
            found.append("answered")
        except ClientError as refused:
            found.append(refused.response["Error"]["Code"])
    return found


def test_above_the_ceiling_there_is_a_throttling_exception_and_reservations_hold(shop: Shop) -> None:
    with _served(shop, MATINEE_MAX_TPS="5") as server:
        runtime = clients(server.url, region=CALLER.region)["personalize-runtime"]
        busy = _outcomes(runtime, "busy", 30)
        calm = _outcomes(runtime, "calm", 3)
        shown = get(server.url, "/metrics")[2].decode()

    assert busy[0] == "answered"
    assert "ThrottlingException" in busy
    assert calm == ["answered"] * 3  # minProvisionedTPS is kept for it, whatever the others do
    assert (
        f'matinee_throttled_total{{arn="{CALLER.arn("campaign/busy")}"}} {float(busy.count("ThrottlingException"))}'
        in shown
    )
    assert f'matinee_capacity_utilisation{{arn="{CALLER.arn("campaign/calm")}"}} {3 / 300 / 3}' in shown


def test_a_server_that_is_asked_to_end_finishes_what_was_begun(shop: Shop) -> None:
    """A PutEvents that waits for the database when SIGTERM comes is answered, and what it brought is stored."""
    with _served(shop) as server, ThreadPoolExecutor(1) as pool:
        events = clients(server.url, region=CALLER.region)["personalize-events"]
        holder = sqlite3.connect(shop.folder / "matinee.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        get(server.url, "/readyz")
        # Each check of readiness has a thread that ends just after it.
        before = min(_threads(server) for _ in range(20) if get(server.url, "/healthz"))
        waiting = pool.submit(
            events.put_events,
            trackingId=shop.tracking_id,
            userId="u",
            sessionId="s",
            eventList=[{"eventType": "watch", "sentAt": 1_700_000_000, "itemId": "last"}],
        )
        until(lambda: _threads(server) > before)  # the writer's, which now waits for the database
        assert server.pid is not None
        os.kill(server.pid, signal.SIGTERM)
        until(lambda: _refused(server.url))
        assert not waiting.done()
        holder.execute("COMMIT")
        holder.close()
        assert waiting.result()["ResponseMetadata"]["HTTPStatusCode"] == 200

    assert [row["item_id"] for row in shop.stored_events()] == ["last"]


def test_not_ready_while_the_database_is_gone_and_ready_again_with_it(shop: Shop) -> None:
    home = shop.folder
    with _served(shop) as server:
        assert get(server.url, "/readyz")[0] == 200
        (home / "matinee.db").rename(home / "away.db")
        until(lambda: get(server.url, "/readyz")[0] == 503)
        state = json.loads(get(server.url, "/readyz")[2])["checks"]
        assert get(server.url, "/healthz")[0] == 200
        (home / "away.db").rename(home / "matinee.db")
        until(lambda: get(server.url, "/readyz")[0] == 200)

    assert state["database"] == "the file of the database is gone"


def _threads(server: EmbeddedServer) -> int:
    return len(list(Path(f"/proc/{server.pid}/task").iterdir()))


def _refused(url: str) -> bool:
    try:
        get(url, "/healthz")
    except ConnectionError:
        return True
    return False
