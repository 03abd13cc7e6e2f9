"""DBOS, set up for Matinee: one durable workflow, two queues, JSON in the database, nothing on the console.

DBOS keeps which job is queued, running and ended in tables of its own (SQLite: a file beside the metadata;
PostgreSQL: the schema `dbos`). A workflow that was running when its worker died is queued again under the same id.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID

from matinee.control.outbox import JobKind
from matinee.jobs.slots import Slot, slot_number
from matinee.storage.metadata import Database

_NAME = "matinee"
# Fixed: DBOS would take up after a crash only what the very same code had begun, and our handlers start over anyway.
_VERSION = "1"
# Each poll of each queue costs about 2 ms of processor time, idle or not.
_POLL_SECONDS = 0.25

_IMPORTS, _TRAINING = "imports", "training"
_QUEUES = {_IMPORTS: 2, _TRAINING: 1}  # how many at once, in each worker
_HEAVY = {
    JobKind.IMPORT: _IMPORTS,
    JobKind.EXPORT: _IMPORTS,
    JobKind.DATA_DELETION: _IMPORTS,
    JobKind.TRAIN: _TRAINING,
    JobKind.RECOMMENDER: _TRAINING,
    JobKind.RETRAIN_RECOMMENDER: _TRAINING,
    JobKind.REFRESH_RECOMMENDER: _TRAINING,
    JobKind.UPDATE_MODEL: _TRAINING,
    JobKind.BATCH_INFERENCE: _IMPORTS,
    JobKind.BATCH_SEGMENT: _IMPORTS,
    JobKind.ATTRIBUTE: _IMPORTS,
}


def is_heavy(kind: str) -> bool:
    """Whether jobs of this kind wait in a queue; the others are done in milliseconds and start at once."""
    return kind in _HEAVY


class Engine:
    """DBOS for one slot: `run` is called with a job's id, at least once, until it has returned.

    One at a time in a process, since DBOS is a singleton. Entering launches it and queues again what was running when
    the slot's last holder died.
    """

    def __init__(self, database: Database, slot: Slot, run: Callable[[str], str]) -> None:
        self._slot = slot
        _quieten()
        url = _system_url(database)
        self._dbos = DBOS(config=_config(url, slot.executor_id))

        def run_job(job_id: str) -> str:
            return run(job_id)

        self._workflow = DBOS.workflow(name="run_job", max_recovery_attempts=None)(run_job)

    def launch(self) -> None:
        """Start carrying out jobs."""
        DBOS.launch()
        for name, at_once in _QUEUES.items():
            DBOS.register_queue(
                name, worker_concurrency=at_once, polling_interval_sec=_POLL_SECONDS, on_conflict="always_update"
            )

    def start(self, job_id: str, kind: str) -> None:
        """Queue a heavy job, start a quick one; one that was started before, whatever became of it, is left alone."""
        with SetWorkflowID(job_id):
            if is_heavy(kind):
                DBOS.enqueue_workflow(_HEAVY[JobKind(kind)], self._workflow, job_id)
            else:
                DBOS.start_workflow(self._workflow, job_id)

    def ended(self, job_ids: Iterable[str]) -> list[str]:
        """Those of the jobs that DBOS will not run again."""
        ids = list(job_ids)
        ends = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
        if not ids:
            return []
        found = DBOS.list_workflows(workflow_ids=ids, status=ends, load_input=False, load_output=False)
        return [workflow.workflow_id for workflow in found]

    def adopt_orphans(self) -> list[str]:
        """Queue again what the holders of other slots left running when they died; returns the jobs' ids."""
        adopted = []
        running = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        for executor in {workflow.executor_id for workflow in running} - {self._slot.executor_id, None}:
            number = slot_number(str(executor))
            if number is None:
                continue
            with self._slot.lent(number) as free:
                # Read again: only now is it certain that nobody else takes them up.
                left = DBOS.list_workflows(status="PENDING", executor_id=executor, load_input=False) if free else []
                for workflow in left:
                    DBOS.resume_workflow(workflow.workflow_id, queue_name=workflow.queue_name)
                    adopted.append(workflow.workflow_id)
        return adopted

    def close(self) -> None:
        """Stop taking jobs and let DBOS go; jobs that are running are left to be taken up again."""
        DBOS.destroy(destroy_registry=True)


def _config(url: str, executor: str) -> DBOSConfig:
    return {
        "name": _NAME,
        "system_database_url": url,
        "application_version": _VERSION,
        "executor_id": executor,
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "WARNING",
        "enable_otlp": False,
        "notification_listener_polling_interval_sec": 0.2,
        "scheduler_polling_interval_sec": 60.0,
    }


def _system_url(database: Database) -> str:
    """Where DBOS keeps its tables. A SQLite file is put into WAL mode first; the mode stays with the file."""
    if not database.is_sqlite:
        return database.url.render_as_string(hide_password=False)
    path = Path(str(database.url.database)).with_suffix(".jobs.db")
    connection = sqlite3.connect(path, timeout=60)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    return f"sqlite:///{path}"


def _quieten() -> None:
    """Have DBOS's log go the way of every other log: a handler of its own is what it adds only to a bare logger."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
