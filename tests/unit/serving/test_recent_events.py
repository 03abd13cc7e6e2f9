"""What is popular lately is counted from streamed events, each once, and moves recommendations."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from tests.unit.serving.shop import GROUP, Event, Shop, log_of

from matinee.data.interactions import FloatArray
from matinee.models.blend import Blend, BlendConfig
from matinee.models.ease import EASE
from matinee.models.recent import RecentConfig
from matinee.serving.event_loop import WouldBlock
from matinee.serving.freshness import View
from matinee.serving.recent_events import RecentEvents
from matinee.training.artifact import Artifact, write_artifact

NOW = 1_700_000_000
DAY = 86_400
ROWS: list[Event] = [(f"u{user}", item, 100 + at, "watch") for user in range(9) for at, item in enumerate("abcd")]
LOG = log_of(ROWS, extra_items=["e"])
LATELY = BlendConfig(transformer=None, ease=None, ridge=None, popularity=None, recent=RecentConfig(7), seen="keep")


@dataclass
class Place:
    """A trained artifact and the counting of events for it, at a time that tests move."""

    shop: Shop
    artifact: Artifact
    now: float = NOW
    views: int = 0

    def __post_init__(self) -> None:
        self.recent = RecentEvents(60, lambda: self.now)

    def counts(self) -> FloatArray | None:
        with ExitStack() as resources:
            self.views += 1
            return self.recent.counts(View(self.shop.database, self.views, resources), GROUP, self.artifact)

    def stream(self, item: str, count: int, at: float, kind: str = "watch") -> None:
        for number in range(count):
            name = f"{item}{number}at{at}{kind}"
            self.shop.put_event(name, item, kind, at=int(at), session=name)


def place_of(shop: Shop, *, model: Blend | EASE | None = None, rules: list[dict[str, object]] | None = None) -> Place:
    folder = shop.objects.root / "artifacts/lately"
    fitted = (Blend(LATELY) if model is None else model).fit(LOG.interactions)
    write_artifact(folder, model=fitted, log=LOG, manifest={"recipe": "r", "data": {"selection": rules or []}})
    return Place(shop, Artifact.open(folder))


def test_where_nothing_was_streamed_there_is_nothing(shop: Shop) -> None:
    assert place_of(shop).counts() is None


def test_a_model_that_does_not_ask_is_given_nothing(shop: Shop) -> None:
    place = place_of(shop, model=EASE())
    place.stream("a", 1, NOW)
    assert place.counts() is None


def test_each_event_counts_once_for_seven_days(shop: Shop) -> None:
    place = place_of(shop)
    place.stream("b", 2, NOW - DAY)
    place.stream("c", 1, NOW - 8 * DAY)
    found = place.counts()
    assert found is not None
    assert found.tolist() == [0, 2, 0, 0, 0]
    place.stream("b", 1, NOW + 30)
    assert place.counts() is found  # the next counting has not come
    place.now += 60
    again = place.counts()
    assert again is not None
    assert again.tolist() == [0, 3, 0, 0, 0]
    place.now += 6.5 * DAY
    left = place.counts()
    assert left is not None
    assert left.tolist() == [0, 1, 0, 0, 0]
    place.now += DAY
    assert place.counts() is None


def test_only_events_that_the_training_selects_count(shop: Shop) -> None:
    place = place_of(shop, rules=[{"event_type": "Watch", "threshold": None}])
    place.stream("a", 3, NOW, "click")
    place.stream("d", 1, NOW, "WATCH")
    found = place.counts()
    assert found is not None
    assert found.tolist() == [0, 0, 0, 1, 0]


def test_unknown_items_and_events_of_the_future_do_not_count(shop: Shop) -> None:
    place = place_of(shop)
    place.stream("brand-new", 3, NOW)
    place.stream("a", 3, NOW + DAY)
    assert place.counts() is None


def test_counting_leaves_the_event_loop(shop: Shop) -> None:
    place = place_of(shop)

    async def ask() -> None:
        place.counts()

    with pytest.raises(WouldBlock):
        asyncio.run(ask())
    place.counts()
    asyncio.run(ask())  # what is counted needs no thread


def test_what_was_counted_can_be_forgotten(shop: Shop) -> None:
    place = place_of(shop)
    place.stream("a", 1, NOW)
    before = place.counts()
    place.recent.forget()
    after = place.counts()
    assert after is not before
    assert after is not None
    assert after.tolist() == [1, 0, 0, 0, 0]


def test_a_campaign_follows_what_others_do(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [float(NOW)]
    monkeypatch.setattr(shop.runtime._stage.recent_events, "_clock", lambda: clock[0])
    arn = shop.campaign("lately", "aws-user-personalization-v2", Blend(LATELY), LOG)

    def best() -> str:
        answer = shop.get("GetRecommendations", campaignArn=arn, userId="nobody", numResults=2)
        return str(answer["itemList"][0]["itemId"])

    best()
    for number in range(200):
        shop.put_event(f"other{number}", "c", "watch", at=NOW, session=f"s{number}")
    clock[0] += 60
    assert best() == "c"
