"""Two API processes share a Redis with a password and TLS: its answers, its death, and events that outdate them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.unit.api.live import clients, get
from tests.unit.api.waiting import until
from tests.unit.serving.shop import CALLER, Event, Shop, log_of
from tests.unit.storage.cache.tls import TlsRedis

from matinee.demo.embedded import EmbeddedServer
from matinee.models.ease import EASE
from matinee.storage.metadata import Database

ROWS: list[Event] = [(f"u{user}", "abcdefgh"[n], 100 + n, "watch") for user in range(1, 6) for n in range(user + 1)]
UNSEEN = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'


@dataclass
class Pair:
    """Two servers, their Redis, and the shop that they serve."""

    shop: Shop
    redis: TlsRedis
    servers: list[EmbeddedServer]
    campaign: str
    unseen: str

    def __post_init__(self) -> None:
        self.clients = [clients(server.url, region=CALLER.region) for server in self.servers]

    def ask(self, at: int, user: str = "u2") -> list[str]:
        """The items that server `at` recommends."""
        answer = self.clients[at]["personalize-runtime"].get_recommendations(
            campaignArn=self.campaign, userId=user, filterArn=self.unseen
        )
        return [one["itemId"] for one in answer["itemList"]]

    def watch(self, at: int, user: str, item: str) -> None:
        """Stream an event to server `at`."""
        event: Any = {"eventType": "watch", "sentAt": 1_700_000_000, "itemId": item}
        events = self.clients[at]["personalize-events"]
        events.put_events(trackingId=self.shop.tracking_id, userId=user, sessionId=user, eventList=[event])

    def answers(self, at: int, source: str) -> float:
        """How many answers of server `at` came from a source, by its metrics."""
        shown = get(self.servers[at].url, "/metrics")[2].decode()
        return float(re.findall(rf'matinee_answers_total{{source="{source}"}} (\S+)', shown)[0])


@pytest.fixture
def pair(tmp_path: Path, database_url: str) -> Iterator[Pair]:
    """The pair on each of the databases."""
    with ExitStack() as stack:
        migrated = Database(database_url)
        migrated.upgrade()
        migrated.close()
        shop = Shop(tmp_path / "shop", database_url)
        stack.callback(shop.close)
        campaign = shop.campaign("live", "aws-user-personalization-v2", EASE(), log_of(ROWS, extra_items=["z"]))
        unseen = shop.filter("unseen", UNSEEN)
        redis = TlsRedis(tmp_path)
        redis.start()
        stack.callback(redis.kill)
        environment = {
            "MATINEE_DATABASE_URL": database_url,
            "MATINEE_STORE_URL": f"file://{shop.folder / 'objects'}",
            "MATINEE_REDIS_URL": redis.url,
            "MATINEE_REDIS_CA": str(redis.certificate),
        }
        servers = [
            stack.enter_context(EmbeddedServer(tmp_path / name, environment, ["--no-worker"])) for name in ("a", "b")
        ]
        yield Pair(shop, redis, servers, campaign, unseen)


def test_what_one_process_computed_the_other_answers_until_an_event_outdates_it(pair: Pair) -> None:
    users = iter(f"guest-{number}" for number in range(10_000))

    def shared() -> bool:
        user = next(users)
        return pair.ask(0, user) == pair.ask(1, user) and pair.answers(1, "redis") > 0

    until(shared)
    first = pair.ask(0)
    assert pair.ask(1) == first
    computed = pair.answers(1, "computed")
    assert pair.ask(1) == first
    assert pair.answers(1, "computed") == computed
    for _ in range(3):
        pair.watch(0, "u2", first[0])
        now = pair.ask(1)
        assert first[0] not in now
        assert pair.ask(0) == now
        first = now


def test_a_redis_that_dies_under_load_fails_no_request(pair: Pair) -> None:
    failures: list[Exception] = []
    answered = [0, 0]
    stop = threading.Event()

    def load(at: int) -> None:
        runtime = pair.clients[at]["personalize-runtime"]
        while not stop.is_set():
            try:
                runtime.get_recommendations(campaignArn=pair.campaign, userId=f"u{answered[at]}")
            except Exception as failure:
                failures.append(failure)
                return
            answered[at] += 1

    threads = [threading.Thread(target=load, args=(at,)) for at in (0, 1)]
    for thread in threads:
        thread.start()
    try:
        for change in (pair.redis.kill, pair.redis.start, pair.redis.pause, pair.redis.kill):
            wanted = [count + 20 for count in answered]
            change()
            until(partial(_reached, answered, wanted, failures))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []


def _reached(answered: list[int], wanted: list[int], failures: list[Exception]) -> bool:
    return bool(failures) or all(now >= goal for now, goal in zip(answered, wanted, strict=True))
