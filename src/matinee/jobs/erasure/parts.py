"""Deleting users from imported data: each Parquet part that has them gives way to one without them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from matinee.errors import StorageProblem
from matinee.jobs.erasure.steps import clear, note, step
from matinee.jobs.task import Task
from matinee.storage.metadata import dataset_parts


@dataclass(frozen=True)
class _Part:
    seq: int
    object_key: str
    rows: int


def erase_from_parts(task: Task, datasets: Sequence[str], users: Collection[str]) -> None:
    """Rewrite the parts of `datasets` (ARNs), and those that imports bring meanwhile, until none has the users."""
    wanted = pl.Series("USER_ID", list(users), dtype=pl.String)
    clean: set[str] = set()
    while found := [part for part in _parts(task, datasets) if part.object_key not in clean]:
        for part in found:
            task.check()
            task.report(len(clean) / (len(clean) + len(found)), "Rewriting imported data")
            if _rewrite(task, part, wanted):
                clean.add(part.object_key)


def _parts(task: Task, datasets: Sequence[str]) -> list[_Part]:
    query = sa.select(dataset_parts).where(dataset_parts.c.dataset_arn.in_(datasets)).order_by(dataset_parts.c.seq)
    with task.database.read() as connection:
        return [_Part(row.seq, row.object_key, row.rows) for row in connection.execute(query)]


def _rewrite(task: Task, part: _Part, users: pl.Series) -> bool:
    """Whether the part has none of the users; otherwise another one, or none, is in its place now."""
    target = task.scratch / "part.parquet"
    try:
        rows = _without(task.objects.local(part.object_key), target, users)
    except (StorageProblem, FileNotFoundError):
        return False  # an import has replaced it; the next look finds what came
    if rows == part.rows:
        return True
    key = f"{part.object_key.rpartition('/')[0]}/{task.job.id}.{part.seq}.parquet"
    task.objects.put_file(key, target)
    task.reached("part-stored")
    with step(task) as connection:
        mine = (dataset_parts.c.seq == part.seq) & (dataset_parts.c.object_key == part.object_key)
        swap = sa.update(dataset_parts).where(mine)
        changed = connection.execute(swap.values(object_key=key, rows=rows, bytes=target.stat().st_size)).rowcount
        removed, needless = (part.rows - rows, part.object_key) if changed else (0, key)
        note(connection, task, removed, [needless])
    task.reached("part-swapped")
    clear(task)
    return False


def _without(part: Path, target: Path, users: pl.Series) -> int:
    """Write the rows of other users to `target`, in their order; returns how many they are."""
    others = pl.scan_parquet(part).filter(~pl.col("USER_ID").is_in(users.implode()))
    others.sink_parquet(target, compression="zstd", maintain_order=True)
    return int(pl.scan_parquet(target).select(pl.len()).collect().item())
