"""Starting embeddings put items that share users near one another."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data.interactions import Interactions
from matinee.errors import JobStopped
from matinee.models.base import FitOptions
from matinee.models.transformer.start import ppmi_svd


def log(n_items: int = 20) -> Interactions:
    """Even users take even items, odd users odd ones; the last two items have no event."""
    random = np.random.default_rng(0)
    user = np.repeat(np.arange(40), 5)
    item = np.concatenate([2 * random.permutation((n_items - 2) // 2)[:5] + number % 2 for number in range(40)])
    return Interactions.of(
        user.astype(np.int32), item.astype(np.int32), np.arange(200, dtype=np.int64), n_users=40, n_items=n_items
    )


def test_items_of_the_same_users_are_near() -> None:
    found = ppmi_svd(log(), 2, 1.0, seed=0)[:18]
    unit = found / np.linalg.norm(found, axis=1, keepdims=True)
    alike = unit @ unit.T
    parity = np.arange(18) % 2
    same = parity[:, None] == parity[None, :]
    assert alike[same].mean() > alike[~same].mean() + 0.5


def test_the_scale_is_the_deviation_of_used_items() -> None:
    assert ppmi_svd(log(), 8, 0.1, seed=0)[:18].std() == pytest.approx(0.1, rel=0.05)


def test_the_same_seed_gives_the_same_embeddings() -> None:
    np.testing.assert_array_equal(ppmi_svd(log(), 8, 0.1, seed=3), ppmi_svd(log(), 8, 0.1, seed=3))


def test_a_dimension_above_the_catalogue_is_filled() -> None:
    found = ppmi_svd(log(), 64, 0.1, seed=0)
    assert found.shape == (20, 64)
    assert (found.std(axis=0) > 0).all()


def test_items_without_events_are_random_and_finite() -> None:
    found = ppmi_svd(log(), 8, 0.1, seed=0)
    assert np.isfinite(found).all()
    assert (np.abs(found[18:]).sum(axis=1) > 0).all()


def test_blocks_do_not_change_what_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ppmi_svd(log(), 8, 0.1, seed=0)
    monkeypatch.setattr("matinee.models.transformer.start._PAIRS_AT_ONCE", 60)
    np.testing.assert_array_equal(ppmi_svd(log(), 8, 0.1, seed=0), whole)


@pytest.mark.parametrize("calls", [0, 1, 2, 5])
def test_blocks_and_products_ask_whether_to_stop(calls: int) -> None:
    stop = FitOptions(should_stop=iter([False] * calls + [True]).__next__)
    with pytest.raises(JobStopped):
        ppmi_svd(log(), 4, 0.1, seed=0, should_stop=stop.raise_if_stopped)
