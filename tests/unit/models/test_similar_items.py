"""Similar-Items mixes co-occurrence with metadata; cold items are answered by metadata alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from matinee.data.interactions import Interactions
from matinee.models.base import ItemFeatures
from matinee.models.similar_items import SimilarItems, SimilarItemsConfig, metadata_vectors

#: Items 0 to 9 are of kind 0, 10 to 19 of kind 1; the last of each kind has no event.
N_ITEMS = 20
KIND = np.repeat([0, 1], N_ITEMS // 2)
COLD = (9, 19)


def log(n_users: int = 60) -> Interactions:
    """Users have six items of mixed kinds: co-occurrence follows the item's parity, not its kind."""
    random = np.random.default_rng(4)
    warm = np.setdiff1d(np.arange(N_ITEMS), COLD)
    item = np.concatenate([random.permutation(warm[warm % 2 == user % 2])[:6] for user in range(n_users)])
    user = np.repeat(np.arange(n_users), 6).astype(np.int32)
    time = np.arange(len(user), dtype=np.int64)
    return Interactions.of(user, item.astype(np.int32), time, n_users=n_users, n_items=N_ITEMS)


def features(**changes: object) -> ItemFeatures:
    kinds = sparse.csr_array(np.eye(2, dtype=np.float32)[KIND])
    nothing = np.zeros((N_ITEMS, 0), np.float32)
    given = {"categories": kinds, "numbers": nothing, "created": np.zeros(N_ITEMS, np.int64), **changes}
    return ItemFeatures(**given)  # type: ignore[arg-type]


def nearest(model: SimilarItems, item: int, count: int) -> list[int]:
    scores = model.score_related(np.array([item], np.int32))[0]
    return [int(one) for one in np.argsort(-scores, kind="stable")[:count]]


def test_a_cold_item_is_like_those_of_the_same_metadata() -> None:
    model = SimilarItems().fit(log(), features())
    assert all(KIND[one] == 0 for one in nearest(model, COLD[0], 8))
    assert all(KIND[one] == 1 for one in nearest(model, COLD[1], 8))


def test_a_cold_item_is_found_by_what_is_described_alike() -> None:
    model = SimilarItems().fit(log(), features())
    scores = model.score_related(np.array([0], np.int32))[0]
    assert scores[COLD[0]] > 0
    assert scores[COLD[0]] > scores[COLD[1]]


def test_items_with_many_users_follow_their_users() -> None:
    model = SimilarItems(SimilarItemsConfig(prior_users=1.0)).fit(log(), features())
    assert all(one % 2 == 0 for one in nearest(model, 0, 6))


def test_a_strong_prior_follows_metadata() -> None:
    model = SimilarItems(SimilarItemsConfig(prior_users=1e6, id_share=0.0)).fit(log(), features())
    assert all(KIND[one] == 0 for one in nearest(model, 0, 8))


def test_without_metadata_cold_items_stay_unknown() -> None:
    model = SimilarItems().fit(log())
    assert not model.known[list(COLD)].any()
    assert all(one % 2 == 0 for one in nearest(model, 0, 6))


def test_the_parameters_of_the_recipe_set_the_dimensions() -> None:
    many = features(categories=sparse.csr_array(np.eye(N_ITEMS, dtype=np.float32)))
    assert metadata_vectors(many, N_ITEMS, 5).shape == (N_ITEMS, 5)
    small = SimilarItems(SimilarItemsConfig(item_id_hidden_dim=2)).fit(log(), features())
    large = SimilarItems(SimilarItemsConfig(item_id_hidden_dim=12)).fit(log(), features())
    assert not np.array_equal(small.related.toarray(), large.related.toarray())


def test_near_numbers_are_alike_and_a_missing_one_says_nothing() -> None:
    numbers = np.zeros((N_ITEMS, 1), np.float32)
    numbers[:4, 0] = [1.0, 1.1, -1.5, 0.0]
    vectors = metadata_vectors(features(categories=sparse.csr_array((N_ITEMS, 0)), numbers=numbers), N_ITEMS, 30)
    assert vectors[0] @ vectors[1] > 0.7 > vectors[0] @ vectors[2]
    assert not vectors[3].any()


def test_texts_count_as_metadata() -> None:
    words = ("cars engines racing", "ships oceans storms")
    told = features(categories=sparse.csr_array((N_ITEMS, 0)), texts=tuple(words[kind] for kind in KIND))
    vectors = metadata_vectors(told, N_ITEMS, 30)
    assert vectors[0] @ vectors[1] == pytest.approx(1.0, abs=1e-5)
    assert abs(vectors[0] @ vectors[12]) < 0.1


def test_blocks_do_not_change_the_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = SimilarItems().fit(log(), features()).related.toarray()
    monkeypatch.setattr("matinee.models.similar_items._AT_ONCE", 50)
    np.testing.assert_allclose(SimilarItems().fit(log(), features()).related.toarray(), whole, rtol=1e-5)
