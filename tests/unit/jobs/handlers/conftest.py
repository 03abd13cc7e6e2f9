"""Handlers run on SQLite alone: their rows go through what the tests of jobs and of crashes try on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.jobs.rig import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house on SQLite."""
    built = House.build(tmp_path / "home")
    yield built
    built.database.close()
