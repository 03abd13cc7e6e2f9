"""`matinee demo`: MovieLens through the whole Personalize workflow on an embedded server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    dataset: Annotated[
        str, typer.Option(help="ml-100k, ml-latest-small, ml-1m, sample, or the path of a MovieLens folder or zip.")
    ] = "ml-100k",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write every figure that is shown to this file.")
    ] = None,
    home: Annotated[
        Path | None,
        typer.Option(help="Keep everything in this folder, to be served again; default a temporary folder."),
    ] = None,
) -> None:
    """Take MovieLens through the whole Personalize workflow, with boto3 as the only client.

    Starts a server on a free port, imports the data, trains Popularity-Count, SIMS and User-Personalization-v2, shows
    their metrics, recommendations for users and films, and what changes after new events. Cleans up after itself.
    """
    from matinee.demo.main import run

    run(dataset, json_file, home)
