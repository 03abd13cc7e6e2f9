"""A sampled softmax keeps the targets, drops what was not drawn, and stands for the whole catalogue."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.models.transformer.sampling import Sampled, sampled
from matinee.models.transformer.windows import Batch

N_ITEMS = 1000


def batch() -> Batch:
    targets = np.array([[[3, 999], [999, -1]]])
    seen = (np.array([0 * N_ITEMS + 3, 1 * N_ITEMS + 3, 1 * N_ITEMS + 999]),)
    return Batch(np.zeros((1, 2), np.int64), np.zeros((1, 2), np.int64), targets, np.ones((1, 2, 2), np.float32), seen)


def draw(count: int, seed: int = 0) -> Sampled:
    return sampled(batch(), N_ITEMS, count, np.random.default_rng(seed))


def test_targets_keep_their_items() -> None:
    found = draw(50)
    assert found.items[found.targets[0, 0]].tolist() == [3, 999]
    assert found.targets[0, 1, 1] == -1


def test_seen_items_keep_their_places() -> None:
    found = draw(50)
    assert found.seen is not None
    at, place = np.divmod(found.seen[0], len(found.items))
    assert list(zip(at.tolist(), found.items[place].tolist(), strict=True)) == [(0, 3), (1, 3), (1, 999)]


def test_a_target_that_was_not_drawn_is_no_rival() -> None:
    found = draw(1)
    drawn = np.isfinite(found.offset)
    assert drawn.sum() == 1
    assert np.isneginf(found.offset[~drawn]).all()


def test_the_sample_stands_for_the_catalogue() -> None:
    found = draw(200)
    assert np.exp(found.offset).sum() == pytest.approx(N_ITEMS, rel=1e-5)
