"""One job from its beginning to its end: the body of the durable workflow.

It may die at any point and be called again with the same id: `begin` takes up a job that has not ended, handlers
remove what the dead attempt left, and everything that shows the work happens in the one transaction that ends it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
import structlog

from matinee.control import lifecycle
from matinee.control.outbox import JobKind
from matinee.errors import JobFailed, JobStopped, MatineeError
from matinee.jobs.task import Handler, Outcome, Task, Workshop
from matinee.storage import metadata

log = structlog.get_logger(__name__)

#: A job that took its worker down so many times is given up: a worker that dies again and again serves nobody.
MOST_ATTEMPTS = 10
_DATABASE_WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)


def run_job(workshop: Workshop, handlers: Mapping[JobKind, Handler], job_id: str) -> str:
    """Carry out the job. Returns how it ended: `DONE`, `FAILED`, `STOPPED` or `NOTHING` (there was nothing to do).

    When the database cannot be reached the job is begun again, later and later; the last failure is raised.
    """
    for wait in _DATABASE_WAITS:
        try:
            return _attempt(workshop, handlers, job_id)
        except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:
            log.warning("the database cannot be used; trying the job again", job=job_id, seconds=wait, error=str(error))
            threading.Event().wait(wait)
    return _attempt(workshop, handlers, job_id)


def _attempt(workshop: Workshop, handlers: Mapping[JobKind, Handler], job_id: str) -> str:
    with workshop.database.transaction() as connection:
        job = lifecycle.begin(connection, job_id)
        attempts = sa.select(metadata.jobs.c.attempts).where(metadata.jobs.c.id == job_id)
        attempt = connection.scalar(attempts) or 0
    if job is None:
        return "NOTHING"
    task = Task(workshop, job, attempt)
    task.log.info("begun", attempt=attempt)
    task.reached("begun")
    try:
        end = _finish(task, _handle(task, handlers.get(job.kind)))
    except JobStopped:
        end = _end(task, "STOPPED")
    except (sa.exc.OperationalError, sa.exc.InterfaceError):
        raise
    except MatineeError as problem:
        end = _end(task, "FAILED", str(problem))
    except MemoryError:
        end = _end(task, "FAILED", "There was not enough memory. Give the worker more, or use less data.")
    except Exception as error:
        task.log.exception("a handler failed unexpectedly")
        end = _end(
            task, "FAILED", f"Internal error: {type(error).__name__}: {error}. The worker's log has the details."
        )
    task.log.info("ended", end=end)
    return end


def _handle(task: Task, handler: Handler | None) -> Outcome:
    if handler is None:
        raise JobFailed(f"This server cannot carry out jobs of kind {task.job.kind.value!r}.")
    if task.attempt > MOST_ATTEMPTS:
        raise JobFailed(
            f"The worker ended {MOST_ATTEMPTS} times while it carried out this job, most likely for want of memory. "
            "Look into the worker's log, give it more memory or less data, and create the resource again."
        )
    outcome = handler(task)
    task.reached("handled")
    return outcome


def _finish(task: Task, outcome: Outcome) -> str:
    """Make the work visible, all of it at once, unless the job was stopped or taken over meanwhile."""
    unneeded: Sequence[str] = ()
    with task.database.transaction() as connection:
        lifecycle.take_turn_for(connection, task.job.arn)
        if not task.current(connection, lock=True):
            return "NOTHING"
        stopped = lifecycle.stop_requested(connection, task.job)
        if stopped:
            lifecycle.stopped(connection, task.job)
        else:
            unneeded = outcome.commit(connection)
            lifecycle.succeed(connection, task.job, attributes=outcome.attributes, private=outcome.private)
            task.reached("committing")
    task.reached("committed")
    if stopped:
        task.discard()
    for key in unneeded:
        task.objects.delete_prefix(key)
    task.tidy()
    return "STOPPED" if stopped else "DONE"


def _end(task: Task, end: str, reason: str = "") -> str:
    """End a job that did not succeed; what it wrote is removed."""
    with task.database.transaction() as connection:
        lifecycle.take_turn_for(connection, task.job.arn)
        if not task.current(connection, lock=True):
            return "NOTHING"
        if end == "FAILED":
            task.log.warning("failed", reason=reason)
            lifecycle.fail(connection, task.job, reason)
        else:
            lifecycle.stopped(connection, task.job)
    task.discard()
    task.tidy()
    return end
