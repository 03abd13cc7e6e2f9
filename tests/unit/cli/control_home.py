"""A service's home whose metadata a tenant fills and commands read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.unit.control.tenant import Tenant

from matinee.settings import Settings
from matinee.storage.metadata import Database


@contextmanager
def home_of_a_tenant(folder: Path) -> Iterator[Tenant]:
    """A tenant of a new service in `folder`."""
    settings = Settings(home=folder)
    migrated = Database(settings.effective_database_url)
    migrated.upgrade()
    migrated.close()
    tenant = Tenant.of(settings, settings.effective_database_url)
    yield tenant
    tenant.database.close()
