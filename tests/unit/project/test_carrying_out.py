"""The order in which actions happen, and what a failure, a race or a quota does. The service is one in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from tests.unit.project import stage
from tests.unit.project.stage import CAMPAIGN, FILTER, GROUP, SOLUTION, VERSION

from matinee.project.carrying_out import Outcome, carry_out
from matinee.project.desired import Address, Reference
from matinee.project.kinds import BY_WORD, Kind
from matinee.project.plan import Action, Plan, Verb, in_order
from matinee.project.service import Answer, Service


@dataclass
class InMemory:
    """Resources that become ACTIVE at the second look, and are gone at the second look after a deletion."""

    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    fails: dict[str, str] = field(default_factory=dict)
    refuses: dict[str, list[str]] = field(default_factory=dict)
    poll_seconds: float = 0.0001

    def create(self, kind: Kind, request: Mapping[str, Any]) -> str:
        """Or the next refusal for this name."""
        name = str(request.get("name", request.get("solutionArn")))
        if self.refuses.get(name):
            raise ClientError({"Error": {"Code": self.refuses[name].pop(0), "Message": "no"}}, "Create")
        self.calls.append(f"create {kind.word} {name}")
        arn = f"arn/{kind.word}/{name}"
        self.resources[arn] = {"name": name, "status": "CREATE PENDING"}
        return arn

    def update(self, kind: Kind, arn: str, request: Mapping[str, Any]) -> None:
        """Shows in the update member."""
        self.calls.append(f"update {arn} {dict(request)}")
        self.resources[arn][str(kind.update)] = {"status": "CREATE PENDING"}

    def delete(self, kind: Kind, arn: str) -> None:
        """Begins a deletion."""
        self.calls.append(f"delete {arn}")
        self.resources[arn]["status"] = "DELETE PENDING"

    def listing(self, kind: Kind, **given: str) -> list[Mapping[str, Any]]:
        """All of a kind."""
        return [
            {"name": one["name"], kind.arn: arn}
            for arn, one in self.resources.items()
            if arn.startswith(f"arn/{kind.word}/")
        ]

    def describe(self, kind: Kind, arn: str) -> Answer | None:
        """As it is; each look moves it on."""
        if arn not in self.resources:
            return None
        seen = dict(self.resources[arn])
        self._move(kind, arn)
        return Answer(seen, 0.5, "half way")

    def _move(self, kind: Kind, arn: str) -> None:
        one = self.resources[arn]
        if one["status"] == "DELETE PENDING":
            del self.resources[arn]
        elif one["status"] == "CREATE PENDING":
            reason = self.fails.get(one["name"])
            one.update({"status": "CREATE FAILED", "failureReason": reason} if reason else {"status": "ACTIVE"})
        elif kind.update in one:
            reason = self.fails.get(one["name"])
            one[kind.update] = {"status": "CREATE FAILED" if reason else "ACTIVE", "failureReason": reason}


@dataclass
class Heard:
    """What a listener was told."""

    lines: list[str] = field(default_factory=list)

    def started(self, action: Action) -> None:
        """Note it."""
        self.lines.append(f"started {action.verb} {action.name}")

    def looked(self, action: Action, status: str, fraction: float | None, message: str) -> None:
        """Note it."""
        self.lines.append(f"looked {action.name} {status} {fraction} {message}")

    def ended(self, action: Action, problem: str) -> None:
        """Note it."""
        self.lines.append(f"ended {action.name} {problem}".strip())

    def skipped(self, action: Action, because: str) -> None:
        """Note it."""
        self.lines.append(f"skipped {action.name} because of {because}")


Carry = Callable[..., Outcome]


@pytest.fixture
def service() -> InMemory:
    """A fresh service."""
    return InMemory()


@pytest.fixture
def heard() -> Heard:
    """A fresh listener."""
    return Heard()


@pytest.fixture
def carry(service: InMemory, heard: Heard) -> Carry:
    """Carries actions out against the service in memory."""

    def run(*actions: Action, arns: Mapping[Address, str] | None = None) -> Outcome:
        plan = Plan(in_order(actions), arns or {})
        return carry_out(plan, stage.project(), cast("Service", service), heard)

    return run


def create(address: Address, name: str, **request: Any) -> Action:
    """An action that makes something."""
    return Action(Verb.CREATE, address, name, request={"name": name, **request})


TRAIN = Action(Verb.TRAIN, VERSION, "p", request={"solutionArn": Reference(SOLUTION)})


def test_each_action_waits_for_what_it_refers_to(carry: Carry, service: InMemory) -> None:
    outcome = carry(
        create(GROUP, "g"),
        create(SOLUTION, "p", datasetGroupArn=Reference(GROUP)),
        TRAIN,
        create(CAMPAIGN, "c", solutionVersionArn=Reference(VERSION)),
    )
    assert outcome.complete
    assert service.calls == [
        "create group g",
        "create solution p",
        "create version arn/solution/p",
        "create campaign c",
    ]
    assert outcome.arns[CAMPAIGN] == "arn/campaign/c"


def test_what_is_independent_runs_together(carry: Carry, heard: Heard) -> None:
    carry(create(GROUP, "g"), create(FILTER, "f"))
    assert heard.lines[:2] == ["started create g", "started create f"]


def test_progress_is_handed_on(carry: Carry, heard: Heard) -> None:
    carry(create(GROUP, "g"))
    assert heard.lines == ["started create g", "looked g CREATE PENDING 0.5 half way", "ended g"]


def test_a_failure_ends_only_what_depends_on_it(carry: Carry, service: InMemory, heard: Heard) -> None:
    service.fails["p"] = "too few users"
    outcome = carry(
        create(SOLUTION, "p"), create(CAMPAIGN, "c", solutionVersionArn=Reference(SOLUTION)), create(FILTER, "f")
    )
    assert outcome.failures == {"create solution p p": "It ended as CREATE FAILED: too few users"}
    assert outcome.skipped == ["create campaign c c"]
    assert "skipped c because of create solution p p" in heard.lines
    assert outcome.arns[FILTER] == "arn/filter/f"


def test_a_race_for_a_name_takes_what_is_there(carry: Carry, service: InMemory) -> None:
    service.resources["arn/filter/f"] = {"name": "f", "status": "CREATE PENDING"}
    service.refuses["f"] = ["ResourceAlreadyExistsException"]
    outcome = carry(create(FILTER, "f", datasetGroupArn="g"))
    assert (outcome.complete, outcome.arns[FILTER]) == (True, "arn/filter/f")


def test_a_quota_of_running_jobs_passes(carry: Carry, service: InMemory) -> None:
    service.refuses["f"] = ["LimitExceededException"] * 3
    assert carry(create(GROUP, "g"), create(FILTER, "f")).complete


def test_a_quota_that_does_not_pass_ends_the_action(carry: Carry, service: InMemory) -> None:
    service.refuses["f"] = ["LimitExceededException"] * 100
    assert carry(create(FILTER, "f")).failures == {"create filter f f": "Refused: LimitExceededException: no"}


def test_a_refusal_ends_the_action_at_once(carry: Carry, service: InMemory) -> None:
    service.refuses["f"] = ["InvalidInputException"] * 100
    assert carry(create(FILTER, "f")).failures == {"create filter f f": "Refused: InvalidInputException: no"}
    assert len(service.refuses["f"]) == 99


def test_a_deletion_ends_when_the_resource_is_gone(carry: Carry, service: InMemory) -> None:
    service.resources["arn/filter/f"] = {"name": "f", "status": "ACTIVE"}
    outcome = carry(Action(Verb.DELETE, FILTER, "f", arn="arn/filter/f"), create(FILTER, "f"))
    assert outcome.complete
    assert service.calls == ["delete arn/filter/f", "create filter f"]


def test_a_deletion_of_what_is_gone_is_done(carry: Carry, service: InMemory) -> None:
    assert carry(Action(Verb.DELETE, FILTER, "f", arn="arn/filter/f")).complete
    assert service.calls == []


def test_a_deletion_that_is_under_way_is_waited_for(carry: Carry, service: InMemory) -> None:
    service.resources["arn/filter/f"] = {"name": "f", "status": "DELETE PENDING"}
    assert carry(Action(Verb.DELETE, FILTER, "f", arn="arn/filter/f")).complete
    assert service.calls == []


def test_an_update_is_waited_for_and_its_failure_told(carry: Carry, service: InMemory) -> None:
    service.resources["arn/campaign/c"] = {"name": "c", "status": "ACTIVE"}
    update = Action(Verb.UPDATE, CAMPAIGN, "c", request={"minProvisionedTPS": 2}, arn="arn/campaign/c")
    assert carry(update).complete
    service.fails["c"] = "no room"
    assert carry(update).failures == {"update campaign c c": "The update ended as CREATE FAILED: no room"}


def test_a_wait_fails_with_the_reason_unless_any_end_will_do(carry: Carry, service: InMemory) -> None:
    service.fails["f"] = "bad"
    for any_end in (False, True):
        service.resources["arn/filter/f"] = {"name": "f", "status": "CREATE PENDING"}
        outcome = carry(Action(Verb.WAIT, FILTER, "f", arn="arn/filter/f", any_end=any_end))
        assert outcome.complete is any_end


def test_what_vanishes_meanwhile_is_told(carry: Carry) -> None:
    outcome = carry(Action(Verb.WAIT, FILTER, "f", arn="arn/filter/f"))
    assert "someone deleted it meanwhile" in outcome.failures["wait filter f f"]


def test_every_kind_has_its_operations() -> None:
    from matinee.project.shapes import service_model

    operations = {name.lower() for name in service_model().operation_names}
    for kind in BY_WORD.values():
        word = kind.snake.replace("_", "")
        assert {f"create{word}", f"describe{word}", f"list{word}s"} <= operations
        assert kind.update is None or f"update{word}" in operations
