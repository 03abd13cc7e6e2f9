"""The log of answers: what was recommended to whom by which model, and how probable each place was.

Answers are written just after they are given, in batches by a thread of its own: a request waits for no disk, and a
process that is killed loses the answers of its last moments. Deleted users leave this log, too.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog
from prometheus_client import CollectorRegistry, Counter

from matinee.settings import Settings
from matinee.storage.metadata import Database, recommendations

#: Answers written together, and how many wait at most: beyond that they are dropped, and counted.
_AT_ONCE, _MOST_WAITING = 1_000, 20_000
#: Seconds over which answers are gathered, and between two looks for old ones.
_GATHER, _PRUNE = 0.1, 60.0
_DAY_MS = 86_400_000
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Recommended:
    """One answer. `propensities` are parallel to `items`; None where nothing was explored, or for a promoted item."""

    id: str
    group_arn: str
    arn: str
    model_arn: str
    artifact: str
    user_id: str | None
    items: Sequence[str]
    propensities: Sequence[float | None] | None
    #: Of an answer that an experiment interleaved: the number of the arm that put each item there.
    teams: Sequence[int] | None = None


class RecommendationLog:
    """Keeps answers for MATINEE_RECOMMENDATION_LOG_DAYS, and at most MATINEE_RECOMMENDATION_LOG_ROWS of them."""

    def __init__(self, database: Database, settings: Settings, registry: CollectorRegistry | None = None) -> None:
        """`registry` is where the metric of answers that are not in the log is kept."""
        self._database, self._settings = database, settings
        self._waiting: queue.Queue[dict[str, Any] | threading.Event | None] = queue.Queue(_MOST_WAITING)
        self._writer: threading.Thread | None = None
        self._starting = threading.Lock()
        self._pruned = 0.0
        self._dropped = Counter(
            "matinee_recommendations_unlogged",
            "Answers that the log of recommendations could not take.",
            registry=registry,
        )

    def share(self, *, explored: bool, tried: bool = False) -> float:
        """The share of answers that are kept; all of an experiment's arms (`tried`), unless nothing is kept at all."""
        settings = self._settings
        if not settings.recommendation_log_days:
            return 0.0
        if tried:
            return 1.0
        return settings.recommendation_log_explored if explored else settings.recommendation_log_others

    def add(self, answer: Recommended) -> None:
        """Keep an answer. Never waits: when the database cannot follow, the answer is dropped."""
        row = {
            "id": answer.id,
            "group_arn": answer.group_arn,
            "arn": answer.arn,
            "model_arn": answer.model_arn,
            "artifact": answer.artifact,
            "user_id": answer.user_id,
            "items": list(answer.items),
            "propensities": None if answer.propensities is None else list(answer.propensities),
            "teams": None if answer.teams is None else list(answer.teams),
            "at": time.time_ns() // 1_000_000,
        }
        try:
            self._waiting.put_nowait(row)
        except queue.Full:
            self._dropped.inc()
            return
        if self._writer is None:
            self._start()

    def flush(self) -> None:
        """Return when what was added before is written."""
        if self._writer is not None:
            written = threading.Event()
            self._waiting.put(written)
            written.wait()

    def close(self) -> None:
        """Write what waits and end the thread."""
        if self._writer is not None:
            self._waiting.put(None)
            self._writer.join()
            self._writer = None

    def _start(self) -> None:
        with self._starting:
            if self._writer is None:
                self._writer = threading.Thread(target=self._run, name="matinee-recommendations", daemon=True)
                self._writer.start()

    def _run(self) -> None:
        ended = False
        while not ended:
            rows: list[dict[str, Any]] = []
            told: list[threading.Event] = []
            until = None
            while len(rows) < _AT_ONCE:
                try:
                    got = self._waiting.get(timeout=None if until is None else max(0.0, until - time.monotonic()))
                except queue.Empty:
                    break
                if got is None or isinstance(got, threading.Event):
                    ended = got is None
                    told += [] if got is None else [got]
                    break
                rows.append(got)
                until = until or time.monotonic() + _GATHER
            self._write(rows)
            for one in told:
                one.set()

    def _write(self, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        try:
            with self._database.transaction() as connection:
                connection.execute(sa.insert(recommendations), rows)
                if time.monotonic() - self._pruned >= _PRUNE:
                    self._pruned = time.monotonic()
                    prune(connection, self._settings)
        except sa.exc.SQLAlchemyError as problem:  # an answer was given all the same
            self._dropped.inc(len(rows))
            _log.warning("recommendations were not logged", rows=len(rows), problem=type(problem).__name__)


def prune(connection: sa.Connection, settings: Settings) -> None:
    """Delete answers that are too old, and the oldest of those that are too many."""
    oldest = time.time_ns() // 1_000_000 - settings.recommendation_log_days * _DAY_MS
    last = connection.scalar(sa.select(sa.func.max(recommendations.c.seq))) or 0
    # Numbers grow with time: the first that is young enough ends what is too old.
    young = sa.select(recommendations.c.seq).where(recommendations.c.at >= oldest)
    kept = connection.scalar(young.order_by(recommendations.c.seq).limit(1)) or last + 1
    first = max(kept, last - settings.recommendation_log_rows + 1)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")  # users may be deleted later from what is then free
    connection.execute(sa.delete(recommendations).where(recommendations.c.seq < first))


def shown_by(connection: sa.Connection, ids: Collection[str], group_arn: str) -> Mapping[str, Sequence[str]]:
    """What the group's answers with these IDs showed, best first; those that are not in the log are left out."""
    found: dict[str, Sequence[str]] = {}
    wanted = sorted(ids)
    for begin in range(0, len(wanted), 500):
        query = sa.select(recommendations.c.id, recommendations.c["items"]).where(
            recommendations.c.id.in_(wanted[begin : begin + 500]), recommendations.c.group_arn == group_arn
        )
        found.update((answer, items) for answer, items in connection.execute(query))
    return found
