"""Texts as vectors: TF-IDF and a truncated SVD, learned once and applied to any text with NumPy alone.

Source: S. Deerwester et al., "Indexing by Latent Semantic Analysis", 1990.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from matinee.data.interactions import FloatArray
from matinee.models.arrays import AnyArray
from matinee.models.base import QUIET, FitOptions, Progress
from matinee.models.histories import Sparse
from matinee.models.leading import leading_directions

#: Words that are told apart, the most frequent ones.
MOST_WORDS = 50_000
#: Rounds of multiplication of the SVD.
_ROUNDS = 5
#: Texts between two questions whether to stop.
_TEXTS_AT_ONCE = 1024
_TAG = re.compile(r"<[^>]*>")
#: A word of letters and digits; Chinese and Japanese, which put no spaces, are read in pairs of characters.
_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")


def words(text: str) -> list[str]:
    """The words of a text in lower case, without HTML and accents."""
    plain = unicodedata.normalize("NFKD", html.unescape(_TAG.sub(" ", text)).lower())
    plain = unicodedata.normalize("NFC", "".join(one for one in plain if not "\u0300" <= one <= "\u036f"))
    pairs = [run[at : at + 2] for run in _UNSPACED.findall(plain) for at in range(max(1, len(run) - 1))]
    return [*_WORD.findall(_UNSPACED.sub(" ", plain)), *pairs]


@dataclass(frozen=True)
class TextEncoder:
    """`vocabulary` are the words, `idf` (words,) their weights, `components` (dimension, words) the directions."""

    vocabulary: tuple[str, ...]
    idf: FloatArray
    components: FloatArray

    @classmethod
    def learned(cls, texts: Sequence[str], dimension: int, options: FitOptions = QUIET) -> Self:
        """An encoder of at most `dimension` numbers learned from `texts`; of none when they hold no word.

        By `options.seed`; raises `JobStopped`.
        """
        from sklearn.feature_extraction.text import TfidfVectorizer  # loads slowly, and only trainings need it

        if not any(words(text) for text in texts):
            return cls((), np.zeros(0, np.float32), np.zeros((0, 0), np.float32))
        learner = TfidfVectorizer(analyzer=words, sublinear_tf=True, max_features=MOST_WORDS, dtype=np.float32)
        matrix = learner.fit_transform(_read(texts, options.portion(0, 0.5)))
        vocabulary = tuple(str(word) for word in learner.get_feature_names_out())
        if min(matrix.shape) <= dimension:
            components = np.eye(len(vocabulary), dtype=np.float32)
            if len(vocabulary) > dimension:  # fewer texts than dimensions: the texts themselves span the space
                components = np.linalg.qr(matrix.T.toarray())[0].T
        else:
            components = leading_directions(matrix, dimension, options.portion(0.5, 1), _ROUNDS)[1]
        return cls(vocabulary, learner.idf_.astype(np.float32), np.ascontiguousarray(components, np.float32))

    def encode(self, texts: Sequence[str], options: FitOptions = QUIET) -> FloatArray:
        """Rows of length 1, or 0 for a text without a known word: (len(texts), dimension). Raises `JobStopped`."""
        place = {word: at for at, word in enumerate(self.vocabulary)}
        counted = [Counter(word for word in words(text) if word in place) for text in _read(texts, options)]
        indptr = np.concatenate([[0], np.cumsum([len(one) for one in counted])]).astype(np.int64)
        column = np.array([place[word] for one in counted for word in one], np.int64)
        count = np.array([number for one in counted for number in one.values()], np.float32)
        values = (1 + np.log(np.maximum(count, 1))) * self.idf[column]
        matrix: Sparse = sparse.csr_array((values, column, indptr), shape=(len(texts), len(self.vocabulary)))
        return unit_rows(np.asarray(matrix @ self.components.T, np.float32))

    def arrays(self) -> dict[str, AnyArray]:
        """What `from_arrays` takes."""
        blob = np.frombuffer("\n".join(self.vocabulary).encode(), np.uint8)
        return {"words": blob, "idf": self.idf, "components": self.components}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """The encoder that gave `arrays`; a missing array raises KeyError."""
        text = arrays["words"].tobytes().decode()
        return cls(tuple(text.split("\n")) if text else (), arrays["idf"], arrays["components"])


def _read(texts: Sequence[str], options: FitOptions) -> Iterator[str]:
    """The texts one by one, as long as nobody wants to stop."""
    for at, text in enumerate(texts):
        if at % _TEXTS_AT_ONCE == 0:
            options.raise_if_stopped()
            options.on_progress(Progress(at / len(texts), f"texts: {at:,} of {len(texts):,}"))
        yield text


def unit_rows(rows: FloatArray) -> FloatArray:
    """The rows with length 1; a row of zeros stays."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: FloatArray = (rows / np.maximum(length, 1e-12)).astype(np.float32)
    return unit
