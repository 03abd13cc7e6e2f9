"""What would keep all other requests waiting is done in a thread, once, and the call is counted once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.serving.shop import CALLER, Shop, log_of

from matinee.errors import Throttling
from matinee.models.popularity import Popularity
from matinee.serving.event_loop import WouldBlock
from matinee.serving.runtime import Runtime

LOG = log_of([("u", "a", 1, "watch"), ("v", "a", 1, "watch"), ("u", "b", 2, "watch")])
FILMS = [{"ITEM_ID": item, "GENRES": "Drama"} for item in "abc"]
Ask = Callable[[], list[str]]


class Watched:
    """The shop's objects, counting reads, each of which fails on an event loop."""

    def __init__(self, shop: Shop) -> None:
        self._objects = shop.objects
        self.read: list[str] = []

    def local(self, key: str) -> Path:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        self.read.append(key)
        return self._objects.local(key)


def _on_the_loop(ask: Ask) -> list[str]:
    async def call() -> list[str]:
        return ask()

    return asyncio.run(call())


def _popular(shop: Shop) -> str:
    shop.import_rows("ITEMS", FILMS)
    return shop.campaign("live", "aws-popularity-count", Popularity(), LOG)


def _by_item(shop: Shop) -> dict[str, Any]:
    return {"filterArn": shop.filter("drama", 'INCLUDE ItemID WHERE Items.GENRES IN ("Drama")')}


def _by_user(shop: Shop) -> dict[str, Any]:
    shop.import_rows("USERS", [{"USER_ID": "u", "AGE": 30}])
    text = 'EXCLUDE ItemID WHERE Items.GENRES IN ("War") IF CurrentUser.AGE = 30'
    return {"filterArn": shop.filter("grown-up", text), "userId": "u"}


@pytest.mark.parametrize("request_of", [_by_item, _by_user])
def test_imported_records_are_first_read_in_a_thread(shop: Shop, request_of: Callable[[Shop], dict[str, Any]]) -> None:
    arn, params = _popular(shop), request_of(shop)
    shop.runtime.preloader.look()

    def ask() -> list[str]:
        return shop.recommend(arn, **params)

    with pytest.raises(WouldBlock):
        _on_the_loop(ask)
    assert ask() == ["a", "b"]
    assert _on_the_loop(ask) == ["a", "b"]


def test_records_of_a_new_import_are_read_in_a_thread_too(shop: Shop) -> None:
    arn = _popular(shop)
    shop.recommend(arn)
    shop.import_rows("ITEMS", [{"ITEM_ID": "b", "GENRES": "War"}], at=2)

    with pytest.raises(WouldBlock):
        _on_the_loop(lambda: shop.recommend(arn))
    shop.recommend(arn)
    assert _on_the_loop(lambda: shop.recommend(arn)) == ["a", "b"]


def test_a_streamed_record_is_taken_in_where_the_call_is(shop: Shop) -> None:
    arn = _popular(shop)
    shop.recommend(arn)
    shop.put("PutItems", datasetArn=CALLER.arn("dataset/films/ITEMS"), items=[{"itemId": "z", "properties": "{}"}])

    assert _on_the_loop(lambda: shop.recommend(arn)) == ["a", "b"]


def test_many_that_wait_for_a_file_read_it_once(shop: Shop) -> None:
    arn, params = _popular(shop), _by_item(shop)
    shop.runtime.preloader.look()
    watched: Any = Watched(shop)
    runtime = Runtime(shop.database, watched, shop.settings)
    barrier = threading.Barrier(4)

    def ask() -> list[str]:
        barrier.wait()
        answer = runtime.get_recommendations(CALLER, {"campaignArn": arn, **params})
        return [one["itemId"] for one in answer["itemList"]]

    with ThreadPoolExecutor(4) as pool:
        answers = [one.result() for one in [pool.submit(ask) for _ in range(4)]]
    runtime.close()

    assert answers == [["a", "b"]] * 4
    assert len([key for key in watched.read if key.endswith(".parquet")]) == 1


def test_a_call_that_begins_anew_in_a_thread_is_counted_once(shop: Shop) -> None:
    arn = _popular(shop)
    runtime = Runtime(shop.database, shop.objects, replace(shop.settings, max_tps=1))
    runtime.preloader.look()
    asked = {"campaignArn": arn}

    async def on_the_loop() -> None:
        runtime.get_recommendations(CALLER, asked)

    with pytest.raises(WouldBlock):
        asyncio.run(on_the_loop())
    assert runtime.get_recommendations(CALLER, asked)["itemList"]
    with pytest.raises(Throttling):
        runtime.get_recommendations(CALLER, asked)
    assert runtime.capacity.utilisation(arn) == pytest.approx(1 / 300)
    runtime.close()
