"""`matinee destroy`: deletes what a project file names, in the order that the service asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from matinee.cli.apply import Yes, carried_out
from matinee.cli.plan import Endpoint, Environment, File, Poll, Region, connect, console, head_line


def destroy(
    file: File = Path("matinee.yaml"),
    environment: Environment = None,
    endpoint: Endpoint = None,
    region: Region = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what the dataset group holds and the file does not name.")
    ] = False,
    yes: Yes = False,
    poll: Poll = None,
) -> None:
    """Delete the project: show what goes, ask, delete, wait until it is gone."""
    from matinee.project import commands
    from matinee.project.telling import draw_plan

    project, service = connect(file, environment, endpoint, region)
    planned = commands.removal(project, service, everything=everything)
    screen = console()
    head_line(screen, project, service)
    if not planned.actions:
        screen.print("Nothing to delete: nothing of this file exists.")
        return
    draw_plan(planned, screen)
    carried_out(planned, project, service, screen, yes=yes, poll=poll)
