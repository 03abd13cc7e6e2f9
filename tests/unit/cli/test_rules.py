"""`matinee rules`: every subcommand on real metadata, and what wrong input is told as."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.unit.delivery.stage import campaign
from tests.unit.serving.shop import Shop
from typer.testing import CliRunner, Result

from matinee.cli.app import app
from matinee.storage.metadata import Database, deliveries

HOOK = "https://shop.example/hook"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop whose metadata commands find in its folder."""
    migrated = Database(f"sqlite:///{tmp_path / 'matinee.db'}")
    migrated.upgrade()
    migrated.close()
    opened = Shop(tmp_path)
    yield opened
    opened.close()


def rules(shop: Shop, *arguments: str, expect: int = 0) -> Result:
    done = CliRunner().invoke(app, ["rules", *arguments, "--home", str(shop.folder)])
    assert done.exit_code == expect, f"{done.output}\n{done.exception!r}"
    return done


def added(shop: Shop, name: str = "r", to: str = HOOK, *more: str) -> Result:
    return rules(shop, "add", name, "--campaign", campaign(shop), "--to", to, *more)


def bury(shop: Shop) -> None:
    """Make a dead letter of what waits."""
    with shop.database.transaction() as connection:
        connection.execute(sa.update(deliveries).values(state="DEAD", attempts=3, reason="shop.example answered 400."))


def test_a_rule_is_made_listed_and_removed_with_what_waits(shop: Shop) -> None:
    done = added(shop, "r", HOOK, "--event-type", "watch", "--when", "Interactions.EVENT_VALUE > 3")
    assert done.stdout.startswith("WEBHOOK_SECRET=whsec_")
    shop.put_event("u1", "i1", eventValue=4.0)
    shop.put_event("u1", "i1", eventValue=2.0, at=10_001)
    (line,) = rules(shop, "list").output.splitlines()[1:]
    assert line.split() == ["r", "123456789012", "0", "1", "0", HOOK, "watch", "Interactions.EVENT_VALUE", ">", "3"]
    assert rules(shop, "remove", "r").output == "r is removed, and 1 deliveries with it.\n"
    assert len(rules(shop, "list").output.splitlines()) == 1


def test_dead_letters_are_shown_replayed_and_discarded(shop: Shop) -> None:
    added(shop)
    shop.put_event("u1", "i1")
    bury(shop)
    assert rules(shop, "dead", "r").output.rstrip().endswith("watch  3 attempts  shop.example answered 400.")
    assert rules(shop, "replay", "r").output == "1 dead letters wait again.\n"
    assert rules(shop, "dead", "r").output == ""
    bury(shop)
    assert rules(shop, "discard", "r").output == "1 dead letters are forgotten.\n"


def test_a_new_secret_signs_beside_the_one_before(shop: Shop) -> None:
    first = added(shop).stdout.strip()
    second = rules(shop, "rotate", "r").stdout.strip()
    assert second.startswith("WEBHOOK_SECRET=whsec_")
    assert second != first


def test_passwords_are_not_listed(shop: Shop) -> None:
    added(shop, "r", "redis://user:hidden@cache:6379/0?stream=s")
    told = rules(shop, "list").output
    assert "hidden" not in told
    assert "redis://user:***@cache" in told


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--to", "ftp://x"), "A rule delivers to an https:// URL"),
        (("--to", "https://169.254.169.254/latest"), "link-local"),
        (("--to", "https://[fd00:ec2::254]/"), "metadata service"),
        (("--to", "http://shop.example/hook"), "MATINEE_DELIVERY_HOSTS"),
        (("--results", "501"), "from 1 to 500"),
        (("--when", "Interactions.EVENT_VALUE >"), "character"),
        (("--campaign", "films"), "no campaign and no recommender"),
        (("--campaign", "arn:aws:personalize:us-east-1:123456789012:campaign/none"), "does not exist"),
        (("--filter", "arn:aws:personalize:us-east-1:123456789012:filter/none"), "does not exist"),
        (("--tracker", "arn:aws:personalize:us-east-1:123456789012:event-tracker/no"), "does not exist"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said(shop: Shop, more: tuple[str, str], told: str) -> None:
    words = {"--campaign": campaign(shop), "--to": HOOK, more[0]: more[1]}
    done = rules(shop, "add", "r", *(word for pair in words.items() for word in pair), expect=1)
    assert told in done.output
    assert len(rules(shop, "list").output.splitlines()) == 1


def test_a_name_is_given_once_and_has_to_be_one(shop: Shop) -> None:
    source = campaign(shop)
    words = ("--campaign", source, "--to", HOOK)
    rules(shop, "add", "r", *words)
    assert "There is a rule r already" in rules(shop, "add", "r", *words, expect=1).output
    assert "letters, digits" in rules(shop, "add", "no spaces", *words, expect=1).output


@pytest.mark.parametrize("command", ["remove", "dead", "replay", "discard", "rotate"])
def test_an_unknown_rule_is_told_with_those_there_are(shop: Shop, command: str) -> None:
    added(shop, "known")
    assert "has no rule other in us-east-1; it has: known." in rules(shop, command, "other", expect=1).output


def test_only_webhooks_have_secrets(shop: Shop) -> None:
    added(shop, "r", "arn:aws:sqs:us-east-1:123456789012:films")
    assert "signs nothing" in rules(shop, "rotate", "r", expect=1).output
