"""Report files of metric attributions, with the names and columns of the service. Spec 11.1."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from matinee.cloud.personalize_requests import writing
from matinee.cloud.role_checks import check_role
from matinee.control import lifecycle
from matinee.control.attribution_schedule import GRACE, WINDOW
from matinee.control.metric_expressions import Metric
from matinee.errors import JobStopped
from matinee.jobs.attribution.lookup import Attribution
from matinee.jobs.attribution.sums import Cell
from matinee.jobs.task import Task
from matinee.storage.locations import inside, open_output
from matinee.storage.metadata import attribution_sources, attribution_sums, jobs

HEADER = ("METRIC_NAME", "EVENT_TYPE", "VALUE", "MATH_FUNCTION", "EVENT_ATTRIBUTION_SOURCE", "TIMESTAMP")
_MOST_ROWS = 5000

Line = tuple[str, str, float, str, str, int]


def lines_of(sums: Mapping[Cell, float], metrics: Sequence[Metric]) -> list[Line]:
    """The lines of a report: by window, then in the order of the metrics, then by source; cells of 0 are left out."""
    known = {metric.number: metric for metric in metrics}
    cells = sorted(
        (cell for cell, value in sums.items() if value and cell.metric in known),
        key=lambda cell: (cell.begins, cell.metric, cell.source),
    )
    return [_line(known[cell.metric], sums[cell], cell.source, cell.begins) for cell in cells]


def write_report(task: Task, attribution: Attribution, method: str, at: int, lines: Iterable[Sequence[Any]]) -> str:
    """Write `AggregatedAttributionMetrics - <method> - <at>.csv` into the attribution's folder; returns its location.

    The same job gives the same name, so that an attempt after a kill writes its file again.
    """
    folder = str(attribution.output)
    role = attribution.resource["metricsOutputConfig"].get("roleArn")
    check_role(task.settings, role, attribution.arn, writing(folder))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(lines)
    target = inside(folder, f"AggregatedAttributionMetrics - {method} - {at}.csv")
    with open_output(target, roots=task.settings.file_roots, writer=task.job.id) as output:
        output.write(text.getvalue().encode())
    return target


def take_closed_windows(task: Task, attribution: Attribution) -> Sequence[Sequence[Any]]:
    """The lines of what streamed events added to closed windows and no report tells of yet.

    They are taken, and put down in the job's own row, in one transaction: an attempt after a kill finds them there and
    takes no others, so that every number is told of once.
    """
    with task.database.transaction() as connection:
        lifecycle.take_turn_for(connection, task.job.arn)
        if not task.current(connection, lock=True):
            raise JobStopped(f"The job of {task.job.arn} was taken over.")
        payload = connection.scalar(sa.select(jobs.c.payload).where(jobs.c.id == task.job.id)) or {}
        if "lines" in payload:
            taken: Sequence[Sequence[Any]] = payload["lines"]
            return taken
        lines = _untold(connection, attribution, int(payload["at"]) // 1000)
        change = sa.update(jobs).where(jobs.c.id == task.job.id)
        connection.execute(change.values(payload={**payload, "lines": lines}))
        return lines


def _untold(connection: sa.Connection, attribution: Attribution, now: int) -> list[Line]:
    """Take the closed windows' rows that changed since the last report, and note that they are told of."""
    sums, sources = attribution_sums.c, attribution_sources.c
    mine = sums.attribution_arn == attribution.arn
    closed = sa.and_(mine, sums.value != sums.reported, sums.begins + WINDOW + GRACE <= now)
    rows = connection.execute(
        sa.select(sums.metric, sums.begins, sums.value, sums.reported, sources.source, sources.number)
        .join(sources.source.table, (sources.attribution_arn == sums.attribution_arn) & (sources.number == sums.source))
        .where(closed)
        .order_by(sums.begins)
        .limit(_MOST_ROWS)
    ).all()
    for row in rows:
        key = sa.and_(mine, sums.metric == row.metric, sums.source == row.number, sums.begins == row.begins)
        connection.execute(sa.update(attribution_sums).where(key).values(reported=row.value))
    return lines_of(
        {Cell(row.metric, row.source, row.begins): row.value - row.reported for row in rows}, attribution.metrics
    )


def _line(metric: Metric, value: float, source: str, begins: int) -> Line:
    return (metric.name.upper(), metric.event_type.upper(), value, metric.expression.function, source, begins)
