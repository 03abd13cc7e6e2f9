"""Plan, apply and destroy as functions: what the commands of the command line, or a program, call."""

from __future__ import annotations

from typing import Any

from matinee.project.carrying_out import Listener, Outcome, carry_out
from matinee.project.content import readable_location
from matinee.project.desired import Address, Project
from matinee.project.kinds import (
    BY_WORD,
    CAMPAIGN,
    DATASET,
    FILTER,
    IMPORT,
    RECOMMENDER,
    SCHEMA,
    SOLUTION,
    TRACKER,
    VERSION,
)
from matinee.project.observing import observe
from matinee.project.plan import Action, Plan
from matinee.project.planning import Policy, make_plan
from matinee.project.problems import Problem, ProjectProblem, choose_from
from matinee.project.removal import plan_removal
from matinee.project.service import Service


def plan(project: Project, service: Service, policy: Policy | None = None) -> Plan:
    """What to do so that the service has what `project` asks for. Raises `ProjectProblem`, `ServiceRefused`."""
    for data in project.data.values():
        for one in data:
            readable_location(one, service, project.upload)
    _check_recipes(project, service)
    return make_plan(project, observe(project, service), policy or Policy())


def apply(
    plan: Plan, project: Project, service: Service, listener: Listener, *, poll_seconds: float | None = None
) -> Outcome:
    """Carry out a plan in which nothing is refused. Raises `ProjectProblem` when something is."""
    if plan.blocked:
        raise ProjectProblem([_refusal(project, action) for action in plan.blocked])
    return carry_out(plan, project, service, listener, poll_seconds=poll_seconds)


def removal(project: Project, service: Service, *, everything: bool = False) -> Plan:
    """What to do so that nothing of `project` is left. Raises `ProjectProblem`, `ServiceRefused`."""
    schemas = {summary["name"]: summary["schemaArn"] for summary in service.listing(SCHEMA)}
    return plan_removal(project, observe(project, service, with_data=False), schemas, everything=everything)


def outputs(outcome: Outcome, service: Service) -> dict[str, Any]:
    """What an application needs to know: ARNs by key, and the tracking ID that PutEvents takes."""
    names = {"campaigns": CAMPAIGN, "recommenders": RECOMMENDER, "filters": FILTER, "solutions": SOLUTION}
    told: dict[str, Any] = {
        title: {address.key: arn for address, arn in outcome.arns.items() if address.kind == kind.word}
        for title, kind in names.items()
    }
    told["solutionVersions"] = {
        address.key: arn for address, arn in outcome.arns.items() if address.kind == VERSION.word
    }
    for address, arn in outcome.arns.items():
        if address.kind == TRACKER.word and (answer := service.describe(TRACKER, arn)) is not None:
            told["eventTracker"] = {"arn": arn, "trackingId": answer.described["trackingId"]}
    return {title: value for title, value in told.items() if value}


def _check_recipes(project: Project, service: Service) -> None:
    """The service knows its recipes; a wrong name should not be found out after the import."""
    problems: list[Problem] = []
    known: dict[str, bool] = {}
    for wanted in project.resources:
        arn = wanted.request.get("recipeArn")
        if not isinstance(arn, str):
            continue
        if arn not in known:
            known[arn] = service.has_recipe(arn)
        if not known[arn]:
            name = arn.rsplit("/", 1)[-1]
            problems.append(
                Problem(wanted.place, f"The service has no recipe {name!r}.", choose_from(name, service.recipes()))
            )
    if problems:
        raise ProjectProblem(problems)


def _refusal(project: Project, action: Action) -> Problem:
    """Why an action of a plan is not done, at the place of the resource that it is about."""
    owners = {IMPORT.word: DATASET.word, VERSION.word: SOLUTION.word}
    owner = Address(owners.get(action.address.kind, action.address.kind), action.address.key)
    wanted = project.get(owner) or project.group
    what = f"{action.verb} of {BY_WORD[action.address.kind].title} {action.name} refused"
    return Problem(
        wanted.place, f"{what}: {action.reason.rstrip('.')}." if action.reason else f"{what}.", action.blocked
    )
