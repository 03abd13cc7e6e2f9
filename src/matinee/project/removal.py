"""A plan that deletes a project: users of a resource before the resource, what still runs first."""

from __future__ import annotations

from collections.abc import Iterator

from matinee.project.desired import Address, Project
from matinee.project.kinds import GROUP, IMPORT, MANAGED, SCHEMA, VERSION
from matinee.project.observed import Found, Observed
from matinee.project.observing import EVENT_DATASETS, is_schema_of
from matinee.project.plan import Action, Plan, Verb, in_order
from matinee.project.planning import refuse_taken_names


def plan_removal(project: Project, observed: Observed, schemas: dict[str, str], *, everything: bool = False) -> Plan:
    """What to do so that nothing of `project` is left. `schemas` are the account's, ARN by name.

    What the file does not name keeps the dataset group from being deleted, so it is refused unless `everything`.
    """
    refuse_taken_names(project, observed)
    actions = [*_endings(observed), *_named(project, observed)]
    blocked = []
    for one in observed.unmanaged:
        action = Action(Verb.DELETE, Address(one.kind, one.name), one.name, "is in the dataset group", arn=one.arn)
        if one.name in EVENT_DATASETS or everything:
            actions.append(action)
        else:
            blocked.append(one)
    actions += [
        Action(Verb.DELETE, Address(SCHEMA.word, name), name, arn=arn)
        for name, arn in schemas.items()
        if any(is_schema_of(name, wanted.name) for wanted in project.of(SCHEMA.word))
    ]
    group = observed.found.get(project.group.address)
    if group is not None:
        others = ", ".join(f"{one.kind} {one.name}" for one in blocked)
        why = f"It also holds {others}, which the file does not name. Add --all to delete these too." if blocked else ""
        actions.append(Action(Verb.DELETE, project.group.address, project.group.name, arn=group.arn, blocked=why))
    return Plan(in_order(actions), {}, tuple(blocked))


def _endings(observed: Observed) -> Iterator[Action]:
    """Nothing that is under way can be deleted: trainings are stopped, the rest is waited for."""
    for address, found in observed.found.items():
        if found.busy(address.kind) and not found.deleting:
            yield _wait(address, found, str(found.described.get("name", address.key)))
    for key, jobs in observed.imports.items():
        for job in jobs:
            if job.busy(IMPORT.word):
                yield _wait(Address(IMPORT.word, key), job, str(job.described["jobName"]))
    for key, versions in observed.versions.items():
        for version in versions:
            if version.busy(VERSION.word):
                name = version.arn.split("/", 1)[1]
                yield Action(
                    Verb.STOP, Address(VERSION.word, key), name, "is being trained", arn=version.arn, any_end=True
                )


def _wait(address: Address, found: Found, name: str) -> Action:
    return Action(Verb.WAIT, address, name, f"is {found.status}", arn=found.arn, any_end=True)


def _named(project: Project, observed: Observed) -> Iterator[Action]:
    for kind in reversed(MANAGED):
        for wanted in project.of(kind.word):
            found = observed.found.get(wanted.address)
            if found is not None and kind not in (GROUP, SCHEMA):
                yield Action(Verb.DELETE, wanted.address, wanted.name, arn=found.arn)
