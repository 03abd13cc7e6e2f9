"""Affinity beyond the contract of every model: users compared with each other."""

from __future__ import annotations

import numpy as np
import pytest
from tests.contract.model_suite import N_ITEMS, UNUSED_ITEM, batch, interactions

from matinee.models.affinity import Affinity, AffinityConfig


def fitted(*, repeats: bool) -> Affinity:
    return Affinity(AffinityConfig(regularization=5.0, repeats=repeats)).fit(interactions())


@pytest.fixture(scope="module")
def returning() -> Affinity:
    return fitted(repeats=True)


@pytest.fixture(scope="module")
def once() -> Affinity:
    return fitted(repeats=False)


def test_users_of_the_items_kind_are_drawn_to_it(returning: Affinity) -> None:
    even, odd = returning.each(batch((0, 2, 4), (1, 3, 5)), np.array([8]))[:, 0]
    assert even > odd


def test_columns_of_each_are_those_of_score(returning: Affinity) -> None:
    users = batch((0, 2, 4), (1,), (6, 8))
    items = np.array([8, 3, 20])
    np.testing.assert_allclose(returning.each(users, items), returning.score(users)[:, items], rtol=1e-5)


def test_of_several_items_the_sum_counts(returning: Affinity) -> None:
    users, items = batch((0, 2, 4), (1, 3)), np.arange(N_ITEMS)
    np.testing.assert_allclose(returning.drawn(users, items), returning.each(users, items).sum(axis=1), rtol=1e-5)


def test_for_an_unknown_item_activity_decides(returning: Affinity) -> None:
    found = returning.each(batch((0,), (1, 3, 5, 7), ()), np.array([-1, UNUSED_ITEM, N_ITEMS + 4]))
    assert (found[1] > found[0]).all()
    assert (found[2] == 0).all()
    assert (found == found[:, :1]).all()


def test_where_nobody_returns_an_item_draws_nobody_who_had_it(once: Affinity) -> None:
    had, new = once.each(batch((0, 2, 4), (0, 2, 6)), np.array([4]))[:, 0]
    assert had == 0 < new
