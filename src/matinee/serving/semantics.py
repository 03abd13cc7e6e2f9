"""Semantic similarity at a call: items that came after the training too, and popularity and freshness mixed in."""

from __future__ import annotations

from collections.abc import Mapping
from weakref import WeakKeyDictionary

import numpy as np

from matinee.data.interactions import FloatArray, LongArray
from matinee.models.semantic import Semantic, joined_text
from matinee.serving.event_loop import leave_event_loop
from matinee.serving.item_table import ItemTable
from matinee.serving.ranking import with_popular_tail
from matinee.training.artifact import Artifact


class NewTexts:
    """Vectors of the items that only a record tells of, made with what the training learned; kept by item table."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[ItemTable, FloatArray] = WeakKeyDictionary()

    def vectors(self, model: Semantic, artifact: Artifact, items: ItemTable) -> FloatArray:
        """(items.unknown - items.n_model, dimension), of the columns that were trained on."""
        found = self._kept.get(items)
        if found is None:
            if items.unknown > items.n_model:
                leave_event_loop()
            columns = artifact.manifest.get("item_columns", ())
            records = (items.record(items.item_id(number)) for number in range(items.n_model, items.unknown))
            found = model.encoder.encode([joined_text([record.get(name) for name in columns]) for record in records])
            self._kept[items] = found
        return found


def semantic_scores(
    model: Semantic,
    artifact: Artifact,
    items: ItemTable,
    asked: str,
    influence: Mapping[str, float],
    later: FloatArray | None = None,
) -> FloatArray:
    """Scores (items.unknown,) of all numbered items as neighbours of the item with the ID `asked`.

    The cosine of the texts, to which `influence` (POPULARITY, FRESHNESS, each 0 to 1) adds that share of an item's
    popularity and freshness, both 0 to 1 as of the training. Popular items follow, and stand alone where nothing is
    known of the item asked about. `later` are the vectors of the items beyond the model's; without them those score
    -inf.
    """
    vectors = np.zeros((items.unknown - items.n_model, model.vectors.shape[1]), np.float32) if later is None else later
    number = items.number(asked)
    popularity = np.concatenate([artifact.popularity, np.zeros(len(vectors), np.int32)]).astype(np.int32)
    cosines = np.zeros(items.unknown, np.float32)
    own = _vector(model, vectors, items, number)
    if own is not None:
        cosines[: items.n_model] = model.similar(own[None, :])[0]
        cosines[items.n_model :] = vectors @ own
    mixed = cosines + _influence(artifact, len(vectors), influence)
    scores = np.where(cosines > 0, mixed, np.float32(0))
    scores[: items.n_model][~model.known] = -np.inf
    scores[items.n_model :][~vectors.any(axis=1)] = -np.inf
    if number < items.unknown:
        scores[number] = -np.inf
    return with_popular_tail(scores, popularity)


def _vector(model: Semantic, later: FloatArray, items: ItemTable, number: int) -> FloatArray | None:
    if number >= items.unknown:
        return None
    own: FloatArray = model.vectors[number] if number < items.n_model else later[number - items.n_model]
    return own


def _influence(artifact: Artifact, more: int, influence: Mapping[str, float]) -> FloatArray:
    """What popularity and freshness add: the logarithm of the users over that of the most, the place by age."""
    shares = {name: float(influence.get(name, 0.0)) for name in ("POPULARITY", "FRESHNESS")}
    users = np.log1p(np.concatenate([artifact.popularity, np.zeros(more)]))
    popular = users / max(1e-9, float(users.max(initial=0)))
    fresh = np.concatenate([_places(artifact.created), np.ones(more)])
    added: FloatArray = (shares["POPULARITY"] * popular + shares["FRESHNESS"] * fresh).astype(np.float32)
    return added


def _places(created: LongArray) -> FloatArray:
    """The place of each item among all by age, from 0 for the oldest to 1 for the newest."""
    ages = np.sort(created)
    places: FloatArray = (np.searchsorted(ages, created, side="left") / max(1, len(ages) - 1)).astype(np.float32)
    return places
