"""Training is deterministic, resumes where it was, stops when asked, and exports what it trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.conftest import need_program

from matinee.data.interactions import Histories, Interactions
from matinee.errors import JobStopped
from matinee.models.base import FitOptions, Progress
from matinee.models.transformer.config import TransformerConfig
from matinee.models.transformer.training import Trained, _Run, train
from matinee.models.validation import Validation, hold_out

CONFIG = TransformerConfig(dimension=16, layers=2, heads=2, length=6, epochs=4, batch_events=64, learning_rate=1e-2)
N_ITEMS = 20


def log(n_users: int = 60) -> Interactions:
    """Users who walk round the catalogue: the next item is certain."""
    random = np.random.default_rng(0)
    item = ((random.integers(0, N_ITEMS, n_users)[:, None] + np.arange(9)) % N_ITEMS).ravel().astype(np.int32)
    user = np.repeat(np.arange(n_users), 9).astype(np.int32)
    return Interactions.of(
        user, item, np.tile(np.arange(9), n_users).astype(np.int64), n_users=n_users, n_items=N_ITEMS
    )


def run(options: FitOptions | None = None, config: TransformerConfig = CONFIG) -> Trained:
    return train(log(), config, mask_seen=True, validation=None, options=options or FitOptions())


def losses(seen: list[Progress]) -> list[float]:
    return [progress.metrics["loss"] for progress in seen if "loss" in progress.metrics]


def test_the_loss_falls_and_progress_says_so() -> None:
    seen: list[Progress] = []
    run(FitOptions(on_progress=seen.append))
    assert losses(seen)[-1] < 0.8 * losses(seen)[0]
    assert [progress.metrics["epoch"] for progress in seen][-1] == 4
    assert seen[-1].fraction == pytest.approx(1.0)
    assert seen[-1].seconds_left == 0.0


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    first, again, other = run(), run(), run(FitOptions(seed=1))
    np.testing.assert_array_equal(first.items, again.items)
    assert first.encoder == again.encoder
    assert not np.array_equal(first.items, other.items)


def test_training_leaves_torch_as_it_was() -> None:
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    threads = torch.get_num_threads()
    run()
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads


class StopAfter:
    """Asks to stop once so many epochs have been reported."""

    def __init__(self, epochs: int) -> None:
        self.left = epochs

    def report(self, progress: Progress) -> None:
        self.left -= 1

    def asked(self) -> bool:
        return self.left <= 0


def test_a_stopped_training_resumes_to_the_same_weights(tmp_path: Path) -> None:
    stop = StopAfter(2)
    with pytest.raises(JobStopped):
        run(FitOptions(checkpoints=tmp_path, on_progress=stop.report, should_stop=stop.asked))
    seen: list[Progress] = []
    resumed = run(FitOptions(checkpoints=tmp_path, on_progress=seen.append))
    assert [progress.metrics["epoch"] for progress in seen] == [3, 4]
    whole = run()
    np.testing.assert_array_equal(resumed.items, whole.items)
    assert resumed.encoder == whole.encoder


@pytest.mark.parametrize("change", [{"dropout": 0.3}, {"epochs": 5}])
def test_a_checkpoint_of_another_training_is_not_used(tmp_path: Path, change: dict[str, float]) -> None:
    run(FitOptions(checkpoints=tmp_path))
    seen: list[Progress] = []
    run(FitOptions(checkpoints=tmp_path, on_progress=seen.append), replace(CONFIG, **change))  # type: ignore[arg-type]
    assert seen[0].metrics["epoch"] == 1


@pytest.mark.parametrize("change", [{"bfloat16": True}, {"compiled": True}, {"device": "cuda"}])
def test_a_checkpoint_in_other_arithmetic_is_not_used(change: dict[str, Any]) -> None:
    runs = [_Run(log(), CONFIG, True, None, FitOptions(), None) for _ in range(2)]
    runs[1].options = replace(runs[1].options, **change)
    assert runs[0]._fingerprint() != runs[1]._fingerprint()


def test_a_checkpoint_cut_short_is_not_used(tmp_path: Path) -> None:
    run(FitOptions(checkpoints=tmp_path))
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:100])
    np.testing.assert_array_equal(run(FitOptions(checkpoints=tmp_path)).items, run().items)


def test_validation_is_reported_after_each_epoch() -> None:
    data, validation = hold_out(log(), users=0.2, tails=0.2, limit=40, seed=0)
    seen: list[Progress] = []
    options = FitOptions(on_progress=seen.append)
    train(data, CONFIG, mask_seen=True, validation=validation, options=options)
    ndcg = [progress.metrics["ndcg_at_10"] for progress in seen]
    assert len(ndcg) == 4
    assert ndcg[-1] > ndcg[0]


def backwards(n_cases: int = 40) -> Validation:
    """People who walk round the catalogue the other way: the better the training is learned, the worse for them."""
    histories = [Histories.one(np.array([at + 3, at + 2, at + 1], np.int32), np.arange(3)) for at in range(n_cases)]
    truths = [Histories.one(np.array([at], np.int32), np.zeros(1, np.int64)) for at in range(n_cases)]
    both = Histories.joined(histories), Histories.joined(truths)
    return Validation(*(replace(one, items=one.items % N_ITEMS) for one in both))


def test_patience_ends_the_training_and_keeps_the_last_epoch_near_the_best() -> None:
    seen: list[Progress] = []
    config = replace(CONFIG, epochs=40, patience=2)
    stopped = train(log(), config, mask_seen=True, validation=backwards(), options=FitOptions(on_progress=seen.append))
    ndcg = [progress.metrics["ndcg_at_10"] for progress in seen]
    assert len(ndcg) < 40
    assert ndcg[-3] >= 0.95 * max(ndcg) > max(ndcg[-2:])
    whole = train(log(), replace(config, patience=None), mask_seen=True, validation=backwards(), options=FitOptions())
    assert not np.array_equal(stopped.items, whole.items)


def test_while_validation_stays_near_its_best_patience_changes_nothing() -> None:
    data, validation = hold_out(log(), users=0.2, tails=0.2, limit=40, seed=0)
    trained = [
        train(data, replace(CONFIG, patience=patience), mask_seen=True, validation=validation, options=FitOptions())
        for patience in (3, None)
    ]
    np.testing.assert_array_equal(trained[0].items, trained[1].items)


def test_it_is_impatient_unless_told_otherwise() -> None:
    assert TransformerConfig().patience is not None


def test_patience_without_a_better_epoch_survives_a_resume(tmp_path: Path) -> None:
    data, validation = hold_out(log(), users=0.2, tails=0.2, limit=40, seed=0)
    config = replace(CONFIG, patience=50)
    whole = train(data, config, mask_seen=True, validation=validation, options=FitOptions())
    stop = StopAfter(2)
    options = FitOptions(checkpoints=tmp_path, on_progress=stop.report, should_stop=stop.asked)
    with pytest.raises(JobStopped):
        train(data, config, mask_seen=True, validation=validation, options=options)
    resumed = train(data, config, mask_seen=True, validation=validation, options=FitOptions(checkpoints=tmp_path))
    np.testing.assert_array_equal(resumed.items, whole.items)


def test_a_sampled_softmax_learns_the_same_walk() -> None:
    seen: list[Progress] = []
    config = replace(CONFIG, full_softmax_items=10, negatives=8)
    run(FitOptions(on_progress=seen.append), config)
    assert losses(seen)[-1] < 0.8 * losses(seen)[0]


@pytest.mark.parametrize("config", [CONFIG, replace(CONFIG, gated=True, time_bias=True)])
def test_half_precision_learns_too(config: TransformerConfig) -> None:
    seen: list[Progress] = []
    run(FitOptions(on_progress=seen.append, bfloat16=True), config)
    assert losses(seen)[-1] < 0.8 * losses(seen)[0]


@pytest.mark.filterwarnings("ignore")  # those that the compiler gives while it looks at tensors are its own
def test_a_compiled_network_learns_what_another_does() -> None:
    need_program("g++", "apt-get install g++")
    # One shape of batch, as each more costs another compilation; no dropout, which draws otherwise when compiled.
    config = replace(CONFIG, layers=1, length=9, epochs=2, batch_events=9 * 60, dropout=0.0)
    compiled, plain = run(FitOptions(compiled=True), config), run(config=config)
    assert compiled.items.shape == plain.items.shape
    np.testing.assert_allclose(compiled.items, plain.items, atol=1e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that PyTorch can use")
@pytest.mark.parametrize("config", [CONFIG, replace(CONFIG, layers=4, gated=True, time_bias=True)])
def test_a_gpu_learns_and_resumes(config: TransformerConfig, tmp_path: Path) -> None:
    data, validation = hold_out(log(), users=0.2, tails=0.2, limit=40, seed=0)
    for bfloat16 in (False, True):
        seen: list[Progress] = []
        stop = StopAfter(2)
        first = FitOptions(
            device="cuda",
            bfloat16=bfloat16,
            checkpoints=tmp_path / str(bfloat16),
            on_progress=stop.report,
            should_stop=stop.asked,
        )
        with pytest.raises(JobStopped):
            train(data, config, mask_seen=True, validation=validation, options=first)
        again = replace(first, on_progress=seen.append, should_stop=lambda: False)
        trained = train(data, config, mask_seen=True, validation=validation, options=again)
        assert [progress.metrics["epoch"] for progress in seen] == [3, 4]
        assert np.isfinite(trained.items).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that PyTorch can use")
def test_a_gpu_learns_what_the_processor_does() -> None:
    config = replace(CONFIG, dropout=0.0, epochs=2)
    on_gpu: list[Progress] = []
    on_processor: list[Progress] = []
    run(FitOptions(device="cuda", on_progress=on_gpu.append), config)
    run(FitOptions(on_progress=on_processor.append), config)
    np.testing.assert_allclose(losses(on_gpu), losses(on_processor), rtol=1e-2)


def test_a_deep_gated_network_learns() -> None:
    seen: list[Progress] = []
    run(FitOptions(on_progress=seen.append), replace(CONFIG, layers=8, gated=True, learning_rate=3e-3))
    assert losses(seen)[-1] < 0.8 * losses(seen)[0]
