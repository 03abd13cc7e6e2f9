"""`matinee serve`: the three Personalize APIs on one port, and the worker beside them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from matinee.errors import SettingsProblem
from matinee.logs import log_to_stderr
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
    require_keys: Annotated[
        bool, typer.Option("--require-keys", help="Check signatures even while there is no access key.")
    ] = False,
    aws_quotas: Annotated[
        bool, typer.Option("--aws-quotas", help="Keep the quotas of Amazon Personalize [MATINEE_AWS_QUOTAS].")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, max=256, help="API processes that share the port.")] = 1,
    ready_file: Annotated[Path | None, typer.Option(help="File that gets the URL once requests are answered.")] = None,
) -> None:
    """Answer Amazon Personalize's three APIs until Ctrl-C or SIGTERM.

    Once there is an access key (`matinee keys create`), signatures are checked; before, any credentials are taken, on
    this machine's own addresses only.
    """
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
        if aws_quotas:
            settings = replace(settings, aws_quotas=True)
        log_to_stderr(settings.log_level)
        server = Server(settings, host, port, not no_worker, require_keys, processes=workers)
        server.run(listening)
    except SettingsProblem as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(2) from None
