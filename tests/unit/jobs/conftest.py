"""Fixtures of the jobs' tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.jobs.rig import House


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A house on each of the databases."""
    url = None if request.param == "sqlite" else request.getfixturevalue("furnished_postgres_url")
    built = House.build(tmp_path / "home", url)
    yield built
    built.database.close()
