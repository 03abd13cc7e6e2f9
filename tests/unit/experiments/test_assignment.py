"""Arms are stable, follow the shares, and are independent between experiments."""

from __future__ import annotations

import pytest

from matinee.experiments.assignment import assigned, position

USERS = [f"user{number}" for number in range(5000)]


def test_a_users_place_never_changes() -> None:
    # Written down: a change of the hash would move users of running experiments.
    assert position("salt", "user") == pytest.approx(0.4770873229153437, abs=1e-12)


def test_arms_get_their_shares() -> None:
    arms = [assigned("salt", user, (0.2, 0.3, 0.5)) for user in USERS]
    assert [arms.count(arm) / len(arms) for arm in range(3)] == pytest.approx([0.2, 0.3, 0.5], abs=0.025)


def test_another_salt_deals_the_users_anew() -> None:
    both = sum(assigned("one", user, (0.5, 0.5)) == assigned("two", user, (0.5, 0.5)) for user in USERS)
    assert 0.47 < both / len(USERS) < 0.53


def test_salt_and_user_do_not_run_together() -> None:
    assert position("ab", "c") != position("a", "bc")
