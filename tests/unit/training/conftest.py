"""What the training tests share: a log, a stored dataset group, a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.training.generated import Stored, generated_log

from matinee.data.interactions import InteractionLog


@pytest.fixture(scope="session")
def log() -> InteractionLog:
    """The generated log: 60 users, 80 items, 1500 events."""
    return generated_log()


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Stored]:
    """An empty dataset group in SQLite and on disk."""
    made = Stored(tmp_path)
    yield made
    made.database.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for an artifact; not made yet."""
    return tmp_path / "artifact"
