"""The `matinee` program: its subcommands, and how an error becomes a sentence and an exit status.

Subcommand modules import what is heavy inside their functions, so that `matinee --help` answers at once.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from matinee import __version__
from matinee.cli import (
    apply,
    bench,
    card,
    convert,
    counterfactual,
    demo,
    destroy,
    evaluate,
    experiment,
    jobs,
    keys,
    plan,
    rules,
    schedule,
    serve,
    validate,
    worker,
)
from matinee.errors import MatineeError


class _Program(TyperGroup):
    """Shows an error of Matinee's own as its sentence, without a traceback, and exits with status 1."""

    def invoke(self, ctx: Any) -> Any:  # click's Context, which Typer does not re-export with types
        try:
            return super().invoke(ctx)
        except MatineeError as error:
            typer.echo(f"matinee: {error}", err=True)
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=_Program,
    name="matinee",
    help="An open, self-hosted recommender that speaks Amazon Personalize's API.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


def _version(*, asked: bool) -> None:
    if asked:
        typer.echo(f"matinee {__version__}")
        raise typer.Exit


@app.callback()
def program(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=lambda asked: _version(asked=asked), is_eager=True, help="Say which.")
    ] = False,
) -> None:
    """An open, self-hosted recommender that speaks Amazon Personalize's API."""


app.command()(demo.demo)
app.command()(serve.serve)
app.command()(worker.worker)
app.add_typer(keys.app, name="keys")
app.add_typer(jobs.app, name="jobs")
app.add_typer(rules.app, name="rules")
app.add_typer(schedule.app, name="schedule")
app.add_typer(convert.app, name="convert")
app.command()(validate.validate)
app.command()(evaluate.evaluate)
app.command()(counterfactual.counterfactual)
app.add_typer(bench.app, name="bench")
app.command()(card.card)
app.add_typer(experiment.app, name="experiment")
app.command()(plan.plan)
app.command()(apply.apply)
app.command()(destroy.destroy)
