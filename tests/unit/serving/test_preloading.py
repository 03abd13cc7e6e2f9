"""Models are open before the first request, and what would block the event loop goes elsewhere."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.serving.shop import CALLER, Shop, log_of

from matinee.control import lifecycle, outbox
from matinee.control.outbox import JobKind
from matinee.models.popularity import Popularity
from matinee.serving.event_loop import WouldBlock

LOG = log_of([("u", "a", 1, "watch"), ("u", "b", 2, "watch")])


def _on_the_loop(shop: Shop, arn: str) -> list[str]:
    async def ask() -> list[str]:
        return shop.recommend(arn)

    return asyncio.run(ask())


def test_a_model_that_is_not_open_is_not_opened_on_the_event_loop(shop: Shop) -> None:
    arn = shop.campaign("live", "aws-popularity-count", Popularity(), LOG)
    with pytest.raises(WouldBlock):
        _on_the_loop(shop, arn)


def test_the_models_of_active_campaigns_are_open(shop: Shop) -> None:
    arn = shop.campaign("live", "aws-popularity-count", Popularity(), LOG)
    preloader = shop.runtime.preloader
    before = preloader.reason
    preloader.look()

    assert (before is None, preloader.reason) == (False, None)
    assert _on_the_loop(shop, arn) == ["a", "b"]


def test_the_version_of_an_update_under_way_is_open_before_it_serves(shop: Shop) -> None:
    arn = shop.campaign("live", "aws-popularity-count", Popularity(), LOG)
    other = shop.version("live/0000000b", "aws-popularity-count", Popularity(), LOG)
    now = {"solutionVersionArn": CALLER.arn("solution/live/0000000a"), "campaignConfig": {}}
    shop.change(arn, attributes={**now, "latestCampaignUpdate": {"solutionVersionArn": other}})
    shop.runtime.preloader.look()
    shop.change(arn, attributes={**now, "solutionVersionArn": other})

    assert _on_the_loop(shop, arn) == ["a", "b"]


def test_the_new_artifact_of_an_update_that_moves_no_date_is_open(shop: Shop) -> None:
    arn = shop.campaign("live", "aws-popularity-count", Popularity(), LOG)
    shop.runtime.preloader.look()
    shop.version("other/0000000b", "aws-popularity-count", Popularity(), log_of([("u", "c", 1, "watch")]))
    with shop.database.transaction() as connection:
        job_id = outbox.enqueue(connection, JobKind.UPDATE_MODEL, CALLER.arn("solution/live/0000000a"))
        job = lifecycle.begin(connection, job_id)
    assert job is not None
    shop.runtime.preloader.look()
    with shop.database.transaction() as connection:
        lifecycle.succeed(connection, job, private={"artifact": "artifacts/other/0000000b"})
    shop.runtime.preloader.look()

    assert _on_the_loop(shop, arn) == ["c"]


def test_a_model_that_is_damaged_does_not_keep_the_others_closed(shop: Shop) -> None:
    shop.campaign("broken", "aws-popularity-count", Popularity(), LOG)
    (shop.objects.root / "artifacts/broken/0000000a/manifest.json").write_text("{")
    arn = shop.campaign("live", "aws-popularity-count", Popularity(), LOG)
    shop.runtime.preloader.look()

    assert _on_the_loop(shop, arn) == ["a", "b"]
