"""`matinee keys`: the access keys that clients sign their requests with, and the account each one opens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from matinee.cli.metadata import Home, metadata, settings_of

if TYPE_CHECKING:
    from matinee.storage.access_keys import AccessKey

app = typer.Typer(help="Manage the access keys that clients sign their requests with.", no_args_is_help=True)

Named = Annotated[str, typer.Argument(metavar="KEY", help="The access key, as `matinee keys list` shows it.")]
_COLUMNS = "{:<20}  {:<12}  {:<8}  {:<16}  {}"


@app.callback()
def keys() -> None:
    """Manage the access keys that clients sign their requests with."""


@app.command()
def create(
    account: Annotated[
        str | None, typer.Option(help="Account (tenant) of the key: 12 digits; default MATINEE_ACCOUNT.")
    ] = None,
    name: Annotated[str, typer.Option(help="What to call the key in lists.")] = "",
    home: Home = None,
) -> None:
    """Make an access key and print it as two lines for the environment. The secret is shown this once.

    From the first key on, a server that is started checks every signature.
    """
    from matinee.storage import access_keys

    settings = settings_of(home)
    tenant = account or settings.account_id
    if not access_keys.ACCOUNT.fullmatch(tenant):
        raise typer.BadParameter(f"an account has 12 digits, not {tenant!r}", param_hint="--account")
    with metadata(settings) as database:
        first = not access_keys.any_exist(database)
        key = access_keys.create(database, tenant, name)
    typer.echo(f"AWS_ACCESS_KEY_ID={key.access_key}\nAWS_SECRET_ACCESS_KEY={key.secret}")
    typer.echo(f"For account {key.account}. Keep the secret: it is not shown again.", err=True)
    if first:
        typer.echo(
            "This is the first key: a server that runs without keys takes any credentials until it is started again.",
            err=True,
        )


@app.command("list")
def list_keys(home: Home = None) -> None:
    """Show every access key with its account, without the secrets."""
    from matinee.storage import access_keys

    with metadata(settings_of(home)) as database:
        found = access_keys.every(database)
    typer.echo(_COLUMNS.format("KEY", "ACCOUNT", "STATE", "CREATED (UTC)", "NAME").rstrip())
    for key in found:
        typer.echo(_line(key))


@app.command()
def disable(key: Named, home: Home = None) -> None:
    """Keep a key out; servers that run notice within a second."""
    from matinee.storage import access_keys

    with metadata(settings_of(home)) as database:
        _require(access_keys.enable(database, key, enabled=False), key)
    typer.echo(f"{key} is disabled.")


@app.command()
def enable(key: Named, home: Home = None) -> None:
    """Let a disabled key in again."""
    from matinee.storage import access_keys

    with metadata(settings_of(home)) as database:
        _require(access_keys.enable(database, key), key)
    typer.echo(f"{key} is enabled.")


@app.command()
def delete(key: Named, home: Home = None) -> None:
    """Forget a key for good. The resources of its account stay."""
    from matinee.storage import access_keys

    with metadata(settings_of(home)) as database:
        _require(access_keys.delete(database, key), key)
        last = not access_keys.any_exist(database)
    typer.echo(f"{key} is deleted.")
    if last:
        typer.echo(
            "That was the last key: a server that is started now takes any credentials, unless with --require-keys.",
            err=True,
        )


def _require(there: bool, key: str) -> None:
    if not there:
        typer.echo(f"There is no access key {key}. `matinee keys list` shows those that are.", err=True)
        raise typer.Exit(1)


def _line(key: AccessKey) -> str:
    created = f"{datetime.fromtimestamp(key.created_at / 1000, UTC):%Y-%m-%d %H:%M}"
    state = "enabled" if key.enabled else "disabled"
    return _COLUMNS.format(key.access_key, key.account, state, created, key.name).rstrip()
