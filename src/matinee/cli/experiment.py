"""`matinee experiment`: try solution versions on the users of a campaign, and see at any time which one is better."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matinee.cli.metadata import Home, metadata, settings_of

if TYPE_CHECKING:
    from matinee.control.operation import Operation
    from matinee.experiments.verdict import Comparison, Estimate

app = typer.Typer(help="Try solution versions on the users of a campaign.", no_args_is_help=True)

Region = Annotated[str, typer.Option(envvar="AWS_REGION", help="Region of the campaign.")]
Account = Annotated[str | None, typer.Option(help="Account of the campaign: 12 digits; default MATINEE_ACCOUNT.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The experiment's name.")]


@app.command()
def create(
    name: Name,
    campaign: Annotated[str, typer.Option(help="ARN of the campaign.")],
    version: Annotated[list[str], typer.Option(help="ARN of a version; the first is what the campaign serves.")],
    share: Annotated[
        list[float] | None, typer.Option(help="Share of users, one for each version; default equal.")
    ] = None,
    mode: Annotated[str, typer.Option(help="split, or interleave two versions in one list (team draft).")] = "split",
    click: Annotated[list[str] | None, typer.Option(help="Event type that is a click; default click.")] = None,
    conversion: Annotated[list[str] | None, typer.Option(help="Event type that is a conversion; default none.")] = None,
    window: Annotated[int, typer.Option(help="Seconds after a user's first list in which outcomes count.")] = 86_400,
    alpha: Annotated[float, typer.Option(help="Chance of ever naming a difference that is not there.")] = 0.05,
    users: Annotated[int, typer.Option(help="Planned users; intervals are narrowest there.")] = 10_000,
    home: Home = None,
    region: Region = "us-east-1",
    account: Account = None,
) -> None:
    """Start an experiment on a campaign."""
    from matinee.control.experiments import Design, create_experiment

    shares = tuple(share) if share else tuple(1 / len(version) for _ in version)
    design = Design(
        name, mode, tuple(version), shares, tuple(click or ["click"]), tuple(conversion or ()), window, alpha, users
    )
    with _operation(home, region, account) as operation:
        create_experiment(operation, campaign, design)
    typer.echo(f"{name} is RUNNING.")


@app.command()
def status(
    name: Name,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    home: Home = None,
    region: Region = "us-east-1",
    account: Account = None,
) -> None:
    """Show what an experiment says so far. Looking often does no harm: the intervals hold at all looks together."""
    from matinee.control.experiment_results import results
    from matinee.control.experiments import find_experiment
    from matinee.control.records import now_ms

    with _operation(home, region, account) as operation:
        found = find_experiment(operation, name)
        seen = results(operation.connection, found, now_ms())
    if as_json:
        said = {"name": name, "status": found.status, **dict(found.attributes), "results": asdict(seen)}
        typer.echo(json.dumps(said, indent=2).replace("-Infinity", "null").replace("Infinity", "null"))
        return
    typer.echo(f"{name}: {found.status}, {found['mode']}, {sum(seen.users):,} users, {seen.waiting:,} in their window")
    for number, arm in enumerate(found["arms"]):
        typer.echo(f"  arm {number}: {arm['solutionVersionArn']} ({arm['share']:.0%})")
    _show("click-through", seen.click_through)
    _show("conversion", seen.conversion)
    if seen.preference is not None:
        typer.echo(f"preference for arm 1: {_said(seen.preference)}")


@app.command("list")
def list_experiments(home: Home = None, region: Region = "us-east-1", account: Account = None) -> None:
    """Show every experiment with its state and campaign."""
    from matinee.control.experiments import experiments

    with _operation(home, region, account) as operation:
        for found in experiments(operation):
            typer.echo(f"{found.name}  {found.status}  {found['mode']}  {found['campaignArn']}")


@app.command()
def stop(name: Name, home: Home = None, region: Region = "us-east-1", account: Account = None) -> None:
    """End an experiment: everyone is answered by the campaign's version again."""
    from matinee.control.experiments import stop_experiment

    with _operation(home, region, account) as operation:
        stop_experiment(operation, name)
    typer.echo(f"{name} is STOPPED.")


@app.command()
def promote(
    name: Name,
    arm: Annotated[int, typer.Option(help="Number of the arm that everyone is to get.")],
    home: Home = None,
    region: Region = "us-east-1",
    account: Account = None,
) -> None:
    """Have the campaign serve an arm's version to everyone (UpdateCampaign)."""
    from matinee.control import experiments

    with _operation(home, region, account) as operation:
        experiments.promote(operation, name, arm)
    typer.echo(f"{name} is PROMOTED: the campaign is updated to arm {arm}.")


@app.command()
def size(
    rate: Annotated[float, typer.Option(help="Present conversion rate, as 0.1.")],
    lift: Annotated[float, typer.Option(help="Relative lift to be found, as 0.05.")],
    alpha: Annotated[float, typer.Option(help="Chance of ever naming a difference that is not there.")] = 0.05,
    power: Annotated[float, typer.Option(help="Chance of finding the lift.")] = 0.8,
    share: Annotated[float, typer.Option(help="Share of users in the new arm.")] = 0.5,
) -> None:
    """Calculate how many users an experiment with two arms needs."""
    from matinee.experiments.sample_size import users_needed

    try:
        plan = users_needed(rate, lift, alpha=alpha, power=power, share=share)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None
    typer.echo(f"{plan.users:,} users: {plan.by_arm[0]:,} in the first arm, {plan.by_arm[1]:,} in the second")


@contextmanager
def _operation(home: Path | None, region: str, account: str | None) -> Iterator[Operation]:
    """A control operation in a transaction of its own; works beside servers that run."""
    from matinee.control.context import Caller
    from matinee.control.operation import Operation
    from matinee.control.turns import take_turn

    settings = settings_of(home)
    caller = Caller(account or settings.account_id, region)
    with metadata(settings) as database, database.transaction() as connection:
        take_turn(connection, caller.account, caller.region)
        yield Operation(connection, caller, settings)


def _show(outcome: str, found: Comparison | None) -> None:
    if found is None:
        return
    typer.echo(outcome)
    for number, arm in enumerate(found.arms):
        typer.echo(f"  arm {number}: {_said(arm)} of {arm.users:,} users")
    for number, difference in enumerate(found.differences, start=1):
        typer.echo(f"  arm {number} - arm 0: {_said(difference)}")
    typer.echo("  no winner yet" if found.winner is None else f"  winner: arm {found.winner}")


def _said(estimate: Estimate) -> str:
    if estimate.high == float("inf"):
        return f"{estimate.mean:+.4f} (too few users for an interval)"
    return f"{estimate.mean:+.4f} [{estimate.low:+.4f}, {estimate.high:+.4f}]"
