"""`matinee schedule`: batch inference by the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from matinee.cli.metadata import Home, metadata, settings_of

app = typer.Typer(help="Have batch inference jobs made by the clock.", no_args_is_help=True)

_COLUMNS = "{:<24}  {:<16}  {:<16}  {:<16}  {}"


@app.callback()
def schedule() -> None:
    """Have batch inference jobs made by the clock."""


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What to call it; its jobs are called after it.")],
    cron: Annotated[str, typer.Option(help="Minute, hour, day, month, weekday: `0 3 * * *` is every night at three.")],
    solution: Annotated[str, typer.Option(help="ARN of the solution; its newest ACTIVE version answers.")],
    input_path: Annotated[str, typer.Option("--input", help="s3:// or file:// path of the input.")],
    output_path: Annotated[str, typer.Option("--output", help="Folder that gets a folder for each job.")],
    role: Annotated[str, typer.Option(help="ARN of the role of the jobs.")],
    timezone: Annotated[str, typer.Option(help="Time zone of the expression.")] = "UTC",
    results: Annotated[int, typer.Option(help="Items for each line.")] = 25,
    filter_arn: Annotated[str | None, typer.Option("--filter", help="ARN of a filter.")] = None,
    home: Home = None,
) -> None:
    """Make a schedule. A time that passes while nothing runs is made up for once."""
    from matinee.control import batch_schedules

    request = {
        "solutionArn": solution,
        "jobInput": {"s3DataSource": {"path": input_path}},
        "jobOutput": {"s3DataDestination": {"path": output_path}},
        "roleArn": role,
        "numResults": results,
        **({} if filter_arn is None else {"filterArn": filter_arn}),
    }
    with metadata(settings_of(home)) as database, database.transaction() as connection:
        made = batch_schedules.add(connection, name, cron, timezone, request)
    typer.echo(f"{made.name} runs next at {_time(made.next_at)} UTC.")


@app.command("list")
def list_schedules(home: Home = None) -> None:
    """Show every schedule with its next and last time, and what came of that."""
    from matinee.control import batch_schedules

    with metadata(settings_of(home)) as database, database.read() as connection:
        found = batch_schedules.every(connection)
    typer.echo(_COLUMNS.format("NAME", "CRON", "NEXT (UTC)", "LAST (UTC)", "LAST RESULT"))
    for one in found:
        last = "" if one.last_at is None else _time(one.last_at)
        cron = one.cron if one.timezone == "UTC" else f"{one.cron} {one.timezone}"
        typer.echo(_COLUMNS.format(one.name, cron, _time(one.next_at), last, one.last_result or "").rstrip())


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="As `matinee schedule list` shows it.")],
    account: Annotated[str | None, typer.Option(help="Account of the schedule; default MATINEE_ACCOUNT.")] = None,
    region: Annotated[str, typer.Option(help="Region of the schedule.")] = "us-east-1",
    home: Home = None,
) -> None:
    """Forget a schedule; the jobs that it made stay."""
    from matinee.control import batch_schedules

    settings = settings_of(home)
    with metadata(settings) as database, database.transaction() as connection:
        batch_schedules.remove(connection, account or settings.account_id, region, name)
    typer.echo(f"{name} is removed.")


def _time(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M}"
