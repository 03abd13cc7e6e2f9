"""The transformer's ONNX encoder answers as the torch network does, and its configuration is honoured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from matinee.data.interactions import Histories, Interactions
from matinee.errors import ArtifactProblem
from matinee.models.transformer.config import TransformerConfig
from matinee.models.transformer.elapsed import BUCKETS, UNKNOWN, bucket
from matinee.models.transformer.export import onnx_encoder
from matinee.models.transformer.model import Transformer, masks_seen, repeat_share
from matinee.models.transformer.network import Network
from matinee.models.transformer.padding import padded

CONFIG = TransformerConfig(dimension=16, layers=2, heads=2, length=7, epochs=1)


def log(repeat: bool = False) -> Interactions:
    item = np.zeros(40, np.int32) if repeat else np.tile(np.arange(10), 4).astype(np.int32)
    user = np.repeat(np.arange(4), 10).astype(np.int32)
    return Interactions.of(user, item, np.arange(40, dtype=np.int64), n_users=4, n_items=10)


def history(length: int) -> Histories:
    return Histories.one((np.arange(length) % 10).astype(np.int32), np.arange(length, dtype=np.int64))


@pytest.mark.parametrize("lengths", [(1,), (7,), (3, 7, 1), (2, 2)])
def test_onnx_agrees_with_torch(lengths: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    network = Network(CONFIG, np.random.default_rng(0).standard_normal((11, 16)).astype(np.float32))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    session = onnxruntime.InferenceSession(onnx_encoder(network.encoder, CONFIG), providers=["CPUExecutionProvider"])
    inputs = np.random.default_rng(1).integers(0, 10, (len(lengths), max(lengths)))
    elapsed = np.random.default_rng(2).integers(0, BUCKETS + 1, inputs.shape)
    embedded = network.items.detach().numpy()[inputs] + network.elapsed.detach().numpy()[elapsed]
    (found,) = session.run(None, {"history": embedded, "length": np.array(lengths)})
    network.eval()
    for row, length in enumerate(lengths):
        with torch.no_grad():
            given = (torch.from_numpy(array[row : row + 1, :length]) for array in (inputs, elapsed))
            expected = network(*given)[0, -1]
        np.testing.assert_allclose(found[row], expected.numpy(), atol=1e-4)


def test_a_history_is_read_after_start_or_cut_to_the_newest_items() -> None:
    read = padded(history(3), start=10, length=7)
    assert (read.items.tolist(), read.lengths.tolist()) == ([[10, 0, 1, 2]], [4])
    read = padded(history(9), start=10, length=7)
    assert (read.items.tolist(), read.lengths.tolist()) == ([[2, 3, 4, 5, 6, 7, 8]], [7])


def test_the_time_to_the_next_event_and_to_the_question_is_read() -> None:
    known = Histories(np.array([0, 2, 3]), np.zeros(3, np.int32), np.array([0, 7, 5]), np.array([1030, -1]))
    read = padded(known, start=10, length=7)
    assert read.elapsed.tolist() == [[UNKNOWN, 3, 10], [UNKNOWN, UNKNOWN, UNKNOWN]]


def test_buckets_double_and_end() -> None:
    assert bucket(np.array([-5, 0, 1, 2, 3, 6, 7, 2**40])).tolist() == [0, 0, 1, 1, 2, 2, 3, BUCKETS - 1]


def test_a_time_that_training_hardly_saw_reads_as_unknown() -> None:
    model = Transformer(CONFIG).fit(log())
    asked = Histories(np.array([0, 3]), np.arange(3, dtype=np.int32), np.arange(3), np.array([10**9]))
    np.testing.assert_array_equal(model.score(asked), model.score(history(3)))


def test_a_time_ago_that_training_hardly_saw_reads_as_unknown() -> None:
    model = Transformer(replace(CONFIG, time_bias=True)).fit(log())
    asked = Histories(np.array([0, 3]), np.arange(3, dtype=np.int32), np.arange(3), np.array([10**9]))
    np.testing.assert_array_equal(model.score(asked), model.score(replace(asked, now=None)))


def test_an_empty_history_is_read_as_start_alone() -> None:
    read = padded(history(0), start=10, length=7)
    assert (read.items.tolist(), read.lengths.tolist()) == ([[10]], [1])


def test_repeats_decide_whether_seen_items_are_masked() -> None:
    assert repeat_share(log()) == 0
    assert repeat_share(log(repeat=True)) == 0.9
    assert masks_seen(TransformerConfig(), log())
    assert not masks_seen(TransformerConfig(), log(repeat=True))
    assert masks_seen(TransformerConfig(mask_seen=True), log(repeat=True))


def test_fewer_events_get_more_epochs() -> None:
    config = TransformerConfig()
    assert config.epochs_for(1_000_000) == 8
    assert config.epochs_for(1_000) > config.epochs_for(50_000) > 8
    assert TransformerConfig(epochs=3).epochs_for(10) == 3


def test_a_dimension_that_heads_do_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of heads 3"):
        TransformerConfig(dimension=64, heads=3)


def test_a_damaged_encoder_is_named(tmp_path: Path) -> None:
    Transformer(CONFIG).fit(log()).save(tmp_path)
    (tmp_path / "encoder.onnx").write_bytes(b"not onnx")
    with pytest.raises(ArtifactProblem, match=r"encoder\.onnx cannot be read"):
        Transformer.load(tmp_path, CONFIG)
    (tmp_path / "encoder.onnx").unlink()
    with pytest.raises(ArtifactProblem, match=r"encoder\.onnx is missing"):
        Transformer.load(tmp_path, CONFIG)
