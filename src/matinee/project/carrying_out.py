"""Carries a plan out: starts every action as soon as what it needs is done, and waits for all of them together."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from matinee.errors import MatineeError
from matinee.project.content import bring, readable_location
from matinee.project.desired import Address, Project, Reference
from matinee.project.kinds import BY_WORD, DATASET, IMPORT
from matinee.project.observed import Found, is_busy
from matinee.project.plan import Action, Plan, Verb
from matinee.project.service import Answer, Service, code, refused

#: A round in which nothing ends makes the next one later, up to this many times the first interval.
_PATIENCE = 2.5
#: A refusal that passes by itself (a quota of running jobs, a resource still in use) is tried this often.
_ATTEMPTS = 12
_PASSING = ("LimitExceededException", "ResourceInUseException", "ThrottlingException")


class Listener(Protocol):
    """Is told what happens."""

    def started(self, action: Action) -> None:
        """The action was asked of the service."""

    def looked(self, action: Action, status: str, fraction: float | None, message: str) -> None:
        """It is under way; `fraction` in [0, 1] where the server tells it."""

    def ended(self, action: Action, problem: str) -> None:
        """It is done, or `problem` says why not."""

    def skipped(self, action: Action, because: str) -> None:
        """It was not begun: what it needs is not there."""


@dataclass
class Outcome:
    """What came of a plan: ARNs of everything that exists, and the actions that failed or were skipped, by id."""

    arns: dict[Address, str]
    failures: dict[str, str] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether all of it was done."""
        return not self.failures and not self.skipped


class ActionFailed(MatineeError):
    """One action came to a bad end; carries the service's reason."""


@dataclass
class _Running:
    action: Action
    arn: str
    seen_deleting: bool = False


def carry_out(
    plan: Plan, project: Project, service: Service, listener: Listener, *, poll_seconds: float | None = None
) -> Outcome:
    """Do everything in `plan`; returns when nothing is under way any more.

    A failure ends only what depends on it. What is interrupted goes on at the service, and the next plan finds it.
    """
    return _Carrier(plan, project, service, listener, poll_seconds or service.poll_seconds).run()


