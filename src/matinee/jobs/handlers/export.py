"""Dataset export: a dataset's imported and streamed records as one CSV file in the customer's folder. Spec 3.7."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from matinee.cloud.personalize_requests import writing
from matinee.cloud.role_checks import check_role
from matinee.data.schemas import Schema, parse_schema, polars_schema
from matinee.errors import StorageProblem
from matinee.jobs.streamed_export import SINCE, write_streamed
from matinee.jobs.task import Outcome, Task
from matinee.storage.locations import inside, open_output
from matinee.storage.metadata import dataset_parts
from matinee.training.streamed_rows import EVENT_COLUMNS

_ATTEMPTS = 3
_PIECE = 1 << 20


def export(task: Task) -> Outcome:
    """Write `<job name>.csv`, header first, into the folder. Rows that are equal in every column are there once; with
    ALL, of each item, user or action only the newest record. The file appears as a whole.
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
    task.report(0.4, "Writing the file")
    newest_of = key if mode == "ALL" else None
    rows = _write(task, file, columns, streamed, bulk=mode in ("BULK", "ALL"), newest_of=newest_of)
    task.reached("written")
    target = inside(folder, f"{task.resource().name}.csv")
    with file.open("rb") as content, open_output(target, roots=task.settings.file_roots) as output:
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
    task: Task,
    file: Path,
    columns: Mapping[str, pl.DataType],
    streamed: Sequence[Path],
    *,
    bulk: bool,
    newest_of: str | None,
) -> int:
    """Write the CSV file; returns its number of records. Parts that an import replaces meanwhile are listed again."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return _write_csv(file, columns, _frames(task, columns, streamed, bulk=bulk), newest_of)
        except (StorageProblem, FileNotFoundError):
            task.log.info("the data changed while they were read; reading again")
    return _write_csv(file, columns, _frames(task, columns, streamed, bulk=bulk), newest_of)


def _frames(
    task: Task, columns: Mapping[str, pl.DataType], streamed: Sequence[Path], *, bulk: bool
) -> list[pl.LazyFrame]:
    """Imported parts in the order of their commits, then what was streamed; an empty frame first."""
    query = sa.select(dataset_parts.c.object_key, dataset_parts.c.created_at).order_by(dataset_parts.c.seq)
    with task.database.read() as connection:
        found = connection.execute(query.where(dataset_parts.c.dataset_arn == task.job.payload["datasetArn"])).all()
    parts = [
        pl.scan_parquet(task.objects.local(key)).with_columns(pl.lit(created, dtype=pl.Int64).alias(SINCE))
        for key, created in (found if bulk else ())
    ]
    empty = pl.LazyFrame(schema={**columns, SINCE: pl.Int64()})
    return [empty, *parts, *(pl.scan_parquet(path) for path in streamed)]


def _write_csv(
    file: Path, columns: Mapping[str, pl.DataType], frames: Sequence[pl.LazyFrame], newest_of: str | None
) -> int:
    rows = pl.concat(frames, how="diagonal_relaxed")
    if newest_of is not None:
        # What was stored last counts; of equal times what was streamed, as everywhere.
        rows = rows.sort(SINCE, maintain_order=True).unique(subset=newest_of, keep="last", maintain_order=True)
    distinct = rows.select(list(columns)).unique(keep="first", maintain_order=True).collect(engine="streaming")
    cells = [_cell(name) if dtype == pl.String() else pl.col(name) for name, dtype in columns.items()]
    distinct.lazy().select(cells).sink_csv(file, quote_style="never")
    return distinct.height


def _cell(name: str) -> pl.Expr:
    r"""A text as import reads it (3.1): in double quotes where it must be, `"` and `\` in them escaped by `\`."""
    text = pl.col(name).str.replace_all(r"[\r\n]+", " ")
    quoted = text.str.replace_all(r'([\\"])', r"\$1")
    return pl.when(text.str.contains(r'[,"\\]')).then(pl.format('"{}"', quoted)).otherwise(text).alias(name)
