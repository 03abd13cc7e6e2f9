"""`matinee convert`: turn a public data set into the files that an import takes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from matinee.data.movielens import Conversion

app = typer.Typer(help="Turn a public data set into CSV files and schemas to import.", no_args_is_help=True)


class Events(StrEnum):
    """How a rating becomes an event."""

    WATCH_ALL = "watch-all"
    ABOVE = "above"
    CLICK_WATCH = "click-watch"


class Domain(StrEnum):
    """The domain whose rules the schemas follow."""

    VIDEO_ON_DEMAND = "VIDEO_ON_DEMAND"


@app.callback()
def convert() -> None:
    """Turn a public data set into CSV files and schemas to import."""


@app.command()
def movielens(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="Folder or zip of any MovieLens release.")],
    out: Annotated[Path, typer.Option(help="Folder to write into; made when missing.")],
    events: Annotated[
        Events,
        typer.Option(
            help="watch-all: every rating is a watch. above: a rating above --threshold is. click-watch: a rating "
            "above --click-above is a click, and one above --watch-above a watch as well."
        ),
    ] = Events.WATCH_ALL,
    threshold: Annotated[float, typer.Option(help="With --events above; the bound itself is not above.")] = 3.6,
    click_above: Annotated[float, typer.Option(help="With --events click-watch.")] = 1.0,
    watch_above: Annotated[float, typer.Option(help="With --events click-watch.")] = 3.0,
    event_value: Annotated[bool, typer.Option("--event-value", help="Keep the rating as EVENT_VALUE.")] = False,
    domain: Annotated[Domain, typer.Option(help="Domain of the schemas.")] = Domain.VIDEO_ON_DEMAND,
    custom: Annotated[bool, typer.Option("--custom", help="Schemas for a custom group instead of a domain.")] = False,
) -> None:
    """Write interactions.csv, items.csv, users.csv (where there are users) and the Avro schema of each.

    CREATION_TIMESTAMP is 1 January of the year in the title, or of the release date; for a film without either it is
    its oldest rating (no rating: the newest of all), and with --custom it is left empty.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from matinee.data.movielens import RatingsAsEvents, convert

    rule = RatingsAsEvents(
        rule=events.value,
        threshold=threshold,
        click_above=click_above,
        watch_above=watch_above,
        event_value=event_value,
    )
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("ratings", total=1.0)
        done = convert(
            source,
            out,
            events=rule,
            domain=None if custom else domain.value,
            progress=lambda fraction: bar.update(task, completed=fraction),
        )
    _tell(done)


def _tell(done: Conversion) -> None:
    """The summary: what was read and written, and what was left out and why."""
    people = f", {done.people:,} users" if done.people else ""
    typer.echo(f"Read    {done.ratings:,} ratings, {done.films:,} films{people} (layout {done.layout})")
    written = ", ".join(f"{count:,} {name}" for name, count in done.events.items()) or "none"
    typer.echo(f"Events  {written}")
    for reason, count in done.dropped.items():
        typer.echo(f"Dropped {count:,} {reason}")
    if not done.dropped:
        typer.echo("Dropped nothing")
    for note, count in done.notes.items():
        typer.echo(f"Note    {count:,} {note}")
    for file in done.files:
        typer.echo(f"Wrote   {file} ({file.stat().st_size:,} bytes)")
