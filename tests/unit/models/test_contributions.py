"""Contributions of events: sums for linear models, leaving out for others, parts for a blend."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from matinee.data.interactions import FloatArray, Histories, Interactions
from matinee.models.adjusted import Adjusted
from matinee.models.base import FitOptions, ItemFeatures, Model
from matinee.models.blend import Blend, BlendConfig
from matinee.models.contributions import contributions, is_exact, without_each
from matinee.models.ease import EASE, EASEConfig
from matinee.models.item_knn import ItemKNN, ItemKNNConfig
from matinee.models.popularity import Popularity
from matinee.models.ridge import Ridge, RidgeConfig

N = 11
_random = np.random.default_rng(4)
_USERS = np.repeat(np.arange(60), 8)
DATA = Interactions.of(
    _USERS.astype(np.int32),
    ((_random.integers(0, 4, len(_USERS)) + 3 * (_USERS % 3)) % (N - 1)).astype(np.int32),
    np.arange(len(_USERS), dtype=np.int64),
    n_users=60,
    n_items=N,
)
#: An item that occurs twice, and 10, which no training event has.
HISTORY = Histories.one(np.array([2, 5, 10, 2, 7, 1], np.int32), np.arange(6, dtype=np.int64))
ITEMS = np.arange(N)
KNOWN = np.arange(N - 1)


def _blend() -> Blend:
    return Blend(BlendConfig(transformer=None, validation_users=0.2))


LINEAR = [
    EASE(),
    EASE(EASEConfig(history_items=2)),
    Ridge(RidgeConfig(decays=(0.9, 0.5), regularization=5)),
    Ridge(RidgeConfig(reach=2)),
    ItemKNN(ItemKNNConfig(min_cointeraction_count=1, history_items=3)),
]


def _base(model: Model) -> FloatArray:
    """What remains of the known items' scores."""
    scores = model.score(HISTORY)[0, KNOWN]
    base: FloatArray = scores - contributions(model, HISTORY, KNOWN).sum(axis=0)
    return base


@pytest.mark.parametrize("model", LINEAR[:4], ids=lambda model: model.name)
def test_what_linear_models_add_up_sums_to_the_score(model: Model) -> None:
    model.fit(DATA)
    assert is_exact(model)
    assert _base(model) == pytest.approx(np.zeros(N - 1), abs=1e-5)


def test_neighbours_sum_to_the_score_and_popularity_is_what_others_have_anyway() -> None:
    model = LINEAR[4].fit(DATA)
    scores = model.score(HISTORY)[0, KNOWN]
    assert _base(model) == pytest.approx(np.where(scores > 0, 0, scores), abs=1e-5)
    assert (scores > 0).any()


@pytest.mark.parametrize("model", [*LINEAR, _blend()], ids=lambda model: model.name)
def test_the_best_item_scores_less_without_the_event_that_carried_it_most(model: Model) -> None:
    model.fit(DATA)
    history = Histories.one(np.array([2, 5, 7, 1], np.int32), np.arange(4, dtype=np.int64))
    scores = model.score(history)[0]
    unseen = np.setdiff1d(KNOWN, history.items)
    best = unseen[scores[unseen].argmax()]
    added = contributions(model, history, np.array([best]))[:, 0]
    without = model.score(without_each(history, np.array([added.argmax()])))[0]
    assert added.max() > 0
    assert without[best] < scores[best]


def test_events_on_unknown_items_and_their_scores_are_nothing() -> None:
    added = contributions(EASE().fit(DATA), HISTORY, ITEMS)
    assert added.shape == (6, N)
    assert not added[2].any()
    assert not added[:, 10].any()


def test_an_item_of_two_events_counts_at_the_newer_one() -> None:
    added = contributions(EASE().fit(DATA), HISTORY, ITEMS)
    assert not added[0].any()
    assert added[3].any()


def test_popularity_owes_nothing_to_events() -> None:
    model = Popularity().fit(DATA)
    assert is_exact(model)
    assert not contributions(model, HISTORY, ITEMS).any()


def test_a_blend_of_linear_parts_is_exact_but_for_its_fixed_part() -> None:
    model = _blend().fit(DATA)
    model.seen_last = False
    assert is_exact(model)
    fixed = np.zeros(len(KNOWN))
    for weight, (name, part) in zip(model.weights, model.parts.items(), strict=True):
        if name in ("popularity", "recent"):
            scores = part.score(HISTORY)[0, KNOWN]
            fixed += weight * (scores - scores.mean()) / scores.std()
    assert _base(model) == pytest.approx(fixed, abs=1e-4)


def test_a_new_item_owes_events_what_the_items_that_it_is_like_do() -> None:
    base = EASE().fit(DATA)
    mix = sparse.csr_array(np.array([[0.25, 0.75, *[0.0] * (N - 2)]], np.float32))
    model = Adjusted.of(base, neighbours=mix)
    added, below = (contributions(one, HISTORY, np.arange(one.n_items)) for one in (model, base))
    assert added[:, N] == pytest.approx(0.25 * below[:, 0] + 0.75 * below[:, 1], abs=1e-5)
    assert model.score(HISTORY)[0, N] == pytest.approx(added[:, N].sum(), abs=1e-5)


class _Pairs(Model):
    """No sum over events: an item scores 1 when the history holds both of its neighbours."""

    name = "pairs"
    Config = ItemKNNConfig

    def _fit(self, data: Interactions, features: ItemFeatures | None, options: FitOptions) -> None:
        """Nothing to learn."""

    def _score(self, histories: Histories) -> FloatArray:
        scores = np.zeros((len(histories), self.n_items), np.float32)
        for row in range(len(histories)):
            own = set(histories.items[histories.indptr[row] : histories.indptr[row + 1]].tolist())
            scores[row] = [{item - 1, item + 1} <= own for item in range(self.n_items)]
        return scores

    def _arrays(self) -> dict[str, np.ndarray]:
        return {}

    def _restore(self, arrays: object) -> None:
        """Nothing was kept."""


def test_of_other_models_an_event_adds_what_is_lost_without_it() -> None:
    model = _Pairs().fit(DATA)
    history = Histories.one(np.array([3, 8, 5], np.int32), np.arange(3, dtype=np.int64))
    assert not is_exact(model)
    assert contributions(model, history, np.array([4]))[:, 0].tolist() == [1, 0, 1]


def test_leaving_out_keeps_all_that_is_known_of_the_events_that_stay() -> None:
    history = Histories(
        indptr=np.array([0, 3], np.int64),
        items=np.array([3, 8, 5], np.int32),
        timestamps=np.array([1, 2, 3], np.int64),
        now=np.array([9], np.int64),
        event_types=np.array([0, 1, 2], np.int16),
        context=np.ones((1, 2), np.float32),
        attributes=np.ones((1, 4), np.float32),
    )
    batch = without_each(history, np.array([1, 2]))
    assert batch.items.tolist() == [3, 5, 3, 8]
    assert batch.timestamps.tolist() == [1, 3, 1, 2]
    assert batch.event_types is not None
    assert batch.event_types.tolist() == [0, 2, 0, 1]
    assert batch.asked().tolist() == [9, 9]
    assert batch.context is not None
    assert batch.attributes is not None
    assert (batch.context.shape, batch.attributes.shape) == ((2, 2), (2, 4))
