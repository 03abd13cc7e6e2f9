"""From what is wanted and what exists to a plan. Pure: no request is made here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from matinee.project.comparing import Change, differences
from matinee.project.content import chained
from matinee.project.desired import Address, Project, Reference, Retraining, Wanted
from matinee.project.kinds import (
    BY_WORD,
    CAMPAIGN,
    DATASET,
    DATASETS_WITH_NEW_SCHEMA,
    GROUP,
    IMPORT,
    MUTABLE_SOLUTION_CONFIG,
    SCHEMA,
    SOLUTION,
    VERSION,
)
from matinee.project.observed import Found, Observed
from matinee.project.observing import EVENT_DATASETS, hashed_schema_name
from matinee.project.plan import Action, Plan, Verb, in_order
from matinee.project.planning_imports import imports_due
from matinee.project.problems import Problem, ProjectProblem


@dataclass(frozen=True)
class Policy:
    """What the user allows: to delete and make again what cannot be changed (`replace`) or has failed (`retry`), and
    to delete what is in the group and not in the file (`prune`).
    """

    replace: bool = False
    retry: bool = False
    prune: bool = False


_DEFAULT = Policy()


def make_plan(project: Project, observed: Observed, policy: Policy = _DEFAULT) -> Plan:
    """What to do so that `project` exists. Raises `ProjectProblem` when a name belongs to something else."""
    refuse_taken_names(project, observed)
    planner = _Planner(project, observed, policy)
    for wanted in project.resources:
        planner.resource(wanted)
        if wanted.address.kind == DATASET.word:
            planner.imports(wanted)
        elif wanted.address.kind == SOLUTION.word:
            planner.training(wanted)
    planner.refuse_missing_versions()
    kept = tuple(one for one in observed.unmanaged if one.name not in EVENT_DATASETS)
    if policy.prune:
        for one in kept:
            reason = "the file does not name it"
            planner.actions.append(Action(Verb.DELETE, Address(one.kind, one.name), one.name, reason, arn=one.arn))
    arns = {address: found.arn for address, found in observed.found.items() if address not in planner.remade}
    arns |= {Address(VERSION.word, key): version.arn for key, version in planner.newest.items() if version is not None}
    return Plan(in_order(planner.actions), arns, () if policy.prune else kept)


def refuse_taken_names(project: Project, observed: Observed) -> None:
    """Names are unique in an account and region; one that belongs to another group must not be touched."""
    group = observed.found.get(project.group.address)
    ours = {group.arn} if group else set()
    solutions = {found.arn for address, found in observed.found.items() if address.kind == SOLUTION.word}
    solutions |= {one.arn for one in observed.unmanaged if one.kind == SOLUTION.word}
    problems = []
    for wanted in project.resources:
        found = observed.found.get(wanted.address)
        if found is None:
            continue
        owner: str = found.described.get("datasetGroupArn", "")
        owners = ours
        if wanted.address.kind == CAMPAIGN.word:
            owner, owners = solution_of(found.described.get("solutionVersionArn", "")), solutions
        if wanted.address.kind not in (GROUP.word, SCHEMA.word) and owner not in owners:
            problems.append(
                Problem(
                    wanted.place,
                    f"The name {wanted.name!r} is taken by {found.arn}, which belongs to {owner}.",
                    "Give it another name, or the environment a prefix.",
                )
            )
    if problems:
        raise ProjectProblem(problems)


class _Planner:
    def __init__(self, project: Project, observed: Observed, policy: Policy) -> None:
        self.project = project
        self.observed = observed
        self.policy = policy
        self.actions: list[Action] = []
        self.remade: set[Address] = set()
        #: The version that each solution's campaigns use; None while it has yet to be trained.
        self.newest: dict[str, Found | None] = {}

    # -- resources ----------------------------------------------------------------------------------------------------

    def resource(self, wanted: Wanted) -> None:
        """What to do about one resource."""
        found = self.observed.found.get(wanted.address)
        if found is None:
            self._create(wanted, "is not there yet")
        elif found.deleting:
            self._remake(wanted, found, "is being deleted", allowed=True)
        elif found.failed:
            self._remake(
                wanted,
                found,
                f"ended as {found.status}: {found.reason}",
                allowed=self.policy.retry,
                how="Mend the cause, then add --retry to delete it and make it again.",
            )
        else:
            self._existing(wanted, found)

    def _existing(self, wanted: Wanted, found: Found) -> None:
        changes = tuple(self._changes(wanted, found))
        fixed = tuple(change for change in changes if not _can_change(wanted, change))
        if fixed or self._stands_on_remade(wanted):
            names = ", ".join(change.member for change in fixed)
            kind = BY_WORD[wanted.address.kind]
            self._remake(
                wanted,
                found,
                f"{names} cannot be changed in place" if fixed else "what it stands on is made again",
                changes=fixed,
                allowed=self.policy.replace and kind is not GROUP,
                how="Destroy the project and apply it again."
                if kind is GROUP
                else f"Add --replace to delete the {kind.title} and make it again; until then it is not there.",
            )
            return
        if found.busy(wanted.address.kind):
            self._add(Verb.WAIT, wanted, f"is {found.status}", arn=found.arn)
        if changes:
            failed = found.update(wanted.address.kind)
            earlier = f" (the last update failed: {failed.get('failureReason')})" if failed.get("failureReason") else ""
            request = _update_request(wanted, found, changes)
            self._add(Verb.UPDATE, wanted, f"differs{earlier}", arn=found.arn, request=request, changes=changes)
        self._tag(wanted, found)

    def _tag(self, wanted: Wanted, found: Found) -> None:
        changes = tuple(differences(self.project.tags, found.tags, "tags"))
        if changes and BY_WORD[wanted.address.kind].taggable:
            tags = [{"tagKey": key, "tagValue": value} for key, value in self.project.tags.items()]
            self._add(Verb.TAG, wanted, "tags differ", arn=found.arn, changes=changes, request={"tags": tags})

    def _create(self, wanted: Wanted, reason: str) -> None:
        kind = BY_WORD[wanted.address.kind]
        name = wanted.name
        if kind is SCHEMA and name in self.observed.taken_schema_names:
            name = hashed_schema_name(name, wanted.request["schema"])
            reason = f"{wanted.name} has another content, and schemas cannot be changed"
        self._add(
            Verb.CREATE,
            wanted,
            reason,
            name=name,
            request={"name": name, **wanted.request, **self._tags_of(kind.taggable)},
        )

    def _remake(
        self,
        wanted: Wanted,
        found: Found,
        reason: str,
        *,
        allowed: bool,
        how: str = "",
        changes: tuple[Change, ...] = (),
    ) -> None:
        self.remade.add(wanted.address)
        blocked = "" if allowed else how
        self._add(Verb.DELETE, wanted, reason, arn=found.arn, changes=changes, blocked=blocked)
        self._create(wanted, "takes the place of the old one")

    def _tags_of(self, taggable: bool) -> Mapping[str, Any]:
        tags = [{"tagKey": key, "tagValue": value} for key, value in self.project.tags.items()]
        return {"tags": tags} if tags and taggable else {}

    def _stands_on_remade(self, wanted: Wanted) -> bool:
        """A campaign has to go with its solution; other kinds outlive what they name, or are never made again."""
        if wanted.address.kind != CAMPAIGN.word:
            return False
        return Address(SOLUTION.word, wanted.request["solutionVersionArn"].to.key) in self.remade

    def _changes(self, wanted: Wanted, found: Found) -> Iterator[Change]:
        request = {"name": wanted.name, **wanted.request}
        if wanted.address.kind == SCHEMA.word:
            return iter(())  # it was found by its content
        if wanted.address.kind == CAMPAIGN.word:
            version: Reference = request.pop("solutionVersionArn")
            return chain(self._version_changes(version, found), differences(request, found.described))
        return differences(self._resolved(request), found.described)

    def _version_changes(self, wanted: Reference, found: Found) -> Iterator[Change]:
        current = str(found.described.get("solutionVersionArn", ""))
        solution = self.observed.found.get(Address(SOLUTION.word, wanted.to.key))
        if solution is None or solution_of(current) != solution.arn:
            yield Change("solution", solution_of(current), solution.arn if solution else str(wanted))
        elif not wanted.suffix:
            newest = self.newest.get(wanted.to.key)
            if newest is None and wanted.to.key in self.newest:
                yield Change("solutionVersionArn", current, "the version trained by this plan")
            elif newest is not None and newest.arn != current:
                yield Change("solutionVersionArn", current, newest.arn)

    def _resolved(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The request with the ARNs that are known and stay."""
        resolved = {}
        for key, value in request.items():
            if isinstance(value, Reference) and value.to in self.observed.found and value.to not in self.remade:
                resolved[key] = self.observed.found[value.to].arn
            else:
                resolved[key] = value
        return resolved

    def refuse_missing_versions(self) -> None:
        """A campaign serves a version that is there or will be trained. Raises `ProjectProblem` where there is none."""
        changed = {action.address for action in self.actions if action.verb in (Verb.CREATE, Verb.UPDATE)}
        problems = [
            Problem(
                wanted.place,
                f"The solution {value.to.key!r} has no ACTIVE version, and train: never keeps it from getting one.",
                "Leave train out, or train a version before the campaign is made.",
            )
            for wanted in self.project.resources
            if wanted.address in changed
            for value in wanted.request.values()
            if isinstance(value, Reference) and value.to.kind == VERSION.word and value.to.key not in self.newest
        ]
        if problems:
            raise ProjectProblem(problems)

    # -- data and versions --------------------------------------------------------------------------------------------

    def imports(self, wanted: Wanted) -> None:
        """Which data files of a dataset have to be imported (again)."""
        key = wanted.address.key
        data = self.project.data.get(key, ())
        if not data:
            return
        jobs = () if wanted.address in self.remade else self.observed.imports.get(key, ())
        hashes = chained(self.observed.fingerprints[key], data)
        self.actions.extend(imports_due(wanted, data, hashes, jobs, retry=self.policy.retry, tags=self._tags_of(True)))

    def training(self, wanted: Wanted) -> None:
        """Whether a solution needs a new version, and which one its campaigns use."""
        key = wanted.address.key
        address = Address(VERSION.word, key)
        versions = () if wanted.address in self.remade else self.observed.versions.get(key, ())
        trained = next((version for version in versions if version.status == "ACTIVE"), None)
        running = next((version for version in versions if version.busy(VERSION.word)), None)
        reason = self._stale(wanted, running or trained)
        if running is not None and not reason:
            self.actions.append(Action(Verb.WAIT, address, wanted.name, f"is {running.status}", arn=running.arn))
            self.newest[key] = None
            return
        if not reason:
            if trained is not None:
                self.newest[key] = trained
            return
        failed = versions[0] if versions and versions[0].failed else None
        blocked = ""
        if failed and not self.policy.retry and not self._since(failed, wanted):
            reason = f"the last one ended as {failed.status}: {failed.reason}"
            blocked = "Mend the cause, then add --retry to train again."
        request = {"solutionArn": Reference(wanted.address), **self._tags_of(True)}
        self.actions.append(Action(Verb.TRAIN, address, wanted.name, reason, request, blocked=blocked))
        self.newest[key] = None

    def _stale(self, wanted: Wanted, version: Found | None) -> str:
        """Why a solution with this newest version needs a new one; empty when it does not."""
        when = self.project.retraining.get(wanted.address.key, Retraining.ON_CHANGE)
        if when is Retraining.NEVER:
            return ""
        if version is None:
            return "has no version yet"
        return "" if when is Retraining.ONCE else self._since(version, wanted)

    def _since(self, version: Found, wanted: Wanted) -> str:
        """What happened to the data or the configuration after a version was asked for; empty when nothing did."""
        if any(_about_events(action) for action in self.actions if action.address == wanted.address):
            return "its configuration changes"
        if any(action.address.kind == IMPORT.word for action in self.actions):
            return "the data changes"
        imports = (job for jobs in self.observed.imports.values() for job in jobs if job.status == "ACTIVE")
        if any(job.updated > version.created for job in imports):
            return "the data is newer than its version"
        solution = self.observed.found.get(wanted.address)
        update = solution.update(SOLUTION.word) if solution else {}
        events = (update.get("solutionUpdateConfig") or {}).get("eventsConfig")
        if events and update.get("status") == "ACTIVE" and update["creationDateTime"] > version.created:
            return "its configuration is newer than its version"
        return ""

    def _add(self, verb: Verb, wanted: Wanted, reason: str, *, name: str = "", **more: Any) -> None:
        self.actions.append(Action(verb, wanted.address, name or wanted.name, reason, **more))


