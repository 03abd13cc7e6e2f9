"""Calls of one turn of the event loop go to one computation; each waits for its own outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from matinee.api.aws.together import Together
from matinee.control.context import Caller
from matinee.errors import InvalidInput
from matinee.serving.quick_answers import EncodedCall

CALLER = Caller("123456789012", "eu-west-1")


class Computing:
    """Answers with the body; keeps how many came at once."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.sizes: list[int] = []
        self._failure = failure

    def known(self, caller: Caller, body: bytes) -> Any:
        return None

    def again(self, answer: Any) -> bytes:
        return b""

    def compute(self, calls: Sequence[EncodedCall]) -> list[bytes | Exception]:
        self.sizes.append(len(calls))
        if self._failure is not None:
            raise self._failure
        return [InvalidInput("Not this one.") if call.body == b"3" else call.body for call in calls]


def ask(computing: Computing, count: int) -> list[bytes | BaseException]:
    async def all_at_once() -> list[bytes | BaseException]:
        together = Together(computing)
        calls = [EncodedCall(CALLER, {}, str(at).encode()) for at in range(count)]
        return await asyncio.gather(*map(together.answer, calls), return_exceptions=True)

    return asyncio.run(all_at_once())


def test_calls_of_one_turn_are_computed_at_once_and_answered_each() -> None:
    computing = Computing()
    answers = ask(computing, 5)
    assert computing.sizes == [5]
    assert [answer for answer in answers if isinstance(answer, bytes)] == [b"0", b"1", b"2", b"4"]
    assert isinstance(answers[3], InvalidInput)


def test_a_crowd_is_computed_in_parts() -> None:
    computing = Computing()
    assert len(ask(computing, 40)) == 40
    assert computing.sizes == [16, 16, 8]


def test_a_failure_of_all_reaches_each() -> None:
    assert [str(answer) for answer in ask(Computing(RuntimeError("broken")), 3)] == ["broken"] * 3


def test_who_went_away_is_not_answered_and_the_others_are() -> None:
    async def one_leaves() -> bytes:
        together = Together(Computing())
        leaving = asyncio.ensure_future(together.answer(EncodedCall(CALLER, {}, b"0")))
        staying = asyncio.ensure_future(together.answer(EncodedCall(CALLER, {}, b"1")))
        await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        return await staying

    assert asyncio.run(one_leaves()) == b"1"
