"""A running experiment: users keep their arm, answers are logged, events join to them, the winner is promoted."""

from __future__ import annotations

import numpy as np
import pytest
import sqlalchemy as sa
from tests.unit.serving.shop import CALLER, GROUP, Shop, log_of

from matinee.control import records
from matinee.control.context import Caller
from matinee.control.experiment_results import results
from matinee.control.experiments import Design, create_experiment, promote, stop_experiment
from matinee.control.operation import Operation
from matinee.control.records import now_ms
from matinee.errors import InvalidInput, ResourceInUse
from matinee.models.popularity import Popularity
from matinee.storage.metadata import jobs, recommendations

RECIPE = "aws-popularity-count"
OLD = log_of([("u", "a", 1, "watch"), ("v", "a", 1, "watch"), ("u", "b", 1, "watch")])
NEW = log_of([("u", "b", 1, "watch"), ("v", "b", 1, "watch"), ("u", "a", 1, "watch")])
USERS = [f"user{number}" for number in range(40)]


def begin(shop: Shop, mode: str = "split") -> tuple[str, tuple[str, str]]:
    """A campaign with an experiment; returns its ARN and the versions'."""
    campaign = shop.campaign("c", RECIPE, Popularity(), OLD)
    rival = shop.version("s/0000000b", RECIPE, Popularity(), NEW)
    with shop.database.transaction() as connection:
        operation = Operation(connection, CALLER, shop.settings)
        found = records.find(connection, campaign)
        assert found is not None
        versions = (str(found["solutionVersionArn"]), rival)
        for version in versions:
            row = records.find(connection, version)
            assert row is not None
            solution = CALLER.arn("solution/x")
            records.change(connection, row, attributes={**row.attributes, "solutionArn": solution})
        design = Design("e", mode, versions, (0.5, 0.5), ("click",), ("buy",), 60, 0.05, 1000)
        create_experiment(operation, campaign, design)
    return campaign, versions


def logged(shop: Shop) -> list[sa.Row[tuple[str, str, str, list[int] | None]]]:
    """ID, version, user and teams of every logged answer."""
    shop.runtime._log.flush()
    c = recommendations.c
    with shop.database.read() as connection:
        return list(connection.execute(sa.select(c.id, c.model_arn, c.user_id, c.teams).order_by(c.seq)))


def test_users_keep_their_arm_and_both_arms_answer(shop: Shop) -> None:
    campaign, versions = begin(shop)
    first = {user: shop.recommend(campaign, userId=user)[0] for user in USERS}
    again = {user: shop.recommend(campaign, userId=user)[0] for user in USERS}
    assert first == again
    assert set(first.values()) == {"a", "b"}
    best = dict(zip(versions, ("a", "b"), strict=True))
    assert {row.user_id: best[row.model_arn] for row in logged(shop)} == first


def test_a_stopped_experiment_leaves_everyone_with_the_campaigns_version(shop: Shop) -> None:
    campaign, _ = begin(shop)
    with shop.database.transaction() as connection:
        stop_experiment(Operation(connection, CALLER, shop.settings), "e")
    assert {shop.recommend(campaign, userId=user)[0] for user in USERS} == {"a"}


def test_events_join_to_the_arm_that_recommended(shop: Shop) -> None:
    campaign, versions = begin(shop)
    for user in USERS:
        shop.recommend(campaign, userId=user)
    for row in logged(shop):
        if row.model_arn == versions[1]:
            shop.put_event(row.user_id, "b", "click", recommendationId=row.id)
    shop.put_event(USERS[0], "a", "buy")
    with shop.database.read() as connection:
        experiment = records.find(connection, CALLER.arn("experiment/e"))
        assert experiment is not None
        early = results(connection, experiment, now_ms())
        late = results(connection, experiment, now_ms() + 61_000)
    assert (sum(early.users), early.waiting) == (0, len(USERS))
    assert (sum(late.users), sum(late.lists)) == (len(USERS), len(USERS))
    assert late.click_through is not None
    assert late.conversion is not None
    assert [arm.mean for arm in late.click_through.arms] == [0.0, 1.0]
    assert sum(arm.mean * arm.users for arm in late.conversion.arms) == pytest.approx(1.0)


def test_interleaving_remembers_who_put_each_item_there(shop: Shop) -> None:
    campaign, _ = begin(shop, "interleave")
    for user in USERS:
        assert sorted(shop.recommend(campaign, userId=user)) == ["a", "b"]
    rows = logged(shop)
    assert all(sorted(row.teams or ()) == [0, 1] for row in rows)
    for row in rows:
        shop.put_event(row.user_id, "b", "click", recommendationId=row.id)
    with shop.database.read() as connection:
        experiment = records.find(connection, CALLER.arn("experiment/e"))
        assert experiment is not None
        found = results(connection, experiment, now_ms() + 61_000)
    assert found.preference is not None
    assert found.preference.users == len(USERS)
    assert -1 <= found.preference.mean <= 1


def test_promotion_updates_the_campaign_by_the_normal_operation(shop: Shop) -> None:
    campaign, versions = begin(shop)
    with shop.database.transaction() as connection:
        records.insert(
            connection,
            arn=CALLER.arn("solution/x"),
            account=CALLER.account,
            region=CALLER.region,
            kind="solution",
            name="x",
            parent=GROUP,
            status="ACTIVE",
            attributes={},
        )
        assert promote(Operation(connection, CALLER, shop.settings), "e", 1).status == "PROMOTED"
        payloads = {row.kind: row.payload for row in connection.execute(sa.select(jobs.c.kind, jobs.c.payload))}
    assert payloads["update-campaign"]["becomes"]["solutionVersionArn"] == versions[1]
    assert np.unique([shop.recommend(campaign, userId=user)[0] for user in USERS]).tolist() == ["a"]  # until it is done


def test_a_second_experiment_and_a_strangers_are_refused(shop: Shop) -> None:
    campaign, versions = begin(shop)
    design = Design("f", "split", versions, (0.5, 0.5), ("click",), (), 60, 0.05, 1000)
    with shop.database.transaction() as connection, pytest.raises(ResourceInUse, match="running already"):
        create_experiment(Operation(connection, CALLER, shop.settings), campaign, design)
    stranger = Caller("999999999999", "us-east-1")
    with shop.database.transaction() as connection, pytest.raises(Exception, match="does not exist"):
        create_experiment(Operation(connection, stranger, shop.settings), campaign, design)
    with pytest.raises(InvalidInput, match="add up to 1"):
        Design("f", "split", versions, (0.5, 0.4), ("click",), (), 60, 0.05, 1000).check()
