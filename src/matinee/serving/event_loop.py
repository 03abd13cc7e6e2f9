"""Work that is too long for the event loop, on which requests are answered from memory."""

from __future__ import annotations

import asyncio

from matinee.errors import MatineeError


class WouldBlock(MatineeError):
    """The request needs something that must be read first; the same call in a thread does it."""


def leave_event_loop() -> None:
    """Raise `WouldBlock` in the thread of an event loop; nothing elsewhere. Called before long work, never in midst."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise WouldBlock("This call reads files; make it in a thread.")
