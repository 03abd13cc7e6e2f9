"""kill -9 of the worker during delivery, round after round: the short test and the long suite share it.

Run as a script it is the long one: `python -m tests.faults.delivery_rounds 20`.
"""

from __future__ import annotations

import importlib
import os
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa
from tests.faults.worker_process import WorkerProcess
from tests.unit.delivery.receiver import Receiver
from tests.unit.delivery.stage import await_that, campaign, rule, standing
from tests.unit.serving.shop import CALLER, Shop

from matinee.storage.metadata import Database

_USERS = 5
_EVENTS = 30
POINTS = ("delivery.begun", "delivery.sent", "delivery.settled")


def rounds(
    folder: Path, deaths: list[str | None], chance: random.Random, database_url: str | None = None
) -> tuple[int, int]:
    """One death a round, at the point named or, with None, at random; events go on streaming in all the while.

    Every fifth answer of the receiver is 503. `database_url` is that of a PostgreSQL database; without one there is a
    SQLite file in `folder`. Returns the events sent and the messages taken. Raises AssertionError when an event was
    lost or a user's order was broken.
    """
    folder.mkdir(parents=True, exist_ok=True)
    migrated = Database(database_url or f"sqlite:///{folder / 'matinee.db'}")
    migrated.upgrade()
    migrated.close()
    shop = Shop(folder, database_url)
    source = campaign(shop)
    _put_where_workers_look(shop)
    sent: dict[str, list[str]] = defaultdict(list)
    with Receiver(lambda n: 503 if n % 5 == 0 else 204) as receiver:
        rule(shop, receiver.url, source)
        settings = replace(shop.settings, auto_training=False)
        for number, point in enumerate(deaths):
            # Before the worker lives: on a busy machine it may be done with all events by the end of the loop below.
            before = receiver.asked
            with WorkerProcess(settings, dies_at=point or "") as worker:
                for n in range(_EVENTS):
                    user, event = f"u{n % _USERS}", f"e{number}-{n}"
                    shop.put_event(user, "i1", eventId=event, session=user)
                    sent[user].append(event)
                if point is None:
                    await_that(lambda seen=before: receiver.asked > seen)  # type: ignore[misc]
                    worker.crash(chance, longest=0.5)
                else:
                    worker.await_death()
        with WorkerProcess(settings):
            await_that(lambda: standing(shop).pending == 0, patience=60 + 30 * len(deaths))
    dead, came = standing(shop).dead, receiver.events
    shop.close()
    assert dead == 0
    for user, events in sent.items():
        mine = [one["data"]["event"]["eventId"] for one in came if one["subject"] == user]
        # At least once: what was sent again came again, but what came first came in order.
        assert list(dict.fromkeys(mine)) == events, f"{user}: {mine}"
    ids = {one["id"] for one in came}
    assert len(ids) == sum(len(events) for events in sent.values())
    return len(ids), len(came)


def _put_where_workers_look(shop: Shop) -> None:
    """Move the shop's artifact to the place that artifacts have in a server: a worker's sweep knows no other."""
    place = f"artifacts/{CALLER.account}/{CALLER.region}/popular/0000000a"
    (shop.objects.root / place).parent.mkdir(parents=True)
    (shop.objects.root / "artifacts/popular/0000000a").rename(shop.objects.root / place)
    shop.change(CALLER.arn("solution/popular/0000000a"), private={"artifact": place})


@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    """The URL of an empty database on a server of its own."""
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # pgserver asks for it when it is imported
    server = importlib.import_module("pgserver").get_server(folder / "data", cleanup_mode="delete")
    try:
        yield str(sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(False))
    finally:
        server.cleanup()


def main() -> None:
    """Rounds as many as the argument says, on SQLite and on PostgreSQL, then a line on what was seen on each."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    chance = random.Random(6)
    for kind in ("SQLite", "PostgreSQL"):
        deaths = [chance.choice([None, None, *POINTS]) for _ in range(count)]
        with ExitStack() as resources:
            folder = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="matinee-")))
            url = resources.enter_context(_postgres(folder)) if kind == "PostgreSQL" else None
            events, messages = rounds(folder / "home", deaths, chance, url)
        sys.stdout.write(
            f"delivery on {kind}: {count} kills, {events} events, none lost, {messages - events} delivered twice\n"
        )


if __name__ == "__main__":
    main()
