"""Kleene's logic: the unknown wins only where it can still change the outcome."""

from __future__ import annotations

import itertools

from matinee.cloud.truth import Truth, all_of, any_of, negation

_TRUTHS: tuple[Truth, ...] = (True, False, None)


def test_nothing_holds_as_a_whole_and_is_no_example() -> None:
    assert all_of([]) is True
    assert any_of([]) is False


def test_both_agree_with_every_way_in_which_the_unknown_may_turn_out() -> None:
    for pair in itertools.product(_TRUTHS, repeat=2):
        worlds = list(itertools.product(*([t] if t is not None else [True, False] for t in pair)))
        for combine, plain in ((all_of, all), (any_of, any)):
            outcomes = {plain(world) for world in worlds}
            assert combine(pair) is (outcomes.pop() if len(outcomes) == 1 else None)


def test_negation_leaves_the_unknown() -> None:
    assert [negation(truth) for truth in _TRUTHS] == [False, True, None]
