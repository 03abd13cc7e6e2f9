"""Requests that come in during one turn of the event loop, answered together: a model asked once serves them all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from matinee.control.context import Caller
from matinee.serving.quick_answers import EncodedCall

#: More at once would make the first wait longer than it wins.
_MOST: Final = 16


class Known(Protocol):
    """An answer that may be given again."""

    @property
    def params(self) -> Mapping[str, Any]:
        """The parsed request."""


class Encoded(Protocol):
    """What answers an operation in bytes of its own, and knows answers that it may give again."""

    def known(self, caller: Caller, body: bytes) -> Known | None:
        """What was answered to the same body before, where that is still right."""

    def again(self, answer: Any) -> bytes:
        """The body of an answer that is given again; raises as the first time."""

    def compute(self, calls: Sequence[EncodedCall]) -> Sequence[bytes | Exception]:
        """The bodies of new answers, or what each call raises: `ApiError`, or `WouldBlock` on the event loop."""


class Together:
    """Collects calls of one operation until the event loop has read all requests that are there."""

    def __init__(self, encoded: Encoded) -> None:
        self.encoded = encoded
        self._waiting: list[tuple[EncodedCall, asyncio.Future[bytes]]] = []

    async def answer(self, call: EncodedCall) -> bytes:
        """The body that answers one call. Raises what computing it raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bytes] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._compute)
        self._waiting.append((call, future))
        return await future

    def _compute(self) -> None:
        now, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._compute)
        outcomes: Sequence[bytes | Exception]
        try:
            outcomes = self.encoded.compute([call for call, _ in now])
        except Exception as error:
            outcomes = [error] * len(now)
        for (_, future), outcome in zip(now, outcomes, strict=True):
            if future.done():  # nobody waits for it any more
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
