"""What is known of items, as the rows of the matrix whose product with learned weights is part of their embedding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from matinee.data.interactions import FloatArray
from matinee.models.base import QUIET, FitOptions, ItemFeatures
from matinee.models.histories import Sparse
from matinee.models.texts import TextEncoder

#: The categorical values that are read, the most frequent ones.
_MOST_CATEGORIES = 512
#: A number is read as its place between so many quantiles.
_KNOTS = 10
#: The numbers that a text is read as, where there is nothing but texts.
_TEXT_COMPONENTS = 16
#: The weight of the penalty when embeddings are explained by what is known of the items.
_PENALTY = 20.0


def described(
    features: ItemFeatures,
    trained: NDArray[np.bool_],
    text_components: int | Literal["auto"] = 0,
    options: FitOptions = QUIET,
) -> Sparse:
    """The matrix (n_items, k): a constant, categorical values, numbers between their quantiles, components of texts.

    Rows have length 1, or 0 where nothing at all is known of an item. Which values are frequent, where quantiles lie
    and which words go together is told by the `trained` items (n_items,) alone. `text_components` as in the config.
    """
    n_items = len(trained)
    counts = np.asarray(features.categories[trained].sum(axis=0)).ravel()
    kept = np.sort(np.argsort(-counts, kind="stable")[:_MOST_CATEGORIES])
    kept = kept[counts[kept] > 0]
    parts = [sparse.csr_array(features.categories[:, kept])]
    parts += [sparse.csr_array(_between_quantiles(column, trained)) for column in features.numbers.T]
    known = np.asarray(abs(features.categories).sum(axis=1)).ravel() > 0
    known |= (features.numbers != 0).any(axis=1)
    if text_components == "auto":
        text_components = 0 if known.any() else _TEXT_COMPONENTS
    if text_components and any(features.texts):
        read = _read(features.texts, trained, text_components, options)
        known |= read.any(axis=1)
        parts.append(sparse.csr_array(read))
    constant = sparse.csr_array(known.astype(np.float32).reshape(n_items, 1))
    found: Sparse = sparse.csr_array(sparse.hstack([constant, *parts], format="csr").multiply(known[:, None]))
    found.eliminate_zeros()
    length = np.sqrt(np.asarray(found.multiply(found).sum(axis=1)))
    found.data = (found.data / np.repeat(length, np.diff(found.indptr))).astype(np.float32)
    return found


def _read(texts: Sequence[str], trained: NDArray[np.bool_], components: int, options: FitOptions) -> FloatArray:
    """What texts say, as TF-IDF and SVD: (n_items, components or fewer), rows of length 1 or, without a word, 0."""
    quiet = FitOptions(seed=options.seed, should_stop=options.should_stop)
    encoder = TextEncoder.learned([text for text, seen in zip(texts, trained, strict=True) if seen], components, quiet)
    return encoder.encode(texts, quiet)


def _between_quantiles(column: FloatArray, trained: NDArray[np.bool_]) -> FloatArray:
    """Weights (n_items, knots) of the two quantiles that each number lies between; they sum to 1."""
    knots = np.unique(np.quantile(column[trained], np.linspace(0, 1, _KNOTS)))
    hats = np.stack([np.interp(column, knots, peak) for peak in np.eye(len(knots))], axis=1)
    return hats.astype(np.float32)


def explained(items: FloatArray, features: Sparse, trained: NDArray[np.bool_]) -> FloatArray:
    """The weights (k, d) by which `features` (n_items, k) say most of the `trained` rows of `items` (n_items, d)."""
    rows = sparse.csr_array(features[trained])
    gram = (rows.T @ rows).toarray().astype(np.float64) + _PENALTY * np.eye(features.shape[1])
    weights: FloatArray = np.linalg.solve(gram, rows.T @ items[trained]).astype(np.float32)
    return weights
