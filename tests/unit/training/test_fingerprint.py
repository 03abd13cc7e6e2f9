"""Fingerprints of data: everything that a model may learn from has a part in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from matinee.data.interactions import InteractionLog
from matinee.training.fingerprint import fingerprint

ITEMS = pl.DataFrame({"ITEM_ID": ["a", "b"], "GENRES": ["Drama", None], "PRICE": [1.0, 2.5]})
USERS = pl.DataFrame({"USER_ID": ["u", "v"], "AGE": [30, 40]})


def test_equal_data_in_another_order_are_equal(log: InteractionLog) -> None:
    shuffled = ITEMS.reverse().select("PRICE", "ITEM_ID", "GENRES").with_columns(EMPTY=pl.lit(None, pl.String()))
    assert fingerprint(log, ITEMS, USERS) == fingerprint(log, shuffled, USERS.reverse())


@pytest.mark.parametrize(
    ("items", "users"),
    [
        (ITEMS.with_columns(GENRES=pl.Series(["Comedy", None])), USERS),
        (ITEMS.with_columns(GENRES=pl.Series(["Drama", ""])), USERS),
        (ITEMS.with_columns(PRICE=pl.Series([1.0, 2.6])), USERS),
        (ITEMS.rename({"GENRES": "KINDS"}), USERS),
        (ITEMS.head(1), USERS),
        (ITEMS, USERS.with_columns(AGE=pl.Series([30, 41]))),
        (ITEMS, USERS.head(1)),
    ],
)
def test_another_record_is_other_data(log: InteractionLog, items: pl.DataFrame, users: pl.DataFrame) -> None:
    assert fingerprint(log, items, users) != fingerprint(log, ITEMS, USERS)


def test_another_event_is_other_data(log: InteractionLog) -> None:
    data, count = log.interactions, len(log.interactions)
    others = [
        replace(data, timestamp=data.timestamp + 1),
        replace(data, weight=np.full(count, 0.5, np.float32)),
        replace(data, value=np.full(count, 3.0, np.float32)),
        replace(data, event_type=np.ones(count, np.int16)),
        replace(data, attributes=np.ones((data.n_users, 1), np.float32)),
        replace(data, context=sparse.csr_array(np.ones((count, 1), np.float32))),
    ]
    found = {fingerprint(replace(log, interactions=one), ITEMS, USERS) for one in (data, *others)}
    assert len(found) == len(others) + 1
