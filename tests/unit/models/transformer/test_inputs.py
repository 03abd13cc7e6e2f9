"""Event types, contexts and attributes are read where training had them, and may be missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from matinee.data.interactions import FloatArray, Histories, Interactions
from matinee.models.transformer.config import TransformerConfig
from matinee.models.transformer.inputs import InputWeights, training_inputs
from matinee.models.transformer.model import Transformer

CONFIG = TransformerConfig(
    dimension=8, layers=1, length=6, epochs=30, batch_events=128, learning_rate=2e-2, ahead=1, dropout=0.0
)
N_ITEMS = 10


def log(n_users: int = 80) -> Interactions:
    """Users of two kinds and occasions of two kinds; each event's item is among those of its user's and occasion's."""
    random = np.random.default_rng(0)
    user = np.repeat(np.arange(n_users), 6).astype(np.int32)
    occasion, kind = random.integers(0, 2, len(user)), user % 2
    item = (random.integers(0, 2, len(user)) + 4 * kind + 2 * occasion).astype(np.int32)
    return Interactions.of(
        user,
        item,
        np.arange(len(user), dtype=np.int64),
        n_users=n_users,
        n_items=N_ITEMS,
        event_type=(item % 2).astype(np.int16),
        context=sparse.csr_array(np.eye(2, dtype=np.float32)[occasion]),
        attributes=np.eye(2, dtype=np.float32)[np.arange(n_users) % 2],
    )


@pytest.fixture(scope="module")
def fitted() -> Transformer:
    return Transformer(replace(CONFIG, mask_seen=False)).fit(log())


def nothing() -> Histories:
    return Histories.one(np.zeros(0, np.int32), np.zeros(0, np.int64))


def row(place: int) -> FloatArray:
    return np.eye(2, dtype=np.float32)[[place]]


def best(model: Transformer, asked: Histories) -> set[int]:
    return set(np.argsort(-model.score(asked)[0])[:2].tolist())


def test_a_user_without_history_is_told_by_attributes_and_context(fitted: Transformer) -> None:
    for kind in (0, 1):
        for occasion in (0, 1):
            asked = replace(nothing(), attributes=row(kind), context=row(occasion))
            assert best(fitted, asked) == {4 * kind + 2 * occasion, 4 * kind + 2 * occasion + 1}


def test_what_is_not_told_is_read_as_unknown(fitted: Transformer) -> None:
    told = replace(nothing(), attributes=np.zeros((1, 2), np.float32), context=np.zeros((1, 2), np.float32))
    np.testing.assert_allclose(fitted.score(told), fitted.score(nothing()), rtol=1e-5)


def test_event_types_are_read_and_strange_ones_are_unknown(fitted: Transformer) -> None:
    asked = Histories.one(np.array([0, 1], np.int32), np.zeros(2, np.int64))
    typed = [replace(asked, event_types=np.array(types, np.int16)) for types in ([0, 1], [-1, 7])]
    assert not np.allclose(fitted.score(typed[0]), fitted.score(asked))
    np.testing.assert_allclose(fitted.score(typed[1]), fitted.score(asked), rtol=1e-5)


def test_inputs_survive_saving(fitted: Transformer, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    asked = replace(nothing(), attributes=row(1), context=row(0))
    np.testing.assert_array_equal(Transformer.load(tmp_path, fitted.config).score(asked), fitted.score(asked))


def test_a_log_without_them_has_no_embeddings_for_them() -> None:
    plain = replace(log(), event_type=None, context=None, attributes=None)
    assert Transformer(replace(CONFIG, epochs=1)).fit(plain).beside.arrays() == {}


def test_a_single_event_type_says_nothing() -> None:
    same = replace(log(), event_type=np.zeros(len(log()), np.int16))
    assert InputWeights.zeros(same, 8).types is None


def test_training_reads_the_context_of_the_event_asked_for_and_hides_a_share() -> None:
    data = log()
    rows = np.array([[0, 1], [6, 7]])
    weights, random = InputWeights.zeros(data, 8), np.random.default_rng(0)
    read = training_inputs(data, rows, rows % 6 == 0, weights, 0.0, random)
    assert read.types is not None
    assert read.context is not None
    assert read.attributes is not None
    assert data.event_type is not None
    assert data.context is not None
    assert read.types.tolist() == [[2, data.event_type[0]], [2, data.event_type[6]]]
    np.testing.assert_array_equal(read.context[1, 1], data.context[[7]].toarray()[0])
    np.testing.assert_array_equal(read.attributes, [[1, 0], [0, 1]])
    hidden = training_inputs(data, rows, rows % 6 == 0, weights, 1.0, random)
    assert hidden.context is not None
    assert not hidden.context.any()
