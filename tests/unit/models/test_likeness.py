"""What a new item is like: by its metadata, by its users, block by block."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from matinee.data.interactions import Interactions
from matinee.errors import JobStopped
from matinee.models.base import QUIET, FitOptions, Progress
from matinee.models.likeness import new_item_neighbours

#: Four items that a model knows, two kinds of them, and six new ones of alternating kind.
KINDS = np.array([0, 0, 1, 1, 0, 1, 0, 1, 0, 1])
BASE = 4


def neighbours(options: FitOptions = QUIET, known: tuple[bool, ...] = (True,) * BASE) -> sparse.csr_array:
    """Of items that nobody but the first user, who has the first, has had."""
    one = np.zeros(1, np.int32)
    data = Interactions.of(one, one, one.astype(np.int64), n_users=1, n_items=len(KINDS))
    features = sparse.csr_array(np.eye(2, dtype=np.float32)[KINDS])
    return new_item_neighbours(features, data, np.array(known), options)


def test_new_items_are_like_those_of_their_kind() -> None:
    found = neighbours().toarray()
    np.testing.assert_allclose(found[0], [0.5, 0.5, 0, 0])
    np.testing.assert_allclose(found[1], [0, 0, 0.5, 0.5])


def test_unknown_items_are_nobodys_neighbours() -> None:
    np.testing.assert_allclose(neighbours(known=(False, True, False, False)).toarray()[:2], [[0, 1, 0, 0], [0] * 4])


def test_blocks_tell_how_far_they_are_and_ask_whether_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matinee.models.likeness._ROWS_AT_ONCE", 2)
    seen: list[Progress] = []
    neighbours(FitOptions(on_progress=seen.append))
    assert [round(progress.fraction, 2) for progress in seen] == [0.33, 0.67, 1.0]
    with pytest.raises(JobStopped):
        neighbours(FitOptions(should_stop=iter([False, True]).__next__))
