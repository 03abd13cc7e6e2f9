"""Event weights: 1 for all changes nothing; what weighs more is recommended more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matinee.data.interactions import FloatArray, Histories, Interactions
from matinee.models.base import Model
from matinee.models.ease import EASE
from matinee.models.item_knn import ItemKNN
from matinee.models.popularity import Popularity
from matinee.models.ridge import Ridge

USERS, ITEMS, EVENTS = 60, 10, 6
MODELS = (Popularity, EASE, Ridge, ItemKNN)
HISTORY = Histories.one(np.array([0, 1], np.int32), np.arange(2, dtype=np.int64))


def _data() -> Interactions:
    random = np.random.default_rng(2)
    item = np.concatenate([random.permutation(ITEMS)[:EVENTS] for _ in range(USERS)])
    user = np.repeat(np.arange(USERS, dtype=np.int32), EVENTS)
    time = np.arange(len(user), dtype=np.int64)
    return Interactions.of(user, item.astype(np.int32), time, n_users=USERS, n_items=ITEMS)


def _scores(make: type[Model], weight: FloatArray | None) -> FloatArray:
    scores: FloatArray = make().fit(replace(_data(), weight=weight)).score(HISTORY)[0]
    return scores


@pytest.mark.parametrize("make", MODELS)
def test_weights_of_1_change_nothing(make: type[Model]) -> None:
    equal = _scores(make, np.ones(USERS * EVENTS, np.float32))
    np.testing.assert_array_equal(equal, _scores(make, None))


@pytest.mark.parametrize("make", [Popularity, EASE, Ridge])
def test_an_item_whose_events_weigh_more_rises(make: type[Model]) -> None:
    weight = np.where(_data().item == 7, 3, 0.8).astype(np.float32)
    heavy, plain = _scores(make, weight), _scores(make, None)
    assert (heavy > heavy[7]).sum() <= (plain > plain[7]).sum()
    assert heavy[7] - heavy[2:].mean() > plain[7] - plain[2:].mean()
