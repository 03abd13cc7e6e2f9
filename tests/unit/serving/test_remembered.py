"""Histories that models keep: the same answers as from whole histories, of the present state only, within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from tests.unit.serving.shop import CALLER, GROUP, Event, Shop, log_of

from matinee.data.interactions import FloatArray, Histories
from matinee.models.blend import Blend, BlendConfig
from matinee.models.ease import EASE
from matinee.models.transformer.config import TransformerConfig
from matinee.serving.remembered import RememberedHistories
from matinee.serving.runtime import Runtime
from matinee.serving.user_state import UserState

ITEMS = "abcdefgh"
ROWS: list[Event] = [
    (f"u{user}", ITEMS[(user * step + step) % 8], 100 + step, "watch") for user in range(12) for step in range(1, 6)
]
LOG = log_of(ROWS)
CONFIG = BlendConfig(transformer=TransformerConfig(dimension=8, layers=2, length=6, epochs=1), seen="keep")


@pytest.fixture
def arn(shop: Shop) -> str:
    return shop.campaign("films", "aws-user-personalization-v2", Blend(CONFIG), LOG)


@pytest.fixture
def whole(shop: Shop) -> Iterator[Runtime]:
    """A runtime whose models read the whole history each time."""
    runtime = Runtime(shop.database, shop.objects, replace(shop.settings, histories_mb=0, cache_mb=0))
    yield runtime
    runtime.close()


@pytest.fixture
def keeping(shop: Shop) -> Runtime:
    """The shop's runtime, without a cache of answers."""
    shop.runtime.close()
    shop.runtime = Runtime(shop.database, shop.objects, replace(shop.settings, cache_mb=0))
    return shop.runtime


def _scores(runtime: Runtime, arn: str, user: str) -> dict[str, float]:
    answer = runtime.get_recommendations(CALLER, {"campaignArn": arn, "userId": user})
    return {element["itemId"]: element["score"] for element in answer["itemList"]}


def test_answers_are_those_of_the_whole_history_before_and_after_events(
    shop: Shop, arn: str, whole: Runtime, keeping: Runtime
) -> None:
    for event in (None, ("a", 200), ("h", 201), ("a", 150)):
        if event is not None:
            shop.put_event("u3", event[0], at=event[1])
        for user in ("u3", "u4", "nobody"):
            for _ in range(2):  # from what was made for this answer, and from what was kept
                expected = _scores(whole, arn, user)
                assert _scores(keeping, arn, user) == pytest.approx(expected, abs=1e-4)
    assert keeping._stage._remembered.size > 0


def test_another_model_is_asked_afresh(shop: Shop, arn: str, whole: Runtime, keeping: Runtime) -> None:
    _scores(keeping, arn, "u3")
    other = shop.version("films/0000000b", "aws-user-personalization-v2", EASE(), LOG)
    shop.change(arn, attributes={"solutionVersionArn": other, "campaignConfig": {}})
    assert _scores(keeping, arn, "u3") == pytest.approx(_scores(whole, arn, "u3"), abs=1e-6)


def test_a_deletion_of_users_drops_everything(shop: Shop, arn: str, keeping: Runtime) -> None:
    _scores(keeping, arn, "u3")
    before = keeping._stage._remembered.size
    shop.add("data-deletion-job", "gone", {"datasetGroupArn": GROUP}, parent=GROUP)
    assert before > 0
    _scores(keeping, arn, "nobody")
    assert [user for _, user in keeping._stage._remembered._kept] == ["nobody"]


class _Counting(EASE):
    """Remembers by name how often it was asked to."""

    asked = 0

    def remember(self, histories: Histories) -> FloatArray:
        self.asked += 1
        return np.zeros(1_000, np.float32)


def _state() -> UserState:
    none = np.zeros(0, np.int64)
    return UserState(none, none, none.astype(np.int16), (), None, {})


def test_the_least_recently_used_go_first() -> None:
    model, kept, states = _Counting(), RememberedHistories(3 * 8_200), {user: _state() for user in "abcd"}
    nothing = Histories.one(np.zeros(0, np.int32), np.zeros(0, np.int64))

    def ask(user: str, attributes: FloatArray | None = None) -> int:
        before = model.asked
        kept.find(model, user, states[user], attributes, lambda: nothing)
        return model.asked - before

    assert [ask(user) for user in "abcabd"] == [1, 1, 1, 0, 0, 1]
    assert [ask(user) for user in "abdc"] == [0, 0, 0, 1]
    assert kept.size <= 3 * 8_200
    assert ask("c", np.ones((1, 2), np.float32)) == 1  # the user's record is read, too
    states["c"] = _state()
    assert ask("c") == 1
    kept.forget()
    assert kept.size == 0
    assert ask("c") == 1