def solution_of(version_arn: str) -> str:
    """The solution's ARN in that of a version or of `$LATEST`."""
    return version_arn.rsplit("/", 1)[0]


def _about_events(action: Action) -> bool:
    return any(change.member.startswith("solutionConfig.eventsConfig") for change in action.changes)


def _can_change(wanted: Wanted, change: Change) -> bool:
    kind = BY_WORD[wanted.address.kind]
    if kind is DATASET:
        return change.member == "schemaArn" and wanted.address.key in DATASETS_WITH_NEW_SCHEMA
    if kind is SOLUTION and change.top == "solutionConfig":
        return any(change.member.startswith(f"solutionConfig.{member}") for member in MUTABLE_SOLUTION_CONFIG)
    return change.top in kind.mutable


def _update_request(wanted: Wanted, found: Found, changes: tuple[Change, ...]) -> dict[str, Any]:
    """What the Update operation gets: members that changed, whole, with what the file leaves out kept as it is."""
    changed = {change.top for change in changes}
    request: dict[str, Any] = {}
    for member in BY_WORD[wanted.address.kind].mutable:
        if member not in changed or member not in wanted.request:
            continue
        value, before = wanted.request[member], found.described.get(member)
        request[member] = _laid_over(before, value) if isinstance(value, Mapping) else value
    if "solutionConfig" in request:
        config = request.pop("solutionConfig")
        parts = {change.member.split(".")[1] for change in changes if change.top == "solutionConfig"}
        request["solutionUpdateConfig"] = {part: config[part] for part in MUTABLE_SOLUTION_CONFIG if part in parts}
    return request


def _laid_over(before: Any, value: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(before or {})
    for key, one in value.items():
        merged[key] = _laid_over(merged.get(key), one) if isinstance(one, Mapping) else one
    return merged