class _Carrier:
    def __init__(self, plan: Plan, project: Project, service: Service, listener: Listener, poll: float) -> None:
        self.plan = plan
        self.project = project
        self.service = service
        self.listener = listener
        self.poll = poll
        self.outcome = Outcome(dict(plan.arns))
        self.done: set[str] = set()
        self.waiting = list(plan.actions)
        self.running: list[_Running] = []
        self.attempts: dict[str, int] = {}

    def run(self) -> Outcome:
        interval = self.poll
        while self.waiting or self.running:
            before = len(self.waiting) + len(self.running)
            for running in list(self.running):
                self._look(running)
            self._start_ready()
            quiet = len(self.waiting) + len(self.running) == before
            interval = min(interval * 1.2, self.poll * _PATIENCE) if quiet else self.poll
            if self.running or quiet:
                time.sleep(interval)
        return self.outcome

    def _start_ready(self) -> None:
        for action in list(self.waiting):
            bad = action.after & (self.outcome.failures.keys() | set(self.outcome.skipped))
            if bad:
                self.waiting.remove(action)
                self.outcome.skipped.append(action.id)
                self.listener.skipped(action, sorted(bad)[0])
            elif action.after <= self.done:
                self._start(action)

    def _start(self, action: Action) -> None:
        try:
            arn = self._ask(action)
        except ClientError as error:
            if code(error) in _PASSING and self._again(action):
                return
            self.waiting.remove(action)
            self._end(action, str(refused("Refused", error)))
            return
        except (BotoCoreError, MatineeError, OSError) as error:
            self.waiting.remove(action)
            self._end(action, str(error))
            return
        self.waiting.remove(action)
        self.listener.started(action)
        if action.verb is not Verb.DELETE:
            self.outcome.arns[action.address] = arn
        if action.verb is Verb.TAG or (action.verb is Verb.CREATE and not BY_WORD[action.address.kind].has_status):
            self._end(action, "")
        else:
            self.running.append(_Running(action, arn))

    def _again(self, action: Action) -> bool:
        """Whether a refusal may pass: something else is under way, or it was not tried often yet."""
        self.attempts[action.id] = self.attempts.get(action.id, 0) + (0 if self.running else 1)
        return self.attempts[action.id] < _ATTEMPTS

    def _ask(self, action: Action) -> str:
        """Make the request of an action; returns the ARN to look at."""
        kind = BY_WORD[action.address.kind]
        request = self._resolved(action.request)
        match action.verb:
            case Verb.CREATE:
                return self._create(action, request)
            case Verb.IMPORT:
                return self._import(action, request)
            case Verb.TRAIN:
                return self.service.create(kind, request)
            case Verb.UPDATE:
                self.service.update(kind, action.arn, request)
            case Verb.TAG:
                self.service.client.tag_resource(resourceArn=action.arn, tags=request["tags"])
            case Verb.STOP:
                self.service.client.stop_solution_version_creation(solutionVersionArn=action.arn)
            case Verb.DELETE:
                self._delete(action)
            case Verb.WAIT:
                pass
        return action.arn

    def _create(self, action: Action, request: Mapping[str, Any]) -> str:
        kind = BY_WORD[action.address.kind]
        try:
            return self.service.create(kind, request)
        except ClientError as error:
            if code(error) != "ResourceAlreadyExistsException":
                raise
            group = {"datasetGroupArn": str(request["datasetGroupArn"])} if kind.within_group else {}
            for summary in self.service.listing(kind, **group):  # someone else was faster: take theirs
                same = action.address.key == summary["datasetType"] if kind is DATASET else False
                if same or summary["name"] == action.name:
                    return str(summary[kind.arn])
            raise

    def _import(self, action: Action, request: dict[str, Any]) -> str:
        if action.data is None:
            raise ActionFailed(f"{action.name} has no data to import.")
        location = readable_location(action.data, self.service, self.project.upload)
        bring(action.data, location, self.service.s3)
        request["dataSource"] = {"dataLocation": location}
        for number in range(1, 100):
            try:
                return self.service.create(IMPORT, request)
            except ClientError as error:
                if code(error) != "ResourceAlreadyExistsException" or number == 99:
                    raise
                for summary in self.service.listing(IMPORT, datasetArn=request["datasetArn"]):
                    if summary["jobName"] == request["jobName"]:
                        return str(summary[IMPORT.arn])
            request["jobName"] = f"{action.name}-{number + 1}"  # the name was used up by another dataset
        raise ActionFailed(f"No name is free for {action.name}.")

    def _delete(self, action: Action) -> None:
        kind = BY_WORD[action.address.kind]
        answer = self.service.describe(kind, action.arn)
        if answer is None or Found(action.arn, answer.described).deleting:
            return
        try:
            self.service.delete(kind, action.arn)
        except ClientError as error:
            if code(error) != "ResourceNotFoundException":
                raise

    def _look(self, running: _Running) -> None:
        action = running.action
        try:
            answer = self.service.describe(BY_WORD[action.address.kind], running.arn)
            ended = self._ended(running, answer)
        except MatineeError as error:
            self.running.remove(running)
            self._end(action, str(error))
            return
        if ended:
            self.running.remove(running)
            self._end(action, "")
        elif answer is not None:
            status = Found(running.arn, answer.described).status
            self.listener.looked(action, status, answer.fraction, answer.message)

    def _ended(self, running: _Running, answer: Answer | None) -> bool:
        """Whether the action is done. Raises `ActionFailed` with the service's reason when it ended badly."""
        action = running.action
        if answer is None:
            if action.verb is Verb.DELETE or action.any_end:
                return True
            raise ActionFailed("It is not there any more: someone deleted it meanwhile. Apply again.")
        found = Found(running.arn, answer.described)
        if action.verb is Verb.DELETE:
            if running.seen_deleting and not found.deleting:
                raise ActionFailed(f"It was not deleted; it is {found.status}: {found.reason}")
            running.seen_deleting = found.deleting
            return False
        if found.busy(action.address.kind):
            return False
        if found.failed and not action.any_end:
            raise ActionFailed(f"It ended as {found.status}: {found.reason}")
        update = found.update(action.address.kind)
        if action.verb is Verb.UPDATE and str(update.get("status", "")).endswith("FAILED"):
            raise ActionFailed(f"The update ended as {update['status']}: {update.get('failureReason', 'no reason')}")
        return not is_busy(found.status)

    def _resolved(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: self.outcome.arns[value.to] + value.suffix if isinstance(value, Reference) else value
            for key, value in request.items()
        }

    def _end(self, action: Action, problem: str) -> None:
        if problem:
            self.outcome.failures[action.id] = problem
        else:
            self.done.add(action.id)
        self.listener.ended(action, problem)
