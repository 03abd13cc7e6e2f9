"""Users who ask and watch all the time, at several servers of one service, while a test changes what they are given."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from types import TracebackType
from typing import Any, Self

from matinee.demo.clients import Clients

_USERS, _MOST_WATCHED = 12, 15
#: Seconds between two requests of a thread: what is trained meanwhile needs the cores, too.
_PAUSE = 0.02


class SteadyLoad:
    """One thread a server asks for a campaign's films without what the user watched, and streams what they watch.

    An answer is stale when it holds what was acknowledged as watched before it was asked for, at whichever server, or
    when it has no scores though the request came after `scores_from_now`. What fails or is stale is in `problems`.
    """

    def __init__(self, servers: Sequence[Clients], tracking_id: str, ask: dict[str, str]) -> None:
        self._tracking_id, self._ask = tracking_id, ask
        self._watched: defaultdict[str, set[str]] = defaultdict(set)
        self._scored = threading.Event()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(clients, at)) for at, clients in enumerate(servers)]
        self.problems: list[str] = []
        #: Requests that were answered, by server.
        self.answered = [0] * len(servers)

    @property
    def events(self) -> int:
        """Events that were acknowledged."""
        return sum(len(items) for items in self._watched.values())

    def scores_from_now(self) -> None:
        """The campaign was updated to a version whose answers have scores."""
        self._scored.set()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, clients: Clients, at: int) -> None:
        for number in count():
            if self._stop.wait(_PAUSE) or self.problems:
                return
            try:
                self._visit(clients, f"guest-{number % _USERS}", watches=number % 4 == at)
            except Exception as problem:  # any failed request, whatever it is
                self.problems.append(repr(problem))
                return
            self.answered[at] += 1

    def _visit(self, clients: Clients, user: str, *, watches: bool) -> None:
        watched, scored = set(self._watched[user]), self._scored.is_set()
        request: Any = {**self._ask, "userId": user, "numResults": 10}
        found = clients.runtime.get_recommendations(**request)["itemList"]
        items = [one["itemId"] for one in found]
        if len(items) != 10 or not watched.isdisjoint(items) or (scored and not all("score" in one for one in found)):
            self.problems.append(f"{user} watched {sorted(watched)}, scores: {scored}, and is given {found}")
        if watches and len(watched) < _MOST_WATCHED:
            event: Any = {"eventType": "watch", "sentAt": 1_750_000_000, "itemId": items[0]}
            clients.events.put_events(trackingId=self._tracking_id, userId=user, sessionId=user, eventList=[event])
            self._watched[user].add(items[0])
