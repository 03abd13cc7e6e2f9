"""The sums as they are kept: added to in the transaction that notes how far the events were counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite

from matinee.control.records import now_ms
from matinee.jobs.attribution.sums import UNDEFINED, Cell
from matinee.storage.metadata import attribution_marks, attribution_sources, attribution_sums

#: Distinct sources of an attribution (spec 11.2).
MOST_SOURCES = 100

log = structlog.get_logger(__name__)


def counted(connection: sa.Connection, arn: str) -> int:
    """The number of the last event that an attribution has looked at; 0 before the first."""
    query = sa.select(attribution_marks.c.counted).where(attribution_marks.c.attribution_arn == arn)
    return int(connection.scalar(query) or 0)


def mark(connection: sa.Connection, arn: str, seq: int) -> None:
    """Note the last event that was looked at."""
    statement = _insert(connection, attribution_marks).values(attribution_arn=arn, counted=seq)
    connection.execute(statement.on_conflict_do_update(index_elements=["attribution_arn"], set_={"counted": seq}))


def add(connection: sa.Connection, arn: str, sums: Mapping[Cell, float], *, reported: bool = False) -> None:
    """Add to what is kept; `reported` says that a file tells of it already, so that no later one has to."""
    if not sums:
        return
    numbers = _numbers(connection, arn, [cell.source for cell in sums])
    together: dict[tuple[int, int, int], float] = {}
    for cell, value in sums.items():
        key = (cell.metric, numbers[cell.source], cell.begins)
        together[key] = together.get(key, 0.0) + value
    now = now_ms()
    rows = [
        {
            "attribution_arn": arn,
            "metric": metric,
            "source": source,
            "begins": begins,
            "value": value,
            "reported": value if reported else 0.0,
            "changed_at": now,
        }
        for (metric, source, begins), value in together.items()
    ]
    statement = _insert(connection, attribution_sums)
    present, given = attribution_sums.c, statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["attribution_arn", "metric", "source", "begins"],
            set_={
                "value": present.value + given.value,
                "reported": present.reported + given.reported,
                "changed_at": given.changed_at,
            },
        ),
        rows,
    )


def totals(connection: sa.Connection) -> list[tuple[str, int, str, float]]:
    """Everything counted so far: (attribution's ARN, metric's number, source, total) of each."""
    sums, sources = attribution_sums.c, attribution_sources.c
    joined = attribution_sums.join(
        attribution_sources, (sums.attribution_arn == sources.attribution_arn) & (sums.source == sources.number)
    )
    query = (
        sa.select(sums.attribution_arn, sums.metric, sources.source, sa.func.sum(sums.value))
        .select_from(joined)
        .group_by(sums.attribution_arn, sums.metric, sources.source)
    )
    return [(arn, metric, source, float(value)) for arn, metric, source, value in connection.execute(query)]


def _numbers(connection: sa.Connection, arn: str, wanted: list[str]) -> dict[str, int]:
    """The number of every source; those beyond the hundredth are counted as undefined, which always has a place."""
    table = attribution_sources
    query = sa.select(table.c.source, table.c.number).where(table.c.attribution_arn == arn)
    known: dict[str, int] = {row.source: row.number for row in connection.execute(query)}
    new = [source for source in dict.fromkeys([UNDEFINED, *wanted]) if source not in known]
    room = max(0, MOST_SOURCES - len(known))
    kept = {source: number for number, source in enumerate(new[:room], start=len(known))}
    if kept:
        rows = [{"attribution_arn": arn, "number": number, "source": source} for source, number in kept.items()]
        connection.execute(sa.insert(table), rows)
    if len(new) > room:
        log.warning("more than 100 attribution sources: the others count as undefined", attribution=arn)
    known |= kept
    return {source: known.get(source, known[UNDEFINED]) for source in wanted}


def _insert(connection: sa.Connection, table: sa.Table) -> Any:
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table)
