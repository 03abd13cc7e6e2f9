"""What every test of the control plane starts from: an empty service and one tenant of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.control.tenant import Tenant


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    """The tenant of a new, empty service."""
    fresh = Tenant.fresh(tmp_path)
    yield fresh
    fresh.database.close()


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Tenant]:
    """The tenant of a service that keeps the real quotas."""
    fresh = Tenant.fresh(tmp_path, aws_quotas=True)
    yield fresh
    fresh.database.close()
