"""`matinee counterfactual` on the log of a campaign that explores: estimates, and what it refuses to estimate."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.unit.serving.shop import CALLER, Shop, log_of
from typer.testing import CliRunner

from matinee.cli.app import app
from matinee.control import lifecycle, outbox, records
from matinee.control.outbox import JobKind
from matinee.models.popularity import Popularity
from matinee.serving.recommendation_log import RecommendationLog
from matinee.settings import Settings
from matinee.storage.metadata import Database, recommendations

V1 = "aws-user-personalization"
DAY = 86_400
#: Popular in the order of their numbers; n0 to n3 are seen by one user and lately, so that they are young.
OLD = [(f"u{user}", f"i{item}", 100 * DAY + user, "watch") for item in range(6) for user in range(12 - item)]
NEW = [("u0", f"n{item}", 200 * DAY, "watch") for item in range(4)]
LOG = log_of([*OLD, *NEW])
#: The same items, those that are last above now first.
REVERSED = log_of(
    [*((f"u{user}", f"i{item}", 100 * DAY + user, "watch") for item in range(6) for user in range(item + 3)), *NEW]
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop whose home a command can open."""
    home = tmp_path / "home"
    home.mkdir()
    database = Database(Settings(home=home).effective_database_url)
    database.upgrade()
    database.close()
    made = Shop(home)
    yield made
    made.close()


@pytest.fixture
def campaign(shop: Shop) -> str:
    """A campaign that explores half of its places."""
    config = {"itemExplorationConfig": {"explorationWeight": "0.5", "explorationItemAgeCutOff": "30"}}
    return shop.campaign("c", V1, Popularity(), LOG, **config)


def asked(shop: Shop, campaign: str, version: str, *more: str, exit_code: int = 0) -> Any:
    """What the command says: JSON where it does its work, else its output."""
    log: RecommendationLog = shop.runtime._log
    log.flush()
    arguments = ["counterfactual", "--campaign", campaign, "--solution-version", version, "--home", str(shop.folder)]
    result = CliRunner().invoke(app, [*arguments, "--json", *more])
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout) if exit_code == 0 else result.stderr


def shown(shop: Shop, campaign: str, clicked: str, users: int = 40) -> None:
    """An answer of three places to each of some users, who click on one item wherever it stands."""
    for number in range(users):
        answer = shop.get("GetRecommendations", campaignArn=campaign, userId=f"visitor{number}", numResults=3)
        items = [element["itemId"] for element in answer["itemList"]]
        if clicked in items:
            shop.put_event(
                f"visitor{number}", clicked, "click", at=time.time(), recommendationId=answer["recommendationId"]
            )


def test_the_version_without_exploration_is_what_its_own_places_earn(shop: Shop, campaign: str) -> None:
    version = CALLER.arn("solution/c/0000000a")
    shown(shop, campaign, "i0")
    told = asked(shop, campaign, version)
    assert (told["answers"], told["users"], told["decisions"]) == (40, 40, 120)
    assert 0.6 < told["covered"] < 1.4
    assert 0 < told["effective"] <= 120
    assert set(told["estimates"]) == {"shown now", "IPS", "SNIPS", "doubly robust"}
    for value in told["estimates"].values():
        assert value["low"] <= value["mean"] <= value["high"]
    assert told["estimates"]["shown now"]["mean"] == pytest.approx(told["clicks"] / 120)


def test_a_version_that_shows_what_is_not_clicked_is_worth_less(shop: Shop, campaign: str) -> None:
    same = CALLER.arn("solution/c/0000000a")
    other = shop.version("d/0000000b", V1, Popularity(), REVERSED)
    shown(shop, campaign, "i0")
    good = asked(shop, campaign, same)["estimates"]["doubly robust"]["mean"]
    said = asked(shop, campaign, other, exit_code=1)
    assert good > 0.1
    assert "No overlap: the version would have shown none" in said


def test_the_table_is_for_people(shop: Shop, campaign: str) -> None:
    shown(shop, campaign, "i0", users=15)
    shop.runtime._log.flush()
    version = CALLER.arn("solution/c/0000000a")
    arguments = ["counterfactual", "--campaign", campaign, "--solution-version", version, "--home", str(shop.folder)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "15 answers to 15 users, 45 places" in result.stdout
    assert "doubly robust" in result.stdout
    assert "caution: only" in result.stdout


def test_without_a_log_it_says_what_to_switch_on(shop: Shop, campaign: str) -> None:
    said = asked(shop, campaign, CALLER.arn("solution/c/0000000a"), exit_code=1)
    assert "There are no logged answers with exploration" in said
    assert "explorationWeight above 0" in said


def test_answers_from_before_the_training_do_not_count(shop: Shop, campaign: str) -> None:
    shown(shop, campaign, "i0", users=3)
    shop.runtime._log.flush()
    with shop.database.transaction() as connection:
        connection.execute(sa.update(recommendations).values(at=1))
    said = asked(shop, campaign, CALLER.arn("solution/c/0000000a"), exit_code=1)
    assert "may have been trained on what came of them" in said


def test_answers_from_before_the_last_update_of_the_model_do_not_count(shop: Shop, campaign: str) -> None:
    version = CALLER.arn("solution/c/0000000a")
    shown(shop, campaign, "i0", users=3)
    shop.runtime._log.flush()
    with shop.database.transaction() as connection:
        found = records.find(connection, version)
        assert found is not None
        job = lifecycle.begin(connection, outbox.enqueue(connection, JobKind.UPDATE_MODEL, version))
        assert job is not None
        lifecycle.succeed(connection, job, private={"artifact": found.private["artifact"]})
        connection.execute(sa.update(recommendations).values(at=found.updated_at + 1))
    said = asked(shop, campaign, version, exit_code=1)
    assert "may have been trained on what came of them" in said


def test_without_clicks_it_says_which_are_missing(shop: Shop, campaign: str) -> None:
    shown(shop, campaign, "i0", users=3)
    version = CALLER.arn("solution/c/0000000a")
    assert "No event of type buy carries the recommendationId" in asked(
        shop, campaign, version, "--click", "buy", exit_code=1
    )


def test_a_version_that_recommends_nothing_to_users_is_refused(shop: Shop, campaign: str) -> None:
    sims = shop.version("e/0000000c", "aws-sims", Popularity(), LOG)
    assert "does not recommend items to a user" in asked(shop, campaign, sims, exit_code=1)
    assert "does not exist" in asked(shop, campaign, CALLER.arn("solution/none/1"), exit_code=1)
