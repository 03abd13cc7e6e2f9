"""Team draft: fair, without repeats, and clicks tell the preferred team."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.experiments.interleaving import preferences, team_draft

RANKING = st.lists(st.integers(0, 12), max_size=10, unique=True)


@settings(max_examples=40)
@given(RANKING, RANKING, st.integers(0, 12), st.integers(0, 5))
def test_the_list_is_a_draft_of_both_rankings(first: list[int], second: list[int], length: int, seed: int) -> None:
    items, teams = team_draft(first, second, length, np.random.default_rng(seed))
    assert len(set(items)) == len(items) == len(teams) == min(length, len({*first, *second}))
    for team, ranking in enumerate((first, second)):
        assert all(item in ranking for item, of in zip(items, teams, strict=True) if of == team)


def test_equal_rankings_give_that_ranking_and_each_team_half_of_the_first_places() -> None:
    random = np.random.default_rng(0)
    drafts = [team_draft("abcdef", "abcdef", 6, random) for _ in range(400)]
    assert all("".join(items) == "abcdef" for items, _ in drafts)
    assert 150 < sum(teams[0] for _, teams in drafts) < 250


def test_more_clicks_win_a_list() -> None:
    assert preferences([[2, 1], [0, 3], [1, 1], [0, 0]]).tolist() == [-1.0, 1.0, 0.0, 0.0]
