"""Texts become vectors as scikit-learn makes them, with NumPy alone once they are learned."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.errors import JobStopped
from matinee.models.base import FitOptions
from matinee.models.texts import TextEncoder, words

TEXTS = [f"{'fast red cars on roads' if n % 2 else 'old blue ships at sea'} number{n}" for n in range(30)]


def test_words_are_lower_case_without_html_and_accents() -> None:
    assert words("<b>Café</b> &amp; THÉ, 2 fois") == ["cafe", "the", "2", "fois"]


def test_languages_without_spaces_are_read_in_pairs() -> None:
    assert words("東京タワー tower") == ["tower", "東京", "京タ", "タワ", "ワー"]


@pytest.mark.parametrize("dimension", [4, 200])
def test_texts_that_share_words_are_near(dimension: int) -> None:
    vectors = TextEncoder.learned(TEXTS, dimension).encode(TEXTS)
    assert vectors[1] @ vectors[3] > vectors[1] @ vectors[2] + 0.4
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_the_vectors_are_those_of_scikit_learn() -> None:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    random = np.random.default_rng(2)
    texts = [" ".join(f"word{number}" for number in random.geometric(0.1, 20)) for _ in range(50)]
    matrix = TfidfVectorizer(analyzer=words, sublinear_tf=True, dtype=np.float32).fit_transform(texts)
    expected = normalize(TruncatedSVD(4, random_state=0).fit(matrix).transform(matrix))
    found = TextEncoder.learned(texts, 4).encode(texts)
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-4)  # the directions' signs are free


def test_a_new_text_is_near_what_it_resembles_and_an_unknown_one_is_nothing() -> None:
    encoder = TextEncoder.learned(TEXTS, 4)
    new, strange = encoder.encode(["red cars never seen", "zzz"])
    known = encoder.encode(TEXTS)
    assert (known[1::2] @ new).min() > (known[::2] @ new).max()
    assert not strange.any()


def test_it_survives_its_arrays() -> None:
    encoder = TextEncoder.learned(TEXTS, 4)
    np.testing.assert_array_equal(TextEncoder.from_arrays(encoder.arrays()).encode(TEXTS), encoder.encode(TEXTS))


def test_texts_without_a_word_give_no_direction() -> None:
    assert TextEncoder.learned(["", "…"], 4).encode(["cars"]).shape == (1, 0)


def test_a_request_to_stop_is_heard_between_batches_of_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matinee.models.texts._TEXTS_AT_ONCE", 10)
    encoder = TextEncoder.learned(TEXTS, 4)
    with pytest.raises(JobStopped):
        encoder.encode(TEXTS, FitOptions(should_stop=iter([False, False, True]).__next__))
    with pytest.raises(JobStopped):
        TextEncoder.learned(TEXTS, 4, FitOptions(should_stop=iter([False, False, True]).__next__))
