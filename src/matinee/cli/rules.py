"""`matinee rules`: fresh recommendations sent to a webhook, stream, queue or bus when an event comes in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from matinee.cli.metadata import Home, metadata, settings_of

if TYPE_CHECKING:
    import sqlalchemy as sa

    from matinee.delivery.rules import Rule

app = typer.Typer(help="Deliver fresh recommendations when an event comes in.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="As `matinee rules list` shows it.")]
Account = Annotated[str | None, typer.Option(help="Account of the rule; default MATINEE_ACCOUNT.")]
Region = Annotated[str, typer.Option(help="Region of the rule.")]
_COLUMNS = "{:<24}  {:<12}  {:>9}  {:>7}  {:>5}  {:<40}  {}"


@app.callback()
def rules() -> None:
    """Deliver fresh recommendations when an event comes in."""


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What to call the rule.")],
    campaign: Annotated[str, typer.Option(help="ARN of the campaign or recommender that recommends.")],
    to: Annotated[str, typer.Option(help="https:// URL, redis://…?stream=NAME, or ARN of an SQS queue or event bus.")],
    event_type: Annotated[str | None, typer.Option(help="Only events of this type.")] = None,
    when: Annotated[
        str | None, typer.Option(help="Condition, such as `Interactions.EVENT_VALUE > 3 AND CurrentUser.AGE > 17`.")
    ] = None,
    tracker: Annotated[str | None, typer.Option(help="ARN: only events that come through this tracker.")] = None,
    filter_arn: Annotated[str | None, typer.Option("--filter", help="ARN of a filter of what is recommended.")] = None,
    results: Annotated[int, typer.Option(help="Items in each delivery.")] = 25,
    home: Home = None,
) -> None:
    """Make a rule: each event that matches has recommendations for its user sent. Events before it are left alone.

    For a webhook the secret of its signatures is printed, this once.
    """
    from matinee.control.turns import take_turn_for
    from matinee.delivery.making import Wanted, make_rule

    settings = settings_of(home)
    wanted = Wanted(name, campaign, to, event_type, when, tracker, filter_arn, results)
    with metadata(settings) as database, database.transaction() as connection:
        if campaign.count(":") >= 5:
            take_turn_for(connection, campaign)
        rule = make_rule(connection, settings, wanted)
    for secret in rule.terms.secrets:
        typer.echo(f"WEBHOOK_SECRET={secret}")
    typer.echo(f"The rule {rule.name} looks at the events of {rule.group_arn} from now on.", err=True)


@app.command("list")
def list_rules(home: Home = None) -> None:
    """Show every rule with how much it has delivered, what waits and what was given up."""
    from matinee.delivery.rules import standings

    with metadata(settings_of(home)) as database, database.read() as connection:
        found = standings(connection)
    typer.echo(_COLUMNS.format("NAME", "ACCOUNT", "DELIVERED", "PENDING", "DEAD", "TO", "EVENTS"))
    for one in found:
        rule = one.rule
        events = " ".join(part for part in (rule.terms.event_type or "any", rule.terms.when) if part)
        shown = _without_password(rule.terms.to)
        typer.echo(_COLUMNS.format(rule.name, rule.account, rule.delivered, one.pending, one.dead, shown, events))


@app.command()
def remove(name: Name, account: Account = None, region: Region = "us-east-1", home: Home = None) -> None:
    """Forget a rule together with what waits for it and its dead letters."""
    from matinee.delivery.rules import remove as remove_rules

    with _rule(name, account, region, home) as (connection, rule):
        gone = remove_rules(connection, [rule.id])
    typer.echo(f"{name} is removed, and {gone} deliveries with it.")


@app.command()
def dead(
    name: Name,
    limit: Annotated[int, typer.Option(min=1, help="How many, the oldest.")] = 20,
    account: Account = None,
    region: Region = "us-east-1",
    home: Home = None,
) -> None:
    """Show the dead letters of a rule: ID, attempts, and why the last one failed."""
    from matinee.delivery.outbox import dead_letters

    with _rule(name, account, region, home) as (connection, rule):
        letters = dead_letters(connection, rule, limit)
    for letter, reason in letters:
        typer.echo(f"{letter.id}  {letter.event['eventType']}  {letter.attempts} attempts  {reason}")


@app.command()
def replay(name: Name, account: Account = None, region: Region = "us-east-1", home: Home = None) -> None:
    """Let every dead letter of a rule be tried again."""
    from matinee.delivery import outbox

    with _rule(name, account, region, home) as (connection, rule):
        count = outbox.replay(connection, rule)
    typer.echo(f"{count} dead letters wait again.")


@app.command()
def discard(name: Name, account: Account = None, region: Region = "us-east-1", home: Home = None) -> None:
    """Forget the dead letters of a rule."""
    from matinee.delivery import outbox

    with _rule(name, account, region, home) as (connection, rule):
        count = outbox.discard(connection, rule)
    typer.echo(f"{count} dead letters are forgotten.")


@app.command()
def rotate(name: Name, account: Account = None, region: Region = "us-east-1", home: Home = None) -> None:
    """Sign a webhook with a new secret, too. The one before goes on being used until the next rotation."""
    from matinee.delivery.rules import change_secrets
    from matinee.delivery.signatures import new_secret

    fresh = new_secret()
    with _rule(name, account, region, home) as (connection, rule):
        change_secrets(connection, rule, (fresh, *rule.terms.secrets[:1]))
    typer.echo(f"WEBHOOK_SECRET={fresh}")


@contextmanager
def _rule(name: str, account: str | None, region: str, home: Path | None) -> Iterator[tuple[sa.Connection, Rule]]:
    from matinee.delivery.rules import find

    settings = settings_of(home)
    with metadata(settings) as database, database.transaction() as connection:
        yield connection, find(connection, account or settings.account_id, region, name)


def _without_password(to: str) -> str:
    parts = urlsplit(to)
    return to if parts.password is None else to.replace(f":{parts.password}@", ":***@", 1)
