"""`matinee worker`: carry out jobs, beside servers that run elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from matinee.errors import SettingsProblem
from matinee.settings import Settings


def worker(
    watch_parent: Annotated[
        bool, typer.Option("--watch-parent", help="End at once when standard input is closed.")
    ] = False,
    aws_quotas: Annotated[
        bool,
        typer.Option(
            "--aws-quotas", help="Keep the quotas of Amazon Personalize in scheduled trainings [MATINEE_AWS_QUOTAS]."
        ),
    ] = False,
) -> None:
    """Carry out jobs (imports, trainings, deletions) until Ctrl-C or SIGTERM. Settings come from the environment."""
    from matinee.jobs.worker import run_worker

    try:
        settings = Settings.from_environment()
        run_worker(replace(settings, aws_quotas=settings.aws_quotas or aws_quotas), watch_parent=watch_parent)
    except SettingsProblem as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(2) from None
