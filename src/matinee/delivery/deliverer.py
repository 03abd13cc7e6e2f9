"""The deliverer: sends what waits, several users at a time, each user's events one after the other.

A delivery is taken away only after its destination took it: a crash in between sends it once more, under the same id.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from matinee.control.records import now_ms
from matinee.delivery import outbox, rules
from matinee.delivery.backoff import Backoff
from matinee.delivery.cloud_event import message
from matinee.delivery.destinations import Destination, open_destination
from matinee.delivery.outbox import Delivery
from matinee.delivery.rules import Rule
from matinee.delivery.turn import sole_deliverer
from matinee.errors import DeliveryFailed, MatineeError
from matinee.settings import Settings
from matinee.storage.metadata import Database
from matinee.storage.objects import ObjectStore

if TYPE_CHECKING:
    from matinee.delivery.recommending import Recommending

log = structlog.get_logger(__name__)

_THREADS = 16
#: Of one rule at once, so that a slow receiver does not hold up the others.
_OF_A_RULE = 6
_LOOK_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 2.0
_TROUBLE_SECONDS = 1.0
_DRAIN_SECONDS = 3.0


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: `failure` None when the destination has it, or when it was `none_of_it`."""

    delivery: Delivery
    failure: DeliveryFailed | None = None
    none_of_it: bool = False


def pause_after(took: float) -> float:
    """Seconds between two looks, the first of which took `took`.

    Looking costs more the more there waits: it takes a tenth of the time at most. Yet a look that took long because the
    machine stood still for a minute must not put off what is due by ten.
    """
    return min(_LONGEST_PAUSE_SECONDS, max(_LOOK_SECONDS, 10 * took))


class Deliverer:
    """Delivers for all rules of a database until it is stopped. `reached` is told the points of each delivery."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        settings: Settings,
        reached: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._database, self._objects, self._settings, self._reached = database, objects, settings, reached
        self._backoff = Backoff(1000 * settings.delivery_longest_wait, 1000 * settings.delivery_give_up)
        self._chance = random.SystemRandom()
        self._destinations: dict[tuple[str, ...], Destination] = {}
        self._flying: dict[Future[Outcome], Delivery] = {}
        self._recommending: Recommending | None = None
        self._guard = threading.Lock()

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set; what is on its way then has a few seconds to arrive."""
        while not stop.is_set():
            try:
                with sole_deliverer(self._database, stop) as holds:
                    if holds is not None:
                        self._deliver(stop, holds)
            except Exception:  # the database may be away for a while; what runs tells by itself
                log.exception("the deliverer could not do its round; it goes on")
                stop.wait(_TROUBLE_SECONDS)
        for destination in self._destinations.values():
            destination.close()
        if self._recommending is not None:
            self._recommending.close()

    def _deliver(self, stop: threading.Event, holds: Callable[[], bool]) -> None:
        """Round after round: note what has ended, begin what is due, wait for the next end or for a while."""
        pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="matinee-delivery")
        try:
            while not stop.is_set() and holds():
                took = self._round(pool)
                pause = pause_after(took)
                if self._flying:
                    wait(self._flying, timeout=pause, return_when=FIRST_COMPLETED)
                else:
                    stop.wait(pause)
            wait(self._flying, timeout=_DRAIN_SECONDS)
            self._settle()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            self._flying.clear()

    def _round(self, pool: ThreadPoolExecutor) -> float:
        """Returns the seconds that it took to look for work."""
        self._settle()
        if len(self._flying) >= _THREADS:
            return 0.0
        begun = time.monotonic()
        with self._database.read() as connection:
            known = rules.every(connection) if outbox.any_waiting(connection) else []
            flying = {delivery.seq for delivery in self._flying.values()}
            busy = Counter(delivery.rule_id for delivery in self._flying.values())
            found = [(rule, outbox.due(connection, rule, now_ms(), _OF_A_RULE + busy[rule.id])) for rule in known]
        took = time.monotonic() - begun
        for rule, due in found:
            fresh = [delivery for delivery in due if delivery.seq not in flying]
            for delivery in fresh[: max(0, min(_OF_A_RULE - busy[rule.id], _THREADS - len(self._flying)))]:
                self._flying[pool.submit(self._attempt, rule, delivery)] = delivery
        return took

    def _attempt(self, rule: Rule, delivery: Delivery) -> Outcome:
        """One try, in a thread of the pool."""
        self._reached("delivery.begun")
        try:
            data = self._answers().data(rule, delivery)
            if data is None:
                return Outcome(delivery, none_of_it=True)
            self._destination(rule).send(
                message(
                    event_id=delivery.id,
                    sequence=delivery.seq,
                    lane=delivery.user,
                    source=rule.source_arn,
                    event=delivery.event,
                    data=data,
                )
            )
        except DeliveryFailed as failure:
            return Outcome(delivery, failure)
        except MatineeError as refusal:  # the campaign is not ACTIVE just now, or is gone
            return Outcome(delivery, DeliveryFailed(f"No recommendations: {refusal}"))
        except Exception as problem:
            log.exception("a delivery failed unexpectedly", rule=rule.name)
            return Outcome(delivery, DeliveryFailed(f"Internal error: {type(problem).__name__}."))
        self._reached("delivery.sent")
        return Outcome(delivery)

    def _settle(self) -> None:
        """Write how the attempts that have ended did end, all in one transaction."""
        ended = [future for future in self._flying if future.done()]
        if ended:
            self._write([future.result() for future in ended])
            self._reached("delivery.settled")
        for future in ended:  # not before: what is not written yet must not be begun again
            del self._flying[future]

    def _write(self, outcomes: Sequence[Outcome]) -> None:
        now = now_ms()
        failed = [outcome for outcome in outcomes if outcome.failure is not None]
        with self._database.transaction() as connection:
            done = [outcome for outcome in outcomes if outcome.failure is None]
            outbox.delivered(connection, [outcome.delivery for outcome in done if not outcome.none_of_it])
            outbox.delivered(connection, [outcome.delivery for outcome in done if outcome.none_of_it], counted=False)
            for outcome in failed:
                self._write_failure(connection, outcome.delivery, outcome.failure or DeliveryFailed(""), now)
        for rule_id, count in Counter(outcome.delivery.rule_id for outcome in failed).items():
            log.warning("deliveries failed", rule=rule_id, count=count, reason=str(failed[-1].failure))

    def _write_failure(self, connection: sa.Connection, failed: Delivery, failure: DeliveryFailed, now: int) -> None:
        if failure.final or self._backoff.given_up(failed.since, now):
            outbox.bury(connection, failed, str(failure))
            return
        pause = self._backoff.wait_ms(failed.attempts + 1, self._chance, failure.wait)
        outbox.postpone(connection, failed, now + pause, str(failure))

    def _answers(self) -> Recommending:
        """What recommends, made with the first delivery: it loads the numeric libraries."""
        with self._guard:
            if self._recommending is None:
                from matinee.delivery.recommending import Recommending

                self._recommending = Recommending(self._database, self._objects, self._settings)
            return self._recommending

    def _destination(self, rule: Rule) -> Destination:
        """The destination of a rule, opened once for as long as its secrets stay."""
        key = (rule.terms.to, *rule.terms.secrets)
        with self._guard:
            if key not in self._destinations:
                self._destinations[key] = open_destination(rule.terms.to, rule.terms.secrets, self._settings)
            return self._destinations[key]
