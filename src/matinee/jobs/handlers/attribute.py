"""Metric attribution: counts the events that came in, and writes the report of the windows that have closed."""

from __future__ import annotations

from matinee.errors import JobStopped
from matinee.jobs.attribution.lookup import Attribution
from matinee.jobs.attribution.report import take_closed_windows, write_report
from matinee.jobs.attribution.streamed import count_streamed
from matinee.jobs.task import Outcome, Task

#: In names of report files, where imports have their mode.
METHOD = "PutEvents"


def attribute(task: Task) -> Outcome:
    """Bring an ACTIVE attribution up to date. The job's payload: `at`, epoch milliseconds, when it was asked for."""
    resource = task.resource()
    if resource.status != "ACTIVE":
        raise JobStopped(f"{task.job.arn} is not ACTIVE any more.")
    attribution = Attribution.of(resource)
    looked_at = count_streamed(task, attribution)
    task.log.info("attributed", events=looked_at)
    if attribution.output is not None:
        lines = take_closed_windows(task, attribution)
        task.reached("taken")
        if lines:
            write_report(task, attribution, METHOD, task.job.payload["at"], lines)
            task.reached("reported")
    return Outcome()
