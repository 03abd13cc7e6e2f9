"""Calls that are computed together get what each would get alone, and none the error of another."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.serving.shop import CALLER, STRANGER, Event, Shop, log_of

from matinee.control.context import Caller
from matinee.errors import InvalidInput, ResourceNotFound
from matinee.models.blend import Blend, BlendConfig
from matinee.models.ease import EASE
from matinee.models.transformer.config import TransformerConfig
from matinee.serving.event_loop import WouldBlock
from matinee.serving.quick_answers import EncodedCall
from matinee.serving.runtime import Runtime

ITEMS = "abcdefgh"
ROWS: list[Event] = [
    (f"u{user}", ITEMS[(user * step + step) % 8], 100 + step, "watch") for user in range(12) for step in range(1, 6)
]
CONFIG = BlendConfig(transformer=TransformerConfig(dimension=8, layers=2, length=6, epochs=1), seen="keep")


@pytest.fixture
def personal(shop: Shop) -> str:
    shop.runtime.close()
    shop.runtime = Runtime(shop.database, shop.objects, replace(shop.settings, cache_mb=0))
    return shop.campaign("films", "aws-user-personalization-v2", Blend(CONFIG), log_of(ROWS))


def call(caller: Caller = CALLER, **params: Any) -> EncodedCall:
    return EncodedCall(caller, params, json.dumps(params).encode())


def elements(answer: bytes | Exception) -> list[Mapping[str, Any]]:
    assert isinstance(answer, bytes)
    return list(json.loads(answer)["itemList"])


def test_each_call_gets_what_it_gets_alone(shop: Shop, personal: str) -> None:
    other = shop.campaign("other", "aws-user-personalization-v2", EASE(), log_of(ROWS))
    calls = [call(campaignArn=arn, userId=f"u{at}", numResults=5) for at in range(6) for arn in (personal, other)]
    calls.append(call(campaignArn=personal, userId="nobody", numResults=3))

    together = [elements(answer) for answer in shop.runtime.compute(calls)]

    alone = [elements(shop.runtime.compute([one])[0]) for one in calls]
    assert [[one["itemId"] for one in found] for found in together] == [
        [one["itemId"] for one in found] for found in alone
    ]
    for found, expected in zip(together, alone, strict=True):
        assert [one["score"] for one in found] == pytest.approx([one["score"] for one in expected], abs=2e-6)
    assert len({json.dumps(found) for found in together}) > 2


def test_a_refusal_is_that_of_its_call_alone(shop: Shop, personal: str) -> None:
    answers = shop.runtime.compute(
        [
            call(campaignArn=personal, userId="u1"),
            call(campaignArn=personal, userId="u1", numResults=501),
            call(STRANGER, campaignArn=personal, userId="u1"),
            call(campaignArn=personal, userId="u1", context={"no_such": "column"}),
            call(campaignArn=personal, userId="u2"),
        ]
    )
    assert [type(answer) for answer in answers] == [bytes, InvalidInput, ResourceNotFound, InvalidInput, bytes]


def test_a_model_that_fails_for_several_is_asked_for_each(
    shop: Shop, personal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = Blend.recall

    def one_at_a_time(model: Blend, memories: Any, occasions: Any) -> Any:
        if len(memories) > 1:
            raise MemoryError
        return several(model, memories, occasions)

    monkeypatch.setattr(Blend, "recall", one_at_a_time)
    calls = [call(campaignArn=personal, userId=f"u{at}") for at in range(3)]
    assert all(elements(answer) for answer in shop.runtime.compute(calls))


def test_what_must_be_read_first_keeps_the_others_from_nothing(shop: Shop, personal: str) -> None:
    shop.runtime.get_recommendations(CALLER, {"campaignArn": personal, "userId": "u1"})
    unread = shop.campaign("unread", "aws-user-personalization-v2", EASE(), log_of(ROWS))

    async def on_the_event_loop() -> list[bytes | Exception]:
        return shop.runtime.compute([call(campaignArn=unread, userId="u1"), call(campaignArn=personal, userId="u1")])

    first, second = asyncio.run(on_the_event_loop())
    assert isinstance(first, WouldBlock)
    assert elements(second)
    assert elements(shop.runtime.compute([call(campaignArn=unread, userId="u1")])[0])  # in a thread it is read
