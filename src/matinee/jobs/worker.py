"""The worker: takes a slot, carries out its jobs, ends when it is told to or when its parent is gone.

Run as `python -m matinee.jobs.worker`. Only this process, beside commands that train, imports torch.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping

import structlog

from matinee.control import lifecycle
from matinee.control.outbox import JobKind
from matinee.control.records import now_ms
from matinee.delivery.deliverer import Deliverer
from matinee.jobs import outbox
from matinee.jobs.engine import Engine
from matinee.jobs.handlers import HANDLERS
from matinee.jobs.scheduler import Scheduler, duties
from matinee.jobs.slots import Slot, take_slot
from matinee.jobs.sweep import sweep
from matinee.jobs.task import Handler, Workshop
from matinee.jobs.workflow import run_job
from matinee.logs import log_to_stderr
from matinee.settings import Settings
from matinee.storage.metadata import Database
from matinee.storage.objects import open_store

log = structlog.get_logger(__name__)

_DISPATCH_SECONDS = 0.05
_QUICK_AT_ONCE = 8
_WATCH_SECONDS = 1.0
_ADOPT_SECONDS = 5.0
_DRAIN_SECONDS = 5.0
# Serving must not feel a training: on a busy machine the worker is the one that waits.
_NICENESS = 5
#: Exit status of a worker that lost its slot.
LOST_SLOT = 70


class Worker:
    """Carries out the jobs of one slot until `stop` is set.

    `reached` is told every point that a job reaches; tests of crashes die there. `clock` gives the time, in epoch
    milliseconds, by which automatic trainings are due.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        handlers: Mapping[JobKind, Handler] = HANDLERS,
        reached: Callable[[str], None] | None = None,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._settings, self._clock = settings, clock
        self.database = Database(settings.effective_database_url)
        self.database.upgrade()
        objects = open_store(settings)
        self._workshop = (
            Workshop(self.database, objects, settings, reached)
            if reached
            else Workshop(self.database, objects, settings)
        )
        self._handlers = handlers
        self._deliverer = Deliverer(self.database, objects, settings, self._workshop.reached)
        self._running: set[str] = set()
        self._guard = threading.Lock()

    def run(self, stop: threading.Event, *, drain_seconds: float = _DRAIN_SECONDS) -> None:
        """Work until `stop` is set; then take no new job and give running ones `drain_seconds` to end.

        A job that takes longer is left as it is, to be taken up by the slot's next holder.
        """
        slot = take_slot(self.database, stop)
        if slot is None:
            return
        with slot:
            engine = Engine(self.database, slot, self._run_job)
            sweep(self._workshop)
            engine.launch()
            self._take_up(engine)
            log.info("worker ready", slot=slot.number)
            deliverer = threading.Thread(target=self._deliverer.run, args=(stop,), name="matinee-deliverer")
            deliverer.daemon = True  # a receiver that does not answer must not hold up the end
            deliverer.start()
            try:
                self._serve(engine, slot, stop)
                self._drain(drain_seconds)
            finally:
                engine.close()
                deliverer.join(drain_seconds)
        self.database.close()

    def _serve(self, engine: Engine, slot: Slot, stop: threading.Event) -> None:
        watched = adopted = time.monotonic()
        scheduler = Scheduler(duties(self.database, self._settings), self._clock)
        while not stop.wait(_DISPATCH_SECONDS):
            try:
                outbox.dispatch(self.database, engine.start, room=_QUICK_AT_ONCE - len(self._running))
                now = time.monotonic()
                if now - watched >= _WATCH_SECONDS:
                    watched = now
                    if not slot.held():
                        # Someone else may hold it by now and take up what this process is doing.
                        log.error("the slot is lost: its database connection broke", slot=slot.number)
                        os._exit(LOST_SLOT)
                    outbox.end_stopped(self.database)
                if now - adopted >= _ADOPT_SECONDS:
                    adopted = now
                    engine.adopt_orphans()
                scheduler.round()
            except Exception:  # the database may be away for a while; what runs tells by itself
                log.exception("the dispatcher could not do its round; it goes on")
                stop.wait(_WATCH_SECONDS)

    def _run_job(self, job_id: str) -> str:
        with self._guard:
            self._running.add(job_id)
        try:
            return run_job(self._workshop, self._handlers, job_id)
        finally:
            with self._guard:
                self._running.discard(job_id)

    def _take_up(self, engine: Engine) -> None:
        """Jobs that were handed over and have not ended: DBOS knows them, or (its file was lost) is told again.

        One that DBOS holds for ended, while its row says otherwise, cannot be repeated: it has failed.
        """
        unfinished = outbox.unfinished(self.database)
        for job_id, kind in unfinished:
            engine.start(job_id, kind)
        for job_id in engine.ended(job_id for job_id, _ in unfinished):
            log.error("a job ended without saying how", job=job_id)
            with self.database.transaction() as connection:
                job = lifecycle.begin(connection, job_id)
                if job is not None:
                    lifecycle.fail(
                        connection, job, "Internal error: the job broke off. The worker's log has the details."
                    )

    def _drain(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self._running and time.monotonic() < end:
            threading.Event().wait(0.05)
        with self._guard:
            left = sorted(self._running)
        if left:
            log.info("leaving running jobs to the next worker", jobs=left)


def main(arguments: list[str] | None = None) -> None:
    """Run a worker with the settings of the environment until SIGTERM, SIGINT or, when asked, the parent's end."""
    parser = argparse.ArgumentParser(prog="matinee worker", description="Carry out Matinee's jobs.")
    parser.add_argument("--watch-parent", action="store_true", help="end at once when standard input is closed")
    run_worker(Settings.from_environment(), watch_parent=parser.parse_args(arguments).watch_parent)


def run_worker(settings: Settings, *, watch_parent: bool = False, reached: Callable[[str], None] | None = None) -> None:
    """Run a worker in this process, whose main thread this must be; ends the process."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if watch_parent:
        threading.Thread(target=_end_with_parent, name="watch-parent", daemon=True).start()
    log_to_stderr(settings.log_level)
    os.nice(_NICENESS)
    Worker(settings, reached=reached).run(stop)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a handler that is still running must not hold up the end


def _end_with_parent() -> None:
    """Standard input is a pipe that nobody writes to: it ends when the parent does, even by kill -9."""
    while os.read(0, 1):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
