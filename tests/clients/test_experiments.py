"""Experiments from beginning to end: `matinee experiment` beside a running server that boto3 asks for films."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.clients.lab import Lab, await_that

#: The film that each version puts first.
BEST = ("i1", "i2")
USERS = 260


@pytest.fixture
def name(lab: Lab, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of an experiment, which does not run any more after the test."""
    chosen = f"e{abs(hash(request.node.nodeid)) % 10**8}"
    yield chosen
    if f"{chosen}  RUNNING" in lab.matinee("experiment", "list").output:
        lab.matinee("experiment", "stop", chosen)


def create(lab: Lab, name: str, *more: str) -> None:
    """Start an experiment of the campaign's version against the other one; windows close after four seconds."""
    versions = [word for version in lab.versions for word in ("--version", version)]
    window = ("--window", "4", "--users", str(USERS), "--conversion", "buy")
    lab.matinee("experiment", "create", name, "--campaign", lab.campaign, *versions, *window, *more)


def firsts(lab: Lab, users: list[str]) -> dict[str, tuple[str, str]]:
    """Each user's recommendationId and first film."""
    answers = {user: lab.recommend(user, results=2) for user in users}
    return {user: (answer, items[0]) for user, (answer, items) in answers.items()}


def users_of(name: str, count: int = USERS) -> list[str]:
    """Users of one experiment alone."""
    return [f"{name}-{number}" for number in range(count)]


def closed(lab: Lab, name: str) -> dict[str, Any]:
    """The experiment's status once every user's window has closed."""
    await_that(lambda: lab.said("experiment", "status", name)["results"]["waiting"] == 0)
    return dict(lab.said("experiment", "status", name))


def test_a_split_finds_the_version_that_gets_clicks_and_promotes_it(lab: Lab, name: str) -> None:
    create(lab, name)
    users = users_of(name)
    seen = {}
    for number, user in enumerate(users):
        answer, items = lab.recommend(user, results=2)
        seen[user] = items[0]
        if (number % 10 == 0) is (items[0] == BEST[0]):  # one in ten clicks on the old, nine on the new
            lab.put_event(user, items[0], "click", time.time(), recommendationId=answer)
            lab.put_event(user, items[0], "buy", time.time())
    assert 0.35 < sum(item == BEST[1] for item in seen.values()) / USERS < 0.65
    said = closed(lab, name)
    lab.restart()
    assert lab.said("experiment", "status", name)["results"] == said["results"]
    again = {user: item for user, (_, item) in firsts(lab, users[:40]).items()}
    assert again == {user: seen[user] for user in again}
    assert (said["status"], sum(said["results"]["users"])) == ("RUNNING", USERS)
    clicked = said["results"]["click_through"]
    assert clicked["arms"][1]["mean"] - clicked["arms"][0]["mean"] > 0.5
    assert clicked["differences"][0]["low"] > 0
    assert said["results"]["conversion"]["differences"][0]["low"] > 0
    told = lab.matinee("experiment", "status", name).output
    assert "winner: arm 1" in told
    assert f"{name}  RUNNING  split  {lab.campaign}" in lab.matinee("experiment", "list").output
    _promoted(lab, name, 1)
    assert {item for _, item in firsts(lab, users[:30]).values()} == {BEST[1]}
    lab.clients.control.update_campaign(campaignArn=lab.campaign, solutionVersionArn=lab.versions[0])
    await_that(lambda: {item for _, item in firsts(lab, users[:5]).values()} == {BEST[0]})


def _promoted(lab: Lab, name: str, arm: int) -> None:
    lab.matinee("experiment", "promote", name, "--arm", str(arm))

    def served() -> bool:
        campaign = lab.clients.control.describe_campaign(campaignArn=lab.campaign)["campaign"]
        return campaign["solutionVersionArn"] == lab.versions[arm]

    await_that(served)
    assert f"{name}  PROMOTED" in lab.matinee("experiment", "list").output


def test_interleaving_shows_both_versions_in_one_list_and_says_which_is_preferred(lab: Lab, name: str) -> None:
    create(lab, name, "--mode", "interleave")
    users = users_of(name, 150)
    tops = set()
    for number, user in enumerate(users):
        answer, items = lab.recommend(user, results=2)
        assert set(items) == set(BEST)
        tops.add(items[0])
        # Of two places each version has one, for the film that it puts first.
        lab.put_event(user, BEST[number % 10 != 0], "click", time.time(), recommendationId=answer)
    assert tops == set(BEST)
    preference = closed(lab, name)["results"]["preference"]
    assert preference["users"] == 150
    assert preference["mean"] == pytest.approx(0.8)
    assert preference["low"] > 0
    assert "preference for arm 1" in lab.matinee("experiment", "status", name).output


def test_a_stopped_experiment_gives_everyone_the_campaigns_version(lab: Lab, name: str) -> None:
    create(lab, name)
    users = users_of(name, 40)
    assert {item for _, item in firsts(lab, users).values()} == set(BEST)
    assert lab.matinee("experiment", "stop", name).output == f"{name} is STOPPED.\n"
    assert {item for _, item in firsts(lab, users).values()} == {BEST[0]}
    assert "is STOPPED, not RUNNING" in lab.matinee("experiment", "stop", name, expect=1).output


def test_a_running_experiment_keeps_its_versions_and_its_campaign_to_itself(lab: Lab, name: str) -> None:
    create(lab, name)
    versions = [word for version in lab.versions for word in ("--version", version)]
    second = lab.matinee("experiment", "create", f"{name}-b", "--campaign", lab.campaign, *versions, expect=1)
    assert f"has the experiment {name} running already" in second.output
    solution = lab.versions[0].rsplit("/", 1)[0]
    with pytest.raises(lab.clients.control.exceptions.ResourceInUseException):
        lab.clients.control.delete_solution(solutionArn=solution)


def test_shares_are_those_asked_for(lab: Lab, name: str) -> None:
    create(lab, name, "--share", "0.9", "--share", "0.1")
    rival = sum(item == BEST[1] for _, item in firsts(lab, users_of(name, 200)).values())
    assert 5 <= rival <= 40
