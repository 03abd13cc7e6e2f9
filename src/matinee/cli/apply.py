"""`matinee apply`: carries out a plan, waiting for everything, and goes on where an earlier run was interrupted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matinee.cli.plan import (
    Endpoint,
    Environment,
    File,
    Poll,
    Prune,
    Region,
    Replace,
    Retry,
    connect,
    console,
    head_line,
)

if TYPE_CHECKING:
    from rich.console import Console

    from matinee.project.carrying_out import Outcome
    from matinee.project.desired import Project
    from matinee.project.plan import Plan
    from matinee.project.service import Service

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def apply(
    file: File = Path("matinee.yaml"),
    environment: Environment = None,
    endpoint: Endpoint = None,
    region: Region = None,
    replace: Replace = False,
    retry: Retry = False,
    prune: Prune = False,
    yes: Yes = False,
    poll: Poll = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the ARNs and the tracking ID to this file.")
    ] = None,
) -> None:
    """Make the service have what a project file asks for: show the plan, ask, carry it out, wait."""
    from matinee.project import commands
    from matinee.project.planning import Policy
    from matinee.project.telling import draw_plan

    project, service = connect(file, environment, endpoint, region)
    planned = commands.plan(project, service, Policy(replace=replace, retry=retry, prune=prune))
    screen = console()
    head_line(screen, project, service)
    draw_plan(planned, screen)
    outcome = carried_out(planned, project, service, screen, yes=yes, poll=poll)
    told = commands.outputs(outcome, service)
    if json_file is not None:
        json_file.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    elif planned.actions:
        screen.print()
        for title, value in told.items():
            for key, arn in value.items():
                screen.print(f"{title}.{key}: {arn}", highlight=False, soft_wrap=True, markup=False)


def carried_out(
    planned: Plan, project: Project, service: Service, screen: Console, *, yes: bool, poll: float | None
) -> Outcome:
    """Ask, then carry out. Exits with 1 when something failed, 130 on Ctrl-C."""
    from matinee.project import commands
    from matinee.project.telling import Teller

    if planned.actions and not planned.blocked and not yes:
        typer.confirm("\nCarry this out?", abort=True)
    try:
        with Teller(screen) as teller:
            outcome = commands.apply(planned, project, service, teller, poll_seconds=poll)
    except KeyboardInterrupt:
        typer.echo("\nInterrupted. What was begun goes on at the service; run the command again to go on.", err=True)
        raise typer.Exit(130) from None
    if not outcome.complete:
        typer.echo(f"\n{len(outcome.failures)} failed, {len(outcome.skipped)} left out; see above.", err=True)
        raise typer.Exit(1)
    return outcome
