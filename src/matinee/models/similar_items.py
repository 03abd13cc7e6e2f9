"""Similar-Items: items that go together in histories and are described alike; cold items by their metadata alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from matinee.data.interactions import FloatArray, Interactions
from matinee.models.base import QUIET, FitOptions, ItemFeatures, Progress
from matinee.models.histories import Sparse, user_item_matrix
from matinee.models.item_knn import ItemKNN
from matinee.models.leading import leading_directions
from matinee.models.nearness import best_of_rows, together
from matinee.models.popularity import unique_users
from matinee.models.texts import TextEncoder, unit_rows

#: Values of a block of items with all items that are held at once, in each of a few arrays: 2²³ float32 values, 32 MB.
_AT_ONCE = 2**23
#: An item with fewer interactions is cold (spec 4.3).
COLD = 5
#: Places along a numeric column, in standard deviations, between which a value is shared out.
_PLACES = np.linspace(-2.5, 2.5, 11, dtype=np.float32)
_TEXT_DIMENSION = 64
_CALIBRATION_ITEMS = 512
#: The shares of a training's time after which metadata, and co-occurrence, have become vectors; for progress only.
_DESCRIBED, _LED = 0.2, 0.4


@dataclass(frozen=True)
class SimilarItemsConfig:
    """The hyperparameters of aws-similar-items, with its defaults, and some of our own.

    `item_id_hidden_dim` and `item_metadata_hidden_dim` are the dimensions of the items' vectors, from co-occurrence
    and from metadata. Co-occurrence is discounted by popularity to the power of `discount`, as for SIMS. What the
    vectors say weighs as much as co-occurrence when the rarer item of a pair has `prior_users` users; `id_share` of it
    is what the co-occurrence vectors say. The rest is as for `ItemKNNConfig`.
    """

    item_id_hidden_dim: int = 100
    item_metadata_hidden_dim: int = 100
    discount: float = 0.45
    prior_users: float = 10.0
    id_share: float = 0.5
    neighbours: int = 200
    history_items: int = 1
    stretch: int = 16
    near: float = 0.9


class SimilarItems(ItemKNN):
    """score(i, j) = (n c_ij + m p_ij) / (n + m): co-occurrence c, shrunk towards what the items' vectors say, p.

    n is the number of users of the rarer item, m is `prior_users`. c is SIMS' score. p adds up, each scaled to predict
    c, the squared cosine of the metadata vectors and the cosine of the co-occurrence vectors (a truncated SVD). For a
    cold item n and its co-occurrence vector are nothing, so that metadata alone decide.
    """

    name = "similar-items"
    Config = SimilarItemsConfig

    def _fit(self, data: Interactions, features: ItemFeatures | None, options: FitOptions) -> None:
        users = unique_users(data)
        self.fallback = users / (users.max() + 1) - 1
        own = options.portion(0, _DESCRIBED)
        described = metadata_vectors(features, data.n_items, self.config.item_metadata_hidden_dim, own)
        self._set_known(self.known | (np.abs(described).sum(axis=1) > 0))
        self.related = self._mixed(data, described, np.where(users >= COLD, users, 0).astype(np.float32), options)

    def _mixed(self, data: Interactions, described: FloatArray, users: FloatArray, options: FitOptions) -> Sparse:
        """The best `neighbours` of each item, in blocks of rows: (n_items, n_items). `users` are 0 for cold items."""
        config, n_items = self.config, data.n_items
        power = np.maximum(unique_users(data), 1) ** -np.float32(config.discount)
        power[users == 0] = 0
        pairs = sparse.csr_array(together(data, config.stretch, config.near) @ sparse.diags_array(power))
        by_item = sparse.csr_array(pairs.T)
        met = sparse.csr_array(user_item_matrix(data) @ sparse.diags_array(power))
        vectors = _leading(met, config, options.portion(_DESCRIBED, _LED))
        scales = self._scales(pairs, described, vectors, users)
        # Among items that are described the same, popular ones first.
        popular = np.float32(1e-4) * (self.fallback + 1)
        block, parts, rest = max(1, _AT_ONCE // n_items), [], options.portion(_LED, 1)
        for begin in range(0, n_items, block):
            options.raise_if_stopped()
            rows = slice(begin, begin + block)
            counted = (by_item[rows] @ pairs).toarray()
            prior = scales[0] * _positive(described[rows] @ described.T) ** 2
            prior += scales[1] * _positive(vectors[rows] @ vectors.T)
            evidence = np.minimum(users[rows, None], users[None, :])
            scores = (evidence * counted + config.prior_users * prior) / (evidence + config.prior_users)
            scores += np.where(scores > 0, scores * popular, 0)
            scores[np.arange(len(scores)), np.arange(begin, begin + len(scores))] = 0
            parts.append(best_of_rows(scores, config.neighbours))
            done = begin + len(scores)
            rest.on_progress(Progress(done / n_items, f"{self.name}: {done:,} of {n_items:,} items"))
        return sparse.csr_array(sparse.vstack(parts, format="csr"))

    def _scales(
        self, pairs: Sparse, described: FloatArray, vectors: FloatArray, users: FloatArray
    ) -> tuple[float, float]:
        """What turns cosines of metadata and of co-occurrence vectors into expected co-occurrence, by least squares.

        Pairs of items with at least as many users as `prior_users` say it. The shares make up `id_share`.
        """
        share = self.config.id_share
        some = np.flatnonzero(users >= max(COLD, self.config.prior_users))
        some = some[:: max(1, len(some) // _CALIBRATION_ITEMS)]
        columns = pairs[:, some]
        counted = (columns.T @ columns).toarray()
        np.fill_diagonal(counted, 0)
        scales = []
        for cosines, power, own in ((described[some], 2, 1 - share), (vectors[some], 1, share)):
            guess = _positive(cosines @ cosines.T) ** power
            np.fill_diagonal(guess, 0)
            square = float((guess * guess).sum())
            scale = float((guess * counted).sum()) / square if square > 0 else 0.0
            scales.append(own * (scale if scale > 0 else 1.0))
        return scales[0], scales[1]


def metadata_vectors(
    features: ItemFeatures | None, n_items: int, dimension: int, options: FitOptions = QUIET
) -> FloatArray:
    """Categories weighted by rarity, numbers between places, and texts: unit rows (n_items, at most `dimension`).

    Items that nothing is known of have rows of zeros. Raises `JobStopped`.
    """
    if features is None:
        return np.zeros((n_items, 1), np.float32)
    parts: list[Sparse] = []
    if features.categories.shape[1]:
        used = np.asarray((features.categories > 0).sum(axis=0), np.float32)
        rarity = np.log((1 + n_items) / (1 + used)) + 1
        parts.append(_unit(sparse.csr_array(features.categories @ sparse.diags_array(rarity))))
    for column in range(features.numbers.shape[1]):
        value = np.clip(features.numbers[:, column], _PLACES[0], _PLACES[-1])
        near = _positive(1 - np.abs(value[:, None] - _PLACES[None, :]) / (_PLACES[1] - _PLACES[0]))
        near[features.numbers[:, column] == 0] = 0  # standardised null
        parts.append(_unit(sparse.csr_array(near)))
    if any(features.texts):
        encoder = TextEncoder.learned(features.texts, _TEXT_DIMENSION, options.portion(0, 0.4))
        parts.append(sparse.csr_array(encoder.encode(features.texts, options.portion(0.4, 0.6))))
    if not parts:
        return np.zeros((n_items, 1), np.float32)
    whole = sparse.csr_array(sparse.hstack(parts, format="csr"))
    if min(whole.shape) > dimension:
        directions = leading_directions(whole, dimension, options.portion(0.6, 1))[1]
        return unit_rows(np.asarray(whole @ directions.T, np.float32))
    return unit_rows(whole.toarray())


def _leading(matrix: Sparse, config: SimilarItemsConfig, options: FitOptions) -> FloatArray:
    """Unit vectors of items (n_items, <= item_id_hidden_dim) from the leading singular vectors of `matrix`."""
    dimension = min(config.item_id_hidden_dim, min(matrix.shape) - 1)
    if dimension < 1 or config.id_share <= 0:
        return np.zeros((matrix.shape[1], 1), np.float32)
    values, directions = leading_directions(matrix, dimension, options)
    return unit_rows(np.asarray((values[:, None] * directions).T, np.float32))


def _positive(values: FloatArray) -> FloatArray:
    return np.maximum(values, np.float32(0))


def _unit(rows: Sparse) -> Sparse:
    length = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1), np.float32))
    return sparse.csr_array(sparse.diags_array(1 / np.maximum(length, np.float32(1e-12))) @ rows).astype(np.float32)
