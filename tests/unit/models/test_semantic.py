"""Semantic-Similarity relates items by their texts and needs no interactions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from matinee.data.interactions import Histories, Interactions
from matinee.errors import JobFailed
from matinee.models.artifact import read_model, write_model
from matinee.models.base import ItemFeatures
from matinee.models.semantic import Semantic, joined_text

TEXTS = ("fast red cars", "red racing cars", "blue ships at sea", "ships and the sea", "")


def features(texts: tuple[str, ...] = TEXTS) -> ItemFeatures:
    return ItemFeatures(sparse.csr_array((5, 0)), np.zeros((5, 0), np.float32), np.zeros(5, np.int64), texts)


def nobody() -> Interactions:
    none = np.zeros(0, np.int32)
    return Interactions.of(none, none, np.zeros(0, np.int64), n_users=0, n_items=5)


def test_items_whose_texts_share_words_are_alike() -> None:
    scores = Semantic().fit(nobody(), features()).score_related(np.array([0, 2], np.int32))
    assert scores.argmax(axis=1).tolist() == [1, 3]


def test_an_item_without_text_and_events_is_unknown() -> None:
    model = Semantic().fit(nobody(), features())
    assert model.known.tolist() == [True, True, True, True, False]
    assert np.isneginf(model.score_related(np.array([0], np.int32))[0, 4])


def test_without_texts_and_events_there_is_nothing_to_learn() -> None:
    with pytest.raises(JobFailed, match="no interactions"):
        Semantic().fit(nobody(), features(("",) * 5))


def test_a_history_asks_with_its_newest_item() -> None:
    model = Semantic().fit(nobody(), features())
    history = Histories.one(np.array([2, 0], np.int32), np.array([1, 2]))
    assert model.score(history)[0, 1] > model.score(history)[0, 3]


def test_a_new_text_is_placed_without_training(tmp_path: Path) -> None:
    write_model(Semantic().fit(nobody(), features()), tmp_path)
    loaded = read_model(tmp_path)
    assert isinstance(loaded, Semantic)
    assert loaded.similar(loaded.encoder.encode(["a red car and other cars"])).argmax() in (0, 1)


def test_parts_that_are_missing_are_left_out_of_a_text() -> None:
    assert joined_text(["Title", None, "", "story"]) == "Title story"
