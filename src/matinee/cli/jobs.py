"""`matinee jobs`: the durable background work, looked at, followed, cancelled, tried again."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from matinee.cli.metadata import Home, age, metadata, settings_of

if TYPE_CHECKING:
    from matinee.control.job_control import JobRow

app = typer.Typer(help="Look at background work, follow it, cancel it, try it again.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="JOB", help="The job's ID, or as much of it as tells it from others.")]
_COLUMNS = "{:<36}  {:<10}  {:<19}  {:>4}  {:>5}  {:>4}  {}"
_LOOK_SECONDS = 0.2


@app.callback()
def jobs() -> None:
    """Look at background work, follow it, cancel it, try it again."""


@app.command("list")
def list_jobs(
    state: Annotated[list[str] | None, typer.Option(help="Only jobs in this state; may be given again.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only jobs of this kind; may be given again.")] = None,
    resource: Annotated[str | None, typer.Option(help="Only jobs of the resource with this ARN.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    home: Home = None,
) -> None:
    """Show the newest jobs: state, kind, age, attempts, progress, resource and, of failed ones, the error."""
    from matinee.control import job_control
    from matinee.control.outbox import JobKind
    from matinee.control.records import now_ms

    wanted, kinds = [one.upper() for one in state or ()], list(kind or ())
    _refuse_unknown("--state", wanted, job_control.STATES)
    _refuse_unknown("--kind", kinds, [one.value for one in JobKind])
    with metadata(settings_of(home)) as database, database.read() as connection:
        rows = job_control.listed(connection, kinds=kinds, only=wanted, arn=resource, limit=limit)
    if as_json:
        for row in rows:
            typer.echo(json.dumps(asdict(row)))
        return
    typer.echo(_COLUMNS.format("JOB", "STATE", "KIND", "AGE", "TRIES", "DONE", "RESOURCE"))
    for row in rows:
        typer.echo(_line(row, now_ms()))


@app.command()
def follow(job: Id, home: Home = None) -> None:
    """Print how a job comes along until it has ended. Exits with 1 unless it ended well."""
    from matinee.control import job_control, outbox

    shown = ""
    with metadata(settings_of(home)) as database:
        while True:
            with database.read() as connection:
                row = job_control.one(connection, job)
                told = outbox.progress_of(connection, row.arn) or {}
            line = _progress(row, told)
            if line != shown:
                typer.echo(line)
                shown = line
            if row.ended:
                break
            threading.Event().wait(_LOOK_SECONDS)
    if row.state != "DONE":
        raise typer.Exit(1)


@app.command()
def retry(job: Id, home: Home = None) -> None:
    """Queue the work of a failed or stopped job again. Prints the new job's ID."""
    from matinee.control import job_control

    with metadata(settings_of(home)) as database, database.transaction() as connection:
        row = job_control.retry(connection, job)
    typer.echo(f"{row.id} is queued for {row.arn}.")


@app.command()
def cancel(job: Id, home: Home = None) -> None:
    """Have a job end without its work: a training stops, any other resource becomes CREATE FAILED."""
    from matinee.control import job_control

    settings = settings_of(home)
    with metadata(settings) as database, database.transaction() as connection:
        row = job_control.cancel(connection, settings, job)
    typer.echo(f"{row.id} is {'stopping' if not row.ended else row.state}.")


def _refuse_unknown(option: str, given: list[str], known: tuple[str, ...] | list[str]) -> None:
    for one in given:
        if one not in known:
            raise typer.BadParameter(f"{one!r} is none of {', '.join(known)}", param_hint=option)


def _line(row: JobRow, now: int) -> str:
    done = "" if row.fraction is None else f"{row.fraction:.0%}"
    about = row.arn if row.reason is None else f"{row.arn}  {row.reason}"
    return _COLUMNS.format(row.id, row.state, row.kind, age(now - row.created_at), row.attempts, done, about)


def _progress(row: JobRow, told: Mapping[str, Any]) -> str:
    """One line; `told` is what the running job said of itself: metrics and the seconds that it still needs."""
    if row.ended:
        return row.state if row.reason is None else f"{row.state}: {row.reason}"
    if row.state != "RUNNING" or row.fraction is None:
        return row.state
    metrics = [f"{name} {value:.4g}" for name, value in (told.get("metrics") or {}).items()]
    left = told.get("seconds_left")
    rest = [] if left is None else [f"about {age(round(1000 * left))} left"]
    return "  ".join([f"{row.fraction:4.0%}", str(row.message), *([", ".join(metrics)] if metrics else []), *rest])
