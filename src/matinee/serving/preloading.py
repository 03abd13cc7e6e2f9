"""Opens the artifacts of active campaigns and recommenders before a request needs them, in a thread of its own."""

from __future__ import annotations

import threading

import sqlalchemy as sa
import structlog

from matinee.control import lifecycle, records
from matinee.control.records import Resource
from matinee.errors import MatineeError
from matinee.serving.capacity import Capacity
from matinee.serving.deployments import Deployments, reserved_of
from matinee.storage.metadata import Database, resources
from matinee.training.artifact import Artifact

#: Seconds between two looks for what became active or is about to.
EVERY = 1.0
#: When the artifact of a row took its place: a refreshed model leaves the date of the last update as it is.
_ARTIFACT_AT = sa.cast(resources.c.private[lifecycle.ARTIFACT_AT].as_string(), sa.BigInteger)
_log = structlog.get_logger(__name__)


class Preloader:
    """Holds what is open, so that it stays open; tells `capacity` the reservations there are."""

    def __init__(self, database: Database, deployments: Deployments, capacity: Capacity) -> None:
        self._database, self._deployments, self._capacity = database, deployments, capacity
        self._held: dict[str, Artifact] = {}
        self._looked = False
        self._seen: object = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="matinee-preload", daemon=True)

    def start(self) -> None:
        """Look for the first time, so that the first request finds everything open; then again and again."""
        self._look_if_possible()
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def reason(self) -> str | None:
        """Why requests had better not come yet: nothing was looked at so far. None when they may."""
        return None if self._looked else "the models of active campaigns are being opened"

    def look(self) -> None:
        """Open what is active or becomes so, and let go of the rest. What cannot be opened is left to its requests."""
        with self._database.read() as connection:
            changed = connection.execute(
                # Sums, since a later commit may bring an earlier time: another process began before this one.
                sa.select(sa.func.count(), sa.func.sum(resources.c.updated_at), sa.func.sum(_ARTIFACT_AT)).where(
                    resources.c.kind.in_(("campaign", "recommender", "solution-version"))
                )
            ).one()
            if self._looked and tuple(changed) == self._seen:
                return
            found = connection.execute(sa.select(resources).where(resources.c.kind.in_(("campaign", "recommender"))))
            rows = [Resource(**row._mapping) for row in found]
            prefixes = {prefix for row in rows for prefix in _prefixes(connection, row)}
        held = {}
        for prefix in sorted(prefixes):
            try:
                held[prefix] = self._deployments.preload(prefix)
            except (MatineeError, OSError) as problem:
                _log.warning("a model could not be opened ahead of its requests", artifact=prefix, reason=str(problem))
        self._held = held
        self._capacity.reserve((row.arn, reserved_of(row)) for row in rows if row.status == "ACTIVE")
        self._seen, self._looked = tuple(changed), True

    def _run(self) -> None:
        while not self._stop.wait(EVERY):
            self._look_if_possible()

    def _look_if_possible(self) -> None:
        try:
            self.look()
        except Exception as problem:  # the database is away: the next look may do better
            _log.warning("no look at the active campaigns", reason=type(problem).__name__)


def _prefixes(connection: sa.Connection, row: Resource) -> set[str]:
    """Artifacts that a campaign or recommender serves, or is being updated to serve."""
    if row.status not in ("ACTIVE", "CREATE IN_PROGRESS"):
        return set()
    if row.kind == "recommender":
        return {found} if (found := row.private.get("artifact")) else set()
    update = row.attributes.get("latestCampaignUpdate") or {}
    arns = {row.attributes.get("solutionVersionArn"), update.get("solutionVersionArn")} - {None}
    models = [records.find(connection, str(arn)) for arn in arns]
    return {model.private["artifact"] for model in models if model is not None and model.private.get("artifact")}
