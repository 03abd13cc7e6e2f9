"""Filters for many users at once say for each what they say for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from tests.unit.filters.films import SCHEMAS, Events, Record, table_of

from matinee.filters import check
from matinee.filters.binding import bind
from matinee.filters.each import Pairs, held_back_each
from matinee.filters.evaluation import Request, allowed

FILMS: list[Record | None] = [{"ITEM_ID": "0", "GENRES": "Drama"}, {"ITEM_ID": "1", "GENRES": "Comedy"}, None, None]
USERS = [Events((0, "watch"), (2, "watch"), (1, "click")), Events(), Events((0, "click"), (1, "click"), (2, "click"))]


@dataclass(frozen=True)
class Many:
    """Several users' events."""

    users: Sequence[Events]

    def __len__(self) -> int:
        return len(self.users)

    def of_types(self, types: frozenset[str] | None) -> Pairs:
        things = [user.of_types(types) for user in self.users]
        rows = np.repeat(np.arange(len(things)), [len(one) for one in things])
        return rows, np.concatenate(things).astype(np.int64)


@pytest.mark.parametrize(
    "text",
    [
        'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")',
        'INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")',
        'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE NOT IN ("click", "watch")',
        'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch") OR Interactions.EVENT_TYPE IN ("click")',
        'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*") AND Interactions.EVENT_TYPE NOT IN ("click")',
        'INCLUDE ItemID WHERE Items.GENRES IN ("Drama")',
        'INCLUDE ItemID WHERE Items.GENRES IN ("Drama") | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click")',
        'INCLUDE ItemID WHERE Items.GENRES IN ("Drama") | INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click")',
    ],
)
def test_each_user_is_denied_what_they_are_denied_alone(text: str) -> None:
    bound, table = bind(check(text, SCHEMAS), {}), table_of(FILMS)
    found = np.broadcast_to(held_back_each(bound, table, Many(USERS)), (len(USERS), table.n))
    for own, user in zip(found, USERS, strict=True):
        assert own.tolist() == (~allowed(bound, table, Request(events=user))).tolist()
