"""An item without events is placed by its metadata; without metadata nothing changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from matinee.data.interactions import Histories, Interactions
from matinee.models.base import ItemFeatures
from matinee.models.blend import Blend, BlendConfig
from matinee.models.ease import EASEConfig
from matinee.models.ridge import RidgeConfig
from matinee.models.transformer.config import TransformerConfig
from matinee.models.transformer.model import Transformer

CONFIG = TransformerConfig(dimension=8, layers=1, length=8, epochs=12, batch_events=128, learning_rate=1e-2)
N_ITEMS, COLD_EVEN, COLD_ODD, NAMELESS = 23, 20, 21, 22
EVEN, ODD = (0, 2, 4, 6), (1, 3, 5, 7)


def log() -> Interactions:
    """Users of even and of odd items; the last three items have no events."""
    random = np.random.default_rng(0)
    item = np.concatenate([random.permutation(np.arange(user % 2, 20, 2))[:7] for user in range(60)]).astype(np.int32)
    user = np.repeat(np.arange(60), 7).astype(np.int32)
    return Interactions.of(user, item, np.arange(len(user), dtype=np.int64), n_users=60, n_items=N_ITEMS)


def features(told: bool = True) -> ItemFeatures:
    """Whether items are even or odd; nothing of the last one, or of any."""
    parity = np.eye(2, dtype=np.float32)[np.arange(N_ITEMS) % 2] * told
    parity[NAMELESS] = 0
    return ItemFeatures(sparse.csr_array(parity), np.zeros((N_ITEMS, 0), np.float32), np.zeros(N_ITEMS, np.int64))


def history(*items: int) -> Histories:
    return Histories.one(np.array(items, np.int32), np.arange(len(items), dtype=np.int64))


@pytest.fixture(scope="module")
def fitted() -> Transformer:
    return Transformer(CONFIG).fit(log(), features())


@pytest.fixture(scope="module")
def blend() -> Blend:
    return Blend(BlendConfig(CONFIG, EASEConfig(5.0), RidgeConfig(5.0, (0.5,)))).fit(log(), features())


def test_an_item_without_events_is_placed_by_its_metadata(fitted: Transformer) -> None:
    even, odd = fitted.score(history(*EVEN))[0], fitted.score(history(*ODD))[0]
    assert even[COLD_EVEN] > even[COLD_ODD]
    assert odd[COLD_ODD] > odd[COLD_EVEN]


def test_an_item_of_which_nothing_is_known_stays_unknown(fitted: Transformer) -> None:
    assert fitted.unknown.tolist() == [NAMELESS]
    assert np.isneginf(fitted.score(history(0))[0, NAMELESS])


def test_a_cold_item_in_the_history_is_read(fitted: Transformer) -> None:
    assert not np.allclose(fitted.score(history(0, COLD_ODD)), fitted.score(history(0)), equal_nan=True)


@pytest.mark.parametrize("given", [None, features(told=False)])
def test_without_metadata_nothing_changes(given: ItemFeatures | None) -> None:
    plain = Transformer(CONFIG).fit(log())
    np.testing.assert_array_equal(Transformer(CONFIG).fit(log(), given).score(history(3)), plain.score(history(3)))


def test_an_item_without_events_is_placed_by_its_text_alone() -> None:
    nothing = features(told=False)
    texts = tuple("" if item == NAMELESS else ("even", "odd")[item % 2] + " story" for item in range(N_ITEMS))
    model = Transformer(CONFIG).fit(log(), replace(nothing, texts=texts))
    assert model.unknown.tolist() == [NAMELESS]
    even, odd = model.score(history(*EVEN))[0], model.score(history(*ODD))[0]
    assert even[COLD_EVEN] > even[COLD_ODD]
    assert odd[COLD_ODD] > odd[COLD_EVEN]


def test_the_tower_needs_no_features_after_training(fitted: Transformer, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    loaded = Transformer.load(tmp_path, CONFIG)
    np.testing.assert_array_equal(loaded.score(history(*ODD)), fitted.score(history(*ODD)))


def test_a_sampled_softmax_places_cold_items_too() -> None:
    config = TransformerConfig(**{**vars(CONFIG), "full_softmax_items": 10, "negatives": 12})
    scores = Transformer(config).fit(log(), features()).score(history(*EVEN))[0]
    assert scores[COLD_EVEN] > scores[COLD_ODD]


def test_in_a_blend_a_cold_item_is_neither_banned_nor_first(blend: Blend) -> None:
    for items, own, other in ((EVEN, COLD_EVEN, COLD_ODD), (ODD, COLD_ODD, COLD_EVEN)):
        scores = blend.score(history(*items))[0]
        unseen = np.setdiff1d(np.arange(20), items)
        assert scores[own] > scores[other]
        assert scores[unseen].min() < scores[own] < scores[unseen].max()


def test_cold_items_leave_the_scores_of_others_as_they_are(blend: Blend) -> None:
    warm = np.arange(20)
    says = len(EVEN) / (len(EVEN) + blend.shrink)
    for name, part in zip(blend.parts, blend._standardised(history(*EVEN)), strict=True):
        np.testing.assert_allclose(part[0, warm].mean(), 0, atol=1e-5)
        np.testing.assert_allclose(part[0, warm].std(), says if name in ("ease", "ridge") else 1, rtol=1e-4)


def test_a_blend_remembers_which_items_are_cold(blend: Blend, tmp_path: Path) -> None:
    blend.save(tmp_path)
    loaded = Blend.load(tmp_path, blend.config)
    assert np.flatnonzero(loaded.cold).tolist() == [COLD_EVEN, COLD_ODD]
    np.testing.assert_array_equal(loaded.score(history(*ODD)), blend.score(history(*ODD)))
