"""Sentence embeddings from a local folder relate texts that share no word; what is missing is named."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from tests.unit.models.sentence_model import sentence_model

from matinee.data.interactions import Interactions
from matinee.errors import JobFailed
from matinee.models import sentences
from matinee.models.artifact import read_model, write_model
from matinee.models.base import ItemFeatures
from matinee.models.semantic import Semantic, SemanticConfig
from matinee.models.sentences import SentenceEncoder

TEXTS = ("a car", "an automobile", "the ship", "a vessel", "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return sentence_model(tmp_path / "sentences")


def fitted(folder: Path) -> Semantic:
    none = np.zeros(0, np.int32)
    nobody = Interactions.of(none, none, np.zeros(0, np.int64), n_users=0, n_items=5)
    nothing = sparse.csr_array((5, 0)), np.zeros((5, 0), np.float32), np.zeros(5, np.int64)
    return Semantic(SemanticConfig(sentences=str(folder))).fit(nobody, ItemFeatures(*nothing, TEXTS))


def test_texts_are_unit_rows_and_an_empty_text_is_nothing(folder: Path) -> None:
    vectors = SentenceEncoder(folder).encode(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 1, 0], atol=1e-6)
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)
    assert abs(float(vectors[0] @ vectors[2])) < 1e-6


def test_items_that_mean_the_same_are_alike_without_a_common_word(folder: Path) -> None:
    scores = fitted(folder).score_related(np.array([0, 2], np.int32))
    assert scores.argmax(axis=1).tolist() == [1, 3]


def test_a_saved_model_reads_later_texts_with_the_same_sentence_model(folder: Path, tmp_path: Path) -> None:
    model = fitted(folder)
    write_model(model, tmp_path / "model")
    loaded = read_model(tmp_path / "model")
    assert isinstance(loaded, Semantic)
    np.testing.assert_array_equal(loaded.encoder.encode(["automobile"]), model.encoder.encode(["automobile"]))


def test_another_sentence_model_in_its_place_is_refused(folder: Path, tmp_path: Path) -> None:
    write_model(fitted(folder), tmp_path / "model")
    sentence_model(folder, swapped=True)
    sentences._loaded.cache_clear()
    loaded = read_model(tmp_path / "model")
    assert isinstance(loaded, Semantic)
    with pytest.raises(JobFailed, match="another sentence model"):
        loaded.encoder.encode(["automobile"])


def test_a_folder_without_a_model_is_refused_by_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(JobFailed, match=r"tokenizer\.json.*MATINEE_SENTENCE_MODEL"):
        SentenceEncoder(tmp_path).encode(["x"])


def test_without_the_extra_the_way_to_install_it_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastembed", None)
    sentences._loaded.cache_clear()
    with pytest.raises(JobFailed, match=r"pip install 'matinee\[sentences\]'"):
        SentenceEncoder(folder).encode(["x"])


def test_a_model_that_cannot_be_read_is_refused(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"nothing")
    with pytest.raises(JobFailed, match="cannot be read"):
        SentenceEncoder(folder).encode(["x"])
