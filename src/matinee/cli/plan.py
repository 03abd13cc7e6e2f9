"""`matinee plan`: what would have to be done so that the service has what a project file asks for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from matinee.project.desired import Project
    from matinee.project.service import Service

File = Annotated[Path, typer.Argument(help="The project file.")]
Environment = Annotated[str | None, typer.Option("--environment", "-e", help="Which of the file's environments.")]
Endpoint = Annotated[
    str | None,
    typer.Option(help="URL of a Matinee server; default what the file or AWS_ENDPOINT_URL_PERSONALIZE says, else AWS."),
]
Region = Annotated[str | None, typer.Option(help="Region; default what the file or the AWS configuration says.")]
Replace = Annotated[bool, typer.Option("--replace", help="Delete and make again what cannot be changed in place.")]
Retry = Annotated[bool, typer.Option("--retry", help="Make again what has failed.")]
Prune = Annotated[bool, typer.Option("--prune", help="Delete what the dataset group holds and the file does not name.")]
Poll = Annotated[float | None, typer.Option(min=0.05, help="Seconds between two looks; default 20 on AWS, else 0.2.")]


def plan(
    file: File = Path("matinee.yaml"),
    environment: Environment = None,
    endpoint: Endpoint = None,
    region: Region = None,
    replace: Replace = False,
    retry: Retry = False,
    prune: Prune = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 2 when there is something to do, 1 on an error.")
    ] = False,
) -> None:
    """Show what `matinee apply` would do; change nothing."""
    from matinee.project import commands
    from matinee.project.planning import Policy
    from matinee.project.telling import draw_plan

    project, service = connect(file, environment, endpoint, region)
    planned = commands.plan(project, service, Policy(replace=replace, retry=retry, prune=prune))
    if as_json:
        about = {"file": project.file, "environment": environment, "endpoint": service.endpoint}
        typer.echo(json.dumps({**about, **planned.as_json()}, indent=2))
    else:
        screen = console()
        head_line(screen, project, service)
        draw_plan(planned, screen)
    if detailed_exitcode and planned.actions:
        raise typer.Exit(2)


def connect(file: Path, environment: str | None, endpoint: str | None, region: str | None) -> tuple[Project, Service]:
    """The project of the file and the service that it is for."""
    from matinee.project.reading import read_project
    from matinee.project.service import Service

    project = read_project(file, environment)
    return project, Service.of(project, endpoint, region)


def console() -> Console:
    """Standard output, in colour on a terminal."""
    from rich.console import Console

    return Console()


def head_line(screen: Console, project: Project, service: Service) -> None:
    """Which file goes where; a plan for the wrong place should be seen at once."""
    environment = f", environment {project.environment}" if project.environment else ""
    screen.print(f"{project.file}{environment} → {service.endpoint}\n", highlight=False, soft_wrap=True, markup=False)
