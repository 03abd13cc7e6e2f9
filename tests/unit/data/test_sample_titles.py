"""Generated titles."""

from __future__ import annotations

import numpy as np

from matinee.data.sample_titles import titles


def test_titles_are_different_and_the_same_by_seed() -> None:
    made = titles(20_000, np.random.default_rng(0))
    assert made == titles(20_000, np.random.default_rng(0))
    assert len(set(made)) == 20_000


def test_titles_need_no_quoting_in_csv() -> None:
    assert not any(mark in title for title in titles(2_000, np.random.default_rng(1)) for mark in ',"\n\\|')
