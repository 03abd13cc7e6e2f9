"""Bulk import: CSV files from where the customer keeps them become one Parquet part of the dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import sqlalchemy as sa

from matinee.cloud.personalize_requests import reading
from matinee.cloud.role_checks import check_role
from matinee.control import records
from matinee.control.records import now_ms
from matinee.data.reading import CsvSource, ImportSummary, import_csv
from matinee.data.schemas import Schema, parse_schema
from matinee.jobs.attribution.imported import Attributed, add_imported, attribute_import
from matinee.jobs.sizes import check_bytes
from matinee.jobs.task import Outcome, Task
from matinee.storage.locations import SourceFile, list_sources
from matinee.storage.metadata import dataset_parts, resources

_PIECE = 1 << 20


def import_data(task: Task) -> Outcome:
    """Read and check everything, store the part, and only then let it take its place among the dataset's parts.

    A file that does not fit fails the job with place and fix; the dataset keeps what it had.
    """
    payload = task.job.payload
    key = task.claim(f"{payload['prefix']}/{task.job.id}.parquet")
    sources = list_sources(payload["dataLocation"], roots=task.settings.file_roots)
    uses = reading(payload["dataLocation"], [source.name for source in sources])
    check_role(task.settings, payload.get("roleArn"), task.job.arn, uses)
    mode = payload["importMode"]
    check_bytes(sources, task.settings, f"{mode.lower()}-import-bytes", f"an import with importMode {mode}")
    part = task.scratch / "part.parquet"
    summary = import_csv(
        _counted(task, sources), _schema(task, payload["schemaArn"]), part, progress=lambda _: task.check()
    )
    for warning in summary.warnings:
        task.log.warning("the import may hold a mistake", finding=warning.sentence, rows=warning.count)
    task.reached("read")
    attributed = attribute_import(task, part)
    task.objects.put_file(key, part)
    task.reached("stored")
    private = {
        "rows": summary.rows,
        "csv_bytes": summary.csv_bytes,
        "warnings": [warning.to_json() for warning in summary.warnings],
    }
    return Outcome(private=private, commit=lambda connection: _take_place(connection, task, key, summary, attributed))


def _schema(task: Task, arn: str) -> Schema:
    schema = task.resource(arn)
    return parse_schema(schema["schema"], schema.attributes.get("domain"))


def _counted(task: Task, sources: Sequence[SourceFile]) -> list[CsvSource]:
    """The files as the reader takes them, telling how much of all their bytes has gone by."""
    total = sum(source.size for source in sources)
    read = 0

    def pieces(source: SourceFile) -> Callable[[], Iterator[bytes]]:
        def walk() -> Iterator[bytes]:
            nonlocal read
            with source.open() as stream:
                while piece := stream.read(_PIECE):
                    read += len(piece)
                    task.report(min(1.0, read / max(1, total)), f"Reading {Path(source.name).name}")
                    yield piece

        return walk

    return [CsvSource(source.name, pieces(source)) for source in sources]


def _take_place(
    connection: sa.Connection, task: Task, key: str, summary: ImportSummary, attributed: Attributed
) -> Sequence[str]:
    """Make the part one of the dataset's; FULL takes the place of all that earlier imports brought.

    Imports may end in another order than they were asked for. The order of asking counts: a FULL import leaves
    alone what was asked for after it, and is itself without effect once a later FULL import has ended.
    """
    add_imported(connection, attributed)
    payload = task.job.payload
    dataset, mine = payload["datasetArn"], records.find(connection, task.job.arn)
    seq = mine.seq if mine else 0
    jobs = {job.arn: job for job in records.children(connection, dataset, "dataset-import-job")}
    if any(j.seq > seq and j["importMode"] == "FULL" and j.status == "ACTIVE" for j in jobs.values()):
        return (key,)
    replaced: list[str] = []
    if payload["importMode"] == "FULL":
        later = [job.arn for job in jobs.values() if job.seq > seq]
        old = sa.and_(dataset_parts.c.dataset_arn == dataset, dataset_parts.c.job_arn.not_in(later))
        replaced.extend(connection.scalars(sa.select(dataset_parts.c.object_key).where(old)))
        connection.execute(sa.delete(dataset_parts).where(old))
    connection.execute(
        sa.insert(dataset_parts).values(
            dataset_arn=dataset,
            job_arn=task.job.arn,
            object_key=key,
            rows=summary.rows,
            bytes=summary.parquet_bytes,
            created_at=now_ms(),
        )
    )
    # The dataset was updated: clients see it in its lastUpdatedDateTime.
    connection.execute(sa.update(resources).where(resources.c.arn == dataset).values(updated_at=now_ms()))
    return replaced
