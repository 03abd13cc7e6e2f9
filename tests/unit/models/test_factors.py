"""PureSVD beyond the contract of every model: vectors of users."""

from __future__ import annotations

import numpy as np
import pytest
from tests.contract.model_suite import batch, interactions

from matinee.models.factors import Factors, FactorsConfig, scaled


@pytest.fixture(scope="module")
def fitted() -> Factors:
    return Factors(FactorsConfig(dimension=4)).fit(interactions())


def test_users_have_vectors_of_length_one_and_strangers_none(fitted: Factors) -> None:
    vectors = fitted.user_vectors(batch((0, 2), (1,), ()))
    assert vectors.shape == (3, fitted.dimension)
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 1, 0], atol=1e-5)


def test_users_of_like_tastes_are_nearer(fitted: Factors) -> None:
    even, too, odd = fitted.user_vectors(batch((0, 2, 4), (6, 8, 10), (1, 3, 5)))
    assert even @ too > even @ odd


def test_scaled_vectors_have_entries_of_about_one(fitted: Factors) -> None:
    vectors = scaled(fitted.user_vectors(batch((0, 2), (1,))))
    assert np.allclose(np.square(vectors).mean(axis=1), 1, atol=1e-5)
