"""Distinct rows: those of a whole frame, in their order, from batches, in memory that does not grow."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.jobs.distinct_rows import Choice, chosen_rows

_SCHEMA = {"USER_ID": pl.String(), "VALUE": pl.Float64(), "since": pl.Int64()}
_ROWS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", None]), st.sampled_from([0.0, 1.5, None]), st.integers(0, 3)), max_size=30
)
_MEMORY = """
import sys
from pathlib import Path
import polars as pl

from matinee.evaluation.memory import forget_peak, peak_memory_mb
from matinee.jobs.distinct_rows import Choice, chosen_rows
for rows in (100_000, 1_000_000):
    def batches():
        for begin in range(0, rows, 10_000):
            number = pl.int_range(begin, begin + 10_000) % (rows // 2)
            yield pl.select(USER_ID=pl.format("a-user-with-a-name-as-long-as-a-uuid-{}", number), TIMESTAMP=number)
    forget_peak()
    kept = sum(len(batch) for batch in chosen_rows(batches, Choice(["USER_ID", "TIMESTAMP"]), Path(sys.argv[1])))
    assert kept == rows // 2
    print(peak_memory_mb())
"""


def _batches(rows: pl.DataFrame) -> Callable[[], Iterator[pl.DataFrame]]:
    return lambda: iter(rows.iter_slices(7))


def _chosen(rows: pl.DataFrame, choice: Choice, folder: Path) -> list[tuple[object, ...]]:
    return [row for batch in chosen_rows(_batches(rows), choice, folder) for row in batch.rows()]


@settings(max_examples=30, deadline=None)
@given(_ROWS)
def test_rows_that_agree_are_there_once_where_the_first_stood(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str | None, float | None, int]]
) -> None:
    frame = pl.DataFrame(rows, schema=_SCHEMA, orient="row")
    folder = tmp_path_factory.mktemp("rows")
    expected = frame.unique(subset=["USER_ID", "VALUE"], keep="first", maintain_order=True).rows()
    assert _chosen(frame, Choice(["USER_ID", "VALUE"]), folder / "a") == expected


def test_the_newest_row_of_each_thing_stays_of_equal_times_the_last(tmp_path: Path) -> None:
    rows = [("a", 1.0, 5), ("b", 1.0, 2), ("a", 2.0, 7), ("b", 3.0, 2), ("a", 4.0, 6)]
    frame = pl.DataFrame(rows, schema=_SCHEMA, orient="row")
    assert _chosen(frame, Choice(["USER_ID"], newest_by="since"), tmp_path / "rows") == [rows[2], rows[3]]


def test_what_a_dead_attempt_left_means_nothing_and_nothing_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    for number in range(256):
        (folder / f"{number:03}").write_bytes(b"\xff" * 64)
    frame = pl.DataFrame([("a", 1.0, 5), ("a", 1.0, 5)], schema=_SCHEMA, orient="row")
    assert _chosen(frame, Choice(["USER_ID"]), folder) == [("a", 1.0, 5)]
    assert not folder.exists()


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _MEMORY, str(tmp_path / "rows")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    few, many = map(float, done.stdout.split())
    # Ten times the rows; held as a frame they would take 47 MB more, and their fingerprints 29 MB.
    assert many < few + 15
