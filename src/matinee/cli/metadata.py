"""The metadata as commands open them: beside servers that run, on SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matinee.settings import Settings

if TYPE_CHECKING:
    from matinee.storage.metadata import Database

Home = Annotated[Path | None, typer.Option(help="Folder of the metadata [MATINEE_HOME].")]


def settings_of(home: Path | None) -> Settings:
    """The settings of the environment, with another home folder where one is given."""
    settings = Settings.from_environment()
    return settings if home is None else replace(settings, home=home.absolute())


@contextmanager
def metadata(settings: Settings) -> Iterator[Database]:
    """The database, brought up to date."""
    from matinee.storage.metadata import Database

    database = Database(settings.effective_database_url)
    try:
        database.upgrade()
        yield database
    finally:
        database.close()


def age(milliseconds: int) -> str:
    """A span of time in its largest unit: `42s`, `7m`, `3h`, `12d`."""
    seconds = max(0, milliseconds) // 1000
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
