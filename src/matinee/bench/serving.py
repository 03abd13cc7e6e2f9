"""The serving benchmark: what one process answers, in the same run as a bare server that answers the same bytes.

`uncached` answers never come from the answer cache: every one is scored, filtered and put in order. What the model made
of the user's events is kept from their last request, as after any event once it was asked about; `cold` is the same
without that: every request meets a user state that nobody has asked about, and reads the whole history.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import urllib.request
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from matinee.bench.bare import bare_server
from matinee.bench.catalogue import HISTORY, load_catalogue
from matinee.bench.home import REGION, TRACKING_ID, Home, make_home
from matinee.bench.short_training import USERS, write_short
from matinee.bench.wrk import BenchProblem, Load, Measured, measure, need_wrk, signed
from matinee.demo.embedded import EmbeddedServer
from matinee.settings import Settings
from matinee.storage.metadata import Database, events
from matinee.training.artifact import Artifact

RESULTS, EVENTS_A_CALL = 25, 10
#: Users asked for in turn: several seconds of them, so that no answer is fresh in a processor's cache.
POOL = 2_000
#: Of them, those that are asked for from the cache, and once before so that they are in it.
CACHED = 250
_WATCHERS = 64
#: How often it is looked whether an event is seen by the next request.
_LOOKS = 100
#: Calls of PutEvents that are signed for each second: each has events of its own, since equal ones count once.
_PUTS = 2_500


@dataclass(frozen=True)
class Plan:
    """What is measured: `rounds` of each row in turn, of which the median counts, after those to warm up.

    `artifact` is used when it is one, else made. `history` and `users` are smaller in tests only.
    """

    dataset: str = "ml-1m"
    artifact: Path | None = None
    load: Load = field(default_factory=Load)
    rounds: int = 3
    warm_up: int = 1
    history: int = HISTORY
    users: int = USERS
    genre: str = "Drama"


def run(plan: Plan, settings: Settings, tell: Callable[[str], None] = print) -> dict[str, Any]:
    """Measure; the figures by name. Raises `BenchProblem` when wrk is missing or a request fails."""
    need_wrk()
    with tempfile.TemporaryDirectory(prefix="matinee-bench-") as scratch:
        catalogue = load_catalogue(plan.dataset, settings, plan.history)
        tell(f"Data: {catalogue.why}")
        folder = plan.artifact or Path(scratch) / "artifact"
        if not (folder / "manifest.json").exists():
            tell("Training a blend for seconds; more epochs would change its scores, not its speed.")
            write_short(folder, catalogue.log, catalogue.whole, users=plan.users)
        artifact = Artifact.open(folder)
        home = make_home(Path(scratch) / "home", folder, catalogue.genres, plan.genre)
        users = [user for user in artifact.user_ids if len(artifact.user_history(user)) == plan.history][:POOL]
        if not users:
            raise BenchProblem(f"No user of {folder} has a history of {plan.history} events.")
        tell(f"{artifact.n_items} items, {len(users)} users with {plan.history} events each; {plan.rounds} rounds.")
        return _Bench(plan, home, users, tell).run()


@dataclass(frozen=True)
class _Row:
    """What is asked of the server at `url`, process `pid`: with `more` members, for `users` users in turn."""

    name: str
    url: str
    pid: int | None
    more: Mapping[str, Any] = field(default_factory=dict)
    users: int = POOL


class _Bench:
    """One run over a home."""

    def __init__(self, plan: Plan, home: Home, users: Sequence[str], tell: Callable[[str], None]) -> None:
        self._plan, self._home, self._users, self._tell = plan, home, users, tell

    def run(self) -> dict[str, Any]:
        with ExitStack() as running:
            computing = running.enter_context(self._server({"MATINEE_CACHE_MB": "0"}))
            forgetting = running.enter_context(self._server({"MATINEE_CACHE_MB": "0", "MATINEE_HISTORIES_MB": "1"}))
            caching = running.enter_context(self._server({}))
            headers, body = _answer(computing.url, self._recommendations(computing.url, {})[0])
            bare, pid = running.enter_context(bare_server(self._home.folder, headers, body))
            rows = (
                _Row("bare", bare, pid),
                _Row("uncached", computing.url, computing.pid),
                _Row("cold", forgetting.url, forgetting.pid),
                _Row("filtered", computing.url, computing.pid, {"filterArn": self._home.filter}),
                _Row("cached", caching.url, caching.pid, users=CACHED),
            )
            found: dict[str, list[Measured]] = {row.name: [] for row in rows}
            spent: dict[str, list[float]] = {row.name: [] for row in rows}
            for warmed in (rows[1], rows[-1]):  # each user once, so that what is to be kept is
                for request in self._recommendations(warmed.url, warmed.more)[: warmed.users]:
                    _answer(warmed.url, request)
            for turn in range(self._plan.warm_up + self._plan.rounds):
                for row in rows:
                    measured, seconds = self._measure(row)
                    if turn >= self._plan.warm_up:  # the first round fills pages and the processor's branch tables
                        found[row.name].append(measured)
                        spent[row.name].append(seconds)
            put = self._put_events(computing)
            looks = self._see_events(computing)
            torch = any(_maps_torch(server) for server in (computing, forgetting, caching))
        return {**_figures(found, spent, put, torch_in_process=torch), "events_seen_by_the_next_request": looks}

    def _server(self, variables: Mapping[str, str]) -> EmbeddedServer:
        return EmbeddedServer(self._home.folder, {"OMP_NUM_THREADS": "1", **variables}, ["--no-worker"])

    def _measure(self, row: _Row) -> tuple[Measured, float]:
        """What wrk found, and the seconds of processor time that the server took for each request."""
        before = _processor_seconds(row.pid)
        measured = measure(row.url, self._recommendations(row.url, row.more)[: row.users], self._plan.load)
        spent = (_processor_seconds(row.pid) - before) / measured.requests
        self._tell(
            f"{row.name:9} {measured.rate:8.0f}/s  p50 {measured.p50_ms:.2f}  p99 {measured.p99_ms:.2f} ms, "
            f"{spent * 1e6:.0f} µs of processor time each"
        )
        return measured, spent

    def _recommendations(self, url: str, more: Mapping[str, Any]) -> list[bytes]:
        asked = {"campaignArn": self._home.campaign, "numResults": RESULTS, **more}
        bodies = [{**asked, "userId": user} for user in self._users]
        return signed(url, "/recommendations", bodies, self._home.key, REGION)

    def _put_events(self, server: EmbeddedServer) -> float:
        """Events a second that are in the log afterwards: what was answered but not stored would not count."""
        load = Load(self._plan.load.seconds, _WATCHERS)
        calls = load.seconds * _PUTS
        requests = signed(server.url, "/events", [self._events(call) for call in range(calls)], self._home.key, REGION)
        before = self._stored()
        measured = measure(server.url, requests, load)
        stored = self._stored() - before
        if stored < min(measured.requests, calls) * EVENTS_A_CALL:
            raise BenchProblem(f"{measured.requests} calls were answered, but only {stored} events are stored.")
        # Those that were stored when wrk no longer waited for their answer do not count.
        rate = min(stored, measured.requests * EVENTS_A_CALL) / measured.seconds
        self._tell(f"put       {rate:8.0f} events/s, {stored} stored")
        return rate

    def _see_events(self, server: EmbeddedServer) -> int:
        """How often an item was watched and then left out by a filter of watched ones in the very next answer: always.

        Raises `BenchProblem` when it was not.
        """
        for look in range(_LOOKS):
            user = self._users[look % len(self._users)]
            asked = {"campaignArn": self._home.campaign, "userId": user, "filterArn": self._home.filter}
            first = _items(self._ask(server.url, "/recommendations", asked))
            if not first:
                continue
            event = {"eventType": "watch", "itemId": first[0], "sentAt": 1_800_000_000 + look}
            told = {"trackingId": TRACKING_ID, "userId": user, "sessionId": f"look{look}", "eventList": [event]}
            self._ask(server.url, "/events", told)
            if first[0] in _items(self._ask(server.url, "/recommendations", asked)):
                raise BenchProblem(f"{user} watched {first[0]}, and the next answer did not know it.")
        return _LOOKS

    def _ask(self, url: str, path: str, body: Mapping[str, Any]) -> str:
        return _answer(url, signed(url, path, [body], self._home.key, REGION)[0], path)[1]

    def _events(self, call: int) -> dict[str, Any]:
        user = self._users[call % len(self._users)]
        told = [
            {"eventType": "watch", "itemId": str(item), "sentAt": 1_700_000_000 + call, "eventId": str(uuid.uuid4())}
            for item in range(EVENTS_A_CALL)
        ]
        return {"trackingId": TRACKING_ID, "userId": user, "sessionId": f"s{call}", "eventList": told}

    def _stored(self) -> int:
        database = Database(Settings(home=self._home.folder).effective_database_url)
        try:
            with database.read() as connection:
                return connection.scalar(sa.select(sa.func.count()).select_from(events)) or 0
        finally:
            database.close()


def _answer(url: str, signed_request: bytes, path: str = "/recommendations") -> tuple[dict[str, str], str]:
    """The headers and the body of the answer to one request."""
    head, _, body = signed_request.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    request = urllib.request.Request(url + path, body, headers)  # noqa: S310 - the server made here
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        told = {name.lower(): value for name, value in answer.headers.items() if name.lower() != "date"}
        return told, answer.read().decode()


def _items(answer: str) -> list[str]:
    return [element["itemId"] for element in json.loads(answer)["itemList"]]


def _processor_seconds(pid: int | None) -> float:
    """Of a process and its threads so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _figures(
    found: Mapping[str, Sequence[Measured]],
    spent: Mapping[str, Sequence[float]],
    put: float,
    *,
    torch_in_process: bool,
) -> dict[str, Any]:
    rate = {name: statistics.median(one.rate for one in measured) for name, measured in found.items()}
    return {
        **{f"{name}_rps": round(value, 1) for name, value in rate.items()},
        "p50_ms": round(statistics.median(one.p50_ms for one in found["uncached"]), 3),
        "p99_ms": round(statistics.median(one.p99_ms for one in found["uncached"]), 3),
        "put_events_per_second": round(put, 1),
        "uncached_to_bare": round(rate["uncached"] / rate["bare"], 4),
        "filtered_to_uncached": round(rate["filtered"] / rate["uncached"], 4),
        "cold_to_bare": round(rate["cold"] / rate["bare"], 4),
        "cached_to_bare": round(rate["cached"] / rate["bare"], 4),
        "processor_us": {name: round(statistics.median(each) * 1e6, 1) for name, each in spent.items()},
        "torch_in_process": torch_in_process,
    }


def _maps_torch(server: EmbeddedServer) -> bool:
    """Whether the server's process has torch's libraries mapped."""
    maps = Path(f"/proc/{server.pid}/maps")
    return "libtorch" in maps.read_text() if maps.exists() else False
