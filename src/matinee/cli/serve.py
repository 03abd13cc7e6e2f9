"""`matinee serve`: the three Personalize APIs on one port, and the worker beside them."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import structlog
import typer

from matinee.errors import SettingsProblem
from matinee.settings import Settings


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; only this machine's own without access keys.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes any free one.")] = 8765,
    home: Annotated[Path | None, typer.Option(help="Folder for metadata, objects and logs [MATINEE_HOME].")] = None,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Leave the jobs to a worker started elsewhere.")
    ] = False,
    ready_file: Annotated[Path | None, typer.Option(help="File that gets the URL once requests are answered.")] = None,
) -> None:
    """Answer Amazon Personalize's three APIs until Ctrl-C or SIGTERM."""
    from matinee.api.server import Server

    def listening(url: str) -> None:
        typer.echo(f"Matinee listens on {url}")
        sys.stdout.flush()
        if ready_file is not None:
            aside = ready_file.with_name(ready_file.name + ".part")
            aside.write_text(url + "\n")
            aside.replace(ready_file)  # whoever waits for the file never reads half a URL

    try:
        settings = Settings.from_environment()
        if home is not None:
            settings = replace(settings, home=home.absolute())
        log_to_stderr(settings.log_level)
        Server(settings, host, port, with_worker=not no_worker).run(listening)
    except SettingsProblem as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(2) from None


def log_to_stderr(level: str) -> None:
    """Matinee's own lines and those of its libraries go to standard error, from `level` upwards."""
    number = logging.getLevelNamesMapping()[level]
    logging.basicConfig(
        level=max(number, logging.WARNING), format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
