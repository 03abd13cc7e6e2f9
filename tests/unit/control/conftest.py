"""What every test of the control plane starts from: an empty service and one tenant of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.control.tenant import Tenant

from matinee.control import solution_versions, solutions
from matinee.settings import Settings


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Solutions and trainings that this version refuses may be made, as a version that can train them will let them."""
    monkeypatch.setattr(solutions, "check_solution", lambda *_: None)
    monkeypatch.setattr(solution_versions, "check_training_mode", lambda *_: None)


@pytest.fixture
def tenant(tmp_path: Path, database_url: str) -> Iterator[Tenant]:
    """The tenant of a new, empty service, on each of the databases."""
    fresh = Tenant.of(Settings(home=tmp_path), database_url)
    yield fresh
    fresh.database.close()


@pytest.fixture
def limited(tmp_path: Path, database_url: str) -> Iterator[Tenant]:
    """The tenant of a service that keeps the real quotas, on each of the databases."""
    fresh = Tenant.of(Settings(home=tmp_path, aws_quotas=True), database_url)
    yield fresh
    fresh.database.close()
