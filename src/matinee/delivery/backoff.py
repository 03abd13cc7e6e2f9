"""How long a failed delivery waits: twice as long after each failure, with jitter, so that retries do not gather."""

from __future__ import annotations

import random
from dataclasses import dataclass

_FIRST_MS = 1000


@dataclass(frozen=True)
class Backoff:
    """`longest_ms`: the longest wait. `give_up_ms`: a delivery that fails after so long becomes a dead letter."""

    longest_ms: int
    give_up_ms: int

    def wait_ms(self, attempts: int, chance: random.Random, asked: float | None = None) -> int:
        """Milliseconds until the next attempt after `attempts` failures: half of it certain, half of it chance.

        `asked` is what the destination asked for, seconds ("equal jitter", AWS Architecture Blog, 2015).
        """
        whole = min(self.longest_ms, _FIRST_MS << min(attempts - 1, 30))
        wait = whole // 2 + chance.randint(0, whole - whole // 2)
        return max(wait, int(1000 * (asked or 0)))

    def given_up(self, since: int, now: int) -> bool:
        """Whether a delivery that has been tried from `since` on, epoch milliseconds, is not tried again."""
        return now - since >= self.give_up_ms
