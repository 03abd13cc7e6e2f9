"""Dataset export: a dataset's imported and streamed records as one CSV file in the customer's folder. Spec 3.7."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from matinee.cloud.personalize_requests import writing
from matinee.cloud.role_checks import check_role
from matinee.data.schemas import Schema, parse_schema, polars_schema
from matinee.errors import StorageProblem
from matinee.jobs.distinct_rows import Choice, chosen_rows
from matinee.jobs.streamed_export import SINCE, write_streamed
from matinee.jobs.task import Outcome, Task
from matinee.storage.locations import inside, open_output
from matinee.storage.metadata import dataset_parts
from matinee.training.streamed_rows import EVENT_COLUMNS

_ATTEMPTS = 3
_PIECE = 1 << 20
_ROWS_AT_ONCE = 50_000


def export(task: Task) -> Outcome:
    """Write `<job name>.csv`, header first, into the folder. Rows that are equal in every column are there once; with
    ALL, of each item, user or action only the newest record. The file appears as a whole. Memory does not grow with it.
    """
    payload = task.job.payload
    folder = f"{payload['path'].rstrip('/')}/"
    check_role(task.settings, payload.get("roleArn"), task.job.arn, writing(folder))
    schema = _schema(task)
    columns = EVENT_COLUMNS if schema is None else polars_schema(schema)
    key, mode = (None if schema is None else schema.key), payload["ingestionMode"]
    task.report(0.1, "Reading what was streamed")
    streamed = write_streamed(task, columns, key) if mode in ("PUT", "ALL") else []
    file = task.scratch / "export.csv"
    task.reached("streamed")
    task.report(0.4, "Writing the file")
    # What was stored last counts; of equal times what was streamed, as everywhere.
    choice = Choice([key], newest_by=SINCE) if mode == "ALL" and key is not None else Choice(list(columns))
    rows = _write(task, file, columns, streamed, choice, bulk=mode in ("BULK", "ALL"))
    task.reached("written")
    target = inside(folder, f"{task.resource().name}.csv")
    roots = task.settings.file_roots
    with file.open("rb") as content, open_output(target, roots=roots, writer=task.job.id) as output:
        shutil.copyfileobj(content, output, _PIECE)
    task.reached("published")
    return Outcome(private={"rows": rows})


def _schema(task: Task) -> Schema | None:
    """The dataset's schema; streamed events have none where no Interactions dataset was made."""
    if "schemaArn" not in task.job.payload:
        return None
    schema = task.resource(task.job.payload["schemaArn"])
    return parse_schema(schema["schema"], schema.attributes.get("domain"))


def _write(
    task: Task, file: Path, columns: Mapping[str, pl.DataType], streamed: Sequence[Path], choice: Choice, *, bulk: bool
) -> int:
    """Write the CSV file; returns its number of records. Parts that an import replaces meanwhile are listed again."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return _write_csv(task, file, columns, _parts(task, streamed, bulk=bulk), choice)
        except (StorageProblem, FileNotFoundError):
            task.log.info("the data changed while they were read; reading again")
    return _write_csv(task, file, columns, _parts(task, streamed, bulk=bulk), choice)


def _parts(task: Task, streamed: Sequence[Path], *, bulk: bool) -> list[tuple[Path, int | None]]:
    """Imported parts in the order of their commits, each with the time of its commit, then what was streamed."""
    query = sa.select(dataset_parts.c.object_key, dataset_parts.c.created_at).order_by(dataset_parts.c.seq)
    with task.database.read() as connection:
        found = connection.execute(query.where(dataset_parts.c.dataset_arn == task.job.payload["datasetArn"])).all()
    imported = [(task.objects.local(key), created) for key, created in (found if bulk else ())]
    return [*imported, *((path, None) for path in streamed)]


def _batches(
    task: Task, columns: Mapping[str, pl.DataType], parts: Sequence[tuple[Path, int | None]]
) -> Iterator[pl.DataFrame]:
    """The rows of all parts, some at a time, in their order: the schema's columns and `SINCE`."""
    wanted = [pl.col(name).cast(dtype) for name, dtype in columns.items()]
    for path, created in parts:
        frame = pl.scan_parquet(path)
        held = frame.collect_schema().names()
        frame = frame.with_columns(pl.lit(None).alias(name) for name in columns if name not in held)
        if created is not None:
            frame = frame.with_columns(pl.lit(created, dtype=pl.Int64()).alias(SINCE))
        for batch in frame.select(*wanted, SINCE).collect_batches(chunk_size=_ROWS_AT_ONCE, maintain_order=True):
            task.check()
            yield batch


def _write_csv(
    task: Task,
    file: Path,
    columns: Mapping[str, pl.DataType],
    parts: Sequence[tuple[Path, int | None]],
    choice: Choice,
) -> int:
    cells = [_cell(name) if dtype == pl.String() else pl.col(name) for name, dtype in columns.items()]
    count = 0
    with file.open("wb") as output:
        pl.DataFrame(schema=columns).write_csv(output, quote_style="never")
        for batch in chosen_rows(lambda: _batches(task, columns, parts), choice, task.scratch / "rows"):
            batch.select(cells).write_csv(output, include_header=False, quote_style="never")
            count += len(batch)
            task.report(0.4 + 0.5 * count / (count + _ROWS_AT_ONCE), f"{count:,} records written")
    return count


def _cell(name: str) -> pl.Expr:
    r"""A text as import reads it (3.1): in double quotes where it must be, `"` and `\` in them escaped by `\`."""
    text = pl.col(name).str.replace_all(r"[\r\n]+", " ")
    quoted = text.str.replace_all(r'([\\"])', r"\$1")
    return pl.when(text.str.contains(r'[,"\\]')).then(pl.format('"{}"', quoted)).otherwise(text).alias(name)
