"""`matinee bench`: how fast this machine serves, beside a bare server in the same run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from matinee.errors import SettingsProblem
from matinee.settings import Settings

app = typer.Typer(help="Measure how fast this machine serves.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def bench() -> None:
    """Measure how fast this machine serves."""


@app.command()
def serving(
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    dataset: Annotated[
        str, typer.Option(help="A data set in MATINEE_DATASETS or a path; ml-1m is generated where it is not.")
    ] = "ml-1m",
    artifact: Annotated[
        Path | None, typer.Option(help="Folder of a trained artifact to serve; made by a short training when empty.")
    ] = None,
    seconds: Annotated[int, typer.Option(min=1, help="Seconds of each row in each round.")] = 8,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; the median of them counts.")] = 3,
    connections: Annotated[int, typer.Option(min=1, help="Connections that ask at the same time.")] = 8,
) -> None:
    """Recommendations computed, filtered and from the cache, and durable events; needs the program wrk.

    One server process with signatures checked; the bare server answers the same bytes with the same settings of
    uvicorn. Ratios are worth more than rates: they hold on other machines, too.
    """
    from matinee.bench.serving import Plan, run
    from matinee.bench.wrk import Load

    try:
        settings = Settings.from_environment()
    except SettingsProblem as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(2) from None
    plan = Plan(dataset=dataset, artifact=artifact, load=Load(seconds, connections), rounds=rounds)
    figures = run(plan, settings, typer.echo)
    text = json.dumps(figures, indent=1)
    typer.echo(text)
    if json_file is not None:
        json_file.write_text(text + "\n", encoding="utf-8")
