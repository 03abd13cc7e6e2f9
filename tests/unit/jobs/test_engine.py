"""The engine on PostgreSQL: workers share the jobs, each job runs once, and what a dead one left is adopted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.jobs.rig import House, arn, csv_rows, write_csv

from matinee.jobs.engine import is_heavy


@pytest.fixture
def shared(postgres_url: str, tmp_path: Path) -> Iterator[House]:
    """A house on PostgreSQL."""
    built = House.build(tmp_path / "home", postgres_url)
    yield built
    built.database.close()


def test_trainings_and_imports_are_heavy() -> None:
    assert is_heavy("train")
    assert is_heavy("import")
    assert not is_heavy("settle")


def test_jobs_run_on_postgres(shared: House, tmp_path: Path) -> None:
    rows = csv_rows(1000)
    ids = [shared.settle(f"g{number}") for number in range(20)]
    ids.append(shared.import_job("one", write_csv(tmp_path / "a.csv", rows)))
    with shared.worker():
        shared.await_end(*ids)
    assert Counter(shared.row(job).state for job in ids) == {"DONE": 21}
    assert {shared.row(job).attempts for job in ids} == {1}
    assert shared.status(arn("dataset-group/g7")) == ("ACTIVE", None)
    assert shared.rows() == rows
