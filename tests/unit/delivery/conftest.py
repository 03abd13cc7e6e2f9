"""What the delivery tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.serving.shop import Shop


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[Shop]:
    """An empty film shop, on each of the databases."""
    opened = Shop(tmp_path, database_url)
    yield opened
    opened.close()
