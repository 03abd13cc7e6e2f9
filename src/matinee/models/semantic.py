"""Semantic-Similarity: items whose names and texts say the same, whoever interacted with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from matinee.data.interactions import FloatArray, Histories, IntArray, Interactions
from matinee.errors import JobFailed
from matinee.models.arrays import AnyArray
from matinee.models.base import FitOptions, ItemFeatures, Progress, RelatedItemsModel
from matinee.models.histories import newest_first
from matinee.models.popularity import unique_users
from matinee.models.sentences import SentenceEncoder
from matinee.models.texts import TextEncoder

#: The share of a training's time after which the words are learned; for progress only.
_LEARNED = 0.6


@dataclass(frozen=True)
class SemanticConfig:
    """`dimension` is the number of directions that the SVD of TF-IDF keeps.

    `sentences` is the folder of a sentence-embedding model (`sentences`) that takes the place of both.
    """

    dimension: int = 128
    sentences: str | None = None


class Semantic(RelatedItemsModel):
    """score(i, j) is the cosine of the vectors of the texts of i and j; popular items where there is no text.

    What it learned of words is kept, so that the text of an item that came later becomes a vector without a training.
    """

    name = "semantic"
    Config = SemanticConfig

    def __init__(self, config: SemanticConfig | Mapping[str, object] | None = None) -> None:
        super().__init__(config)
        self.encoder: TextEncoder | SentenceEncoder = TextEncoder(
            (), np.zeros(0, np.float32), np.zeros((0, 0), np.float32)
        )
        self.vectors: FloatArray = np.zeros((0, 0), np.float32)
        self.fallback: FloatArray = np.zeros(0, np.float32)

    def fit(self, data: Interactions, features: ItemFeatures | None = None, options: FitOptions | None = None) -> Self:
        """Learn from the texts of `features`; unlike other models it needs no interactions where there are texts."""
        options = options or FitOptions()
        if len(data) or features is None or not any(features.texts):
            return super().fit(data, features, options)
        options.raise_if_stopped()
        self._set_known(np.zeros(data.n_items, np.bool_))
        self._fit(data, features, options)
        options.on_progress(Progress(1.0, f"{self.name}: trained on {data.n_items:,} items", 0.0))
        return self

    def _fit(self, data: Interactions, features: ItemFeatures | None, options: FitOptions) -> None:
        users = unique_users(data)
        self.fallback = users / (users.max(initial=0) + 1) - 1
        texts = features.texts if features is not None and features.texts else ("",) * data.n_items
        if len(texts) != data.n_items:
            raise JobFailed(f"There are {len(texts)} texts for {data.n_items} items.")
        if self.config.sentences is None:
            self.encoder = TextEncoder.learned(texts, self.config.dimension, options.portion(0, _LEARNED))
        else:
            self.encoder = SentenceEncoder(Path(self.config.sentences))
        options.raise_if_stopped()
        self.vectors = self.encoder.encode(texts, options.portion(_LEARNED, 1))
        self._set_known(self.known | (np.abs(self.vectors).sum(axis=1) > 0))

    def similar(self, vectors: FloatArray) -> FloatArray:
        """Cosines of `vectors` (k, dimension), as `encoder.encode` gives them, with all items: (k, n_items)."""
        cosines: FloatArray = vectors @ self.vectors.T
        return cosines

    def _score(self, histories: Histories) -> FloatArray:
        row, items, _ = newest_first(histories, self.n_items, 1)
        asked = np.full(len(histories), -1, np.int32)
        asked[row] = items
        return self._score_related(asked)

    def _score_related(self, items: IntArray) -> FloatArray:
        scores: FloatArray = np.repeat(self.fallback[None, :], len(items), axis=0)
        rows = np.flatnonzero(items >= 0)
        cosines = self.similar(self.vectors[items[rows]])
        scores[rows] = np.where(cosines > 0, cosines, scores[rows])
        return scores

    def _arrays(self) -> Mapping[str, AnyArray]:
        return {**self.encoder.arrays(), "vectors": self.vectors, "fallback": self.fallback}

    def _restore(self, arrays: Mapping[str, AnyArray]) -> None:
        folder = self.config.sentences
        if folder is None:
            self.encoder = TextEncoder.from_arrays(arrays)
        else:
            self.encoder = SentenceEncoder.from_arrays(Path(folder), arrays)
        self.vectors, self.fallback = arrays["vectors"], arrays["fallback"]


def joined_text(parts: Sequence[str | None]) -> str:
    """The name and the text of an item as one text."""
    return " ".join(part for part in parts if part)
