"""What is known of items becomes rows of a matrix, and the part of embeddings that can be said with it."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from matinee.data.interactions import FloatArray
from matinee.models.base import ItemFeatures
from matinee.models.transformer.described import described, explained


def features(categories: list[list[float]], numbers: list[list[float]]) -> ItemFeatures:
    table: FloatArray = np.array(numbers, np.float32)
    return ItemFeatures(sparse.csr_array(np.array(categories, np.float32)), table, np.zeros(len(table), np.int64))


def test_rows_have_length_one_and_items_without_metadata_none() -> None:
    found = described(features([[1, 0], [1, 1], [0, 0]], [[-1], [1], [0]]), np.array([True, True, False])).toarray()
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), [1, 1, 0], rtol=1e-6)


def test_a_category_that_no_trained_item_has_is_not_read() -> None:
    some = described(features([[1, 0], [0, 1]], [[], []]), np.array([True, False]))
    assert some.shape == (2, 2)
    np.testing.assert_allclose(some.toarray(), [[0.5**0.5, 0.5**0.5], [1, 0]], rtol=1e-6)


def test_a_number_is_read_between_the_quantiles_of_trained_items() -> None:
    found = described(features([[]] * 4, [[1], [2], [3], [99]]), np.array([True, True, True, False])).toarray()
    np.testing.assert_array_equal(found[3], found[2])
    assert not np.array_equal(found[0], found[1])


def with_texts(told: FloatArray, *texts: str) -> ItemFeatures:
    return ItemFeatures(
        sparse.csr_array(told), np.zeros((len(told), 0), np.float32), np.zeros(len(told), np.int64), texts
    )


TEXTS = "a silent comedy", "silent drama", "space drama", "a comedy in space", ""
TRAINED = np.array([True, True, True, False, False])


def test_texts_are_read_where_there_is_nothing_else() -> None:
    found = described(with_texts(np.zeros((5, 1), np.float32), *TEXTS), TRAINED, "auto").toarray()
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), [1, 1, 1, 1, 0], rtol=1e-6)
    alike = found @ found.T
    assert alike[0, 3] > alike[1, 3]


def test_texts_beside_other_metadata_are_read_only_when_asked_for() -> None:
    told: FloatArray = np.ones((5, 1), np.float32)
    given = with_texts(told, *TEXTS)
    plain = described(with_texts(told), TRAINED).toarray()
    np.testing.assert_array_equal(described(given, TRAINED, 0).toarray(), plain)
    np.testing.assert_array_equal(described(given, TRAINED, "auto").toarray(), plain)
    assert described(given, TRAINED, 2).shape == (5, plain.shape[1] + 2)


def test_words_that_no_trained_item_has_say_nothing() -> None:
    given = with_texts(np.zeros((2, 1), np.float32), "known words", "others")
    assert np.diff(described(given, np.array([True, False]), "auto").indptr).tolist()[1] == 0


def test_what_features_say_of_embeddings_is_found() -> None:
    rows: FloatArray = np.tile(np.eye(2, dtype=np.float32), (200, 1))
    weights = explained(rows @ np.array([[1.0], [-1.0]], np.float32), sparse.csr_array(rows), np.ones(400, np.bool_))
    np.testing.assert_allclose(weights, [[1], [-1]], atol=0.1)
