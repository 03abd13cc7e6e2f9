"""What every operation is given, and the verbs that all kinds of resources share: create, find, list, delete."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from matinee.control import outbox, paging, records, states, tagging, updates
from matinee.control.context import Caller
from matinee.control.kind import Answer, Blocker, Kind, Request
from matinee.control.outbox import JobKind
from matinee.control.quotas import Quota
from matinee.control.records import Resource
from matinee.errors import ApiError, InvalidInput, ResourceAlreadyExists, ResourceInUse, ResourceNotFound
from matinee.settings import Settings

#: From these a resource can be deleted.
_DELETABLE = ("ACTIVE", "INACTIVE", "CREATE FAILED")


@dataclass(frozen=True)
class Operation:
    """One operation under way: its transaction, its caller, the settings. Sees the caller's resources only."""

    connection: sa.Connection
    caller: Caller
    settings: Settings

    def find(self, kind: Kind, arn: str) -> Resource:
        """The caller's resource of this kind; raises `ResourceNotFound`, also for one of another account or region."""
        resource = records.find(self.connection, arn)
        if resource is None or (resource.account, resource.region, resource.kind) != (
            self.caller.account,
            self.caller.region,
            kind.word,
        ):
            raise ResourceNotFound(kind.missing.format(arn=arn))
        return resource

    def find_usable(self, kind: Kind, arn: str, *, busy: type[ApiError] = ResourceInUse) -> Resource:
        """As `find`, and ACTIVE. Raises `busy` while the resource is pending or in progress, `InvalidInput` when its
        creation failed."""
        resource = self.find(kind, arn)
        if resource.status in states.FAILED:
            raise InvalidInput(
                f"{arn} is in status {resource.status} and cannot be used. Describe it for the reason, and use an "
                f"ACTIVE {kind.title}."
            )
        if resource.status in states.DELETING:
            raise busy(f"{arn} is in status {resource.status}. Use an ACTIVE {kind.title}.")
        if resource.status not in (None, "ACTIVE"):
            raise busy(f"{arn} is in status {resource.status}. Wait until it is ACTIVE, then try again.")
        return resource

    def free_arn(self, suffix: str) -> str:
        """The ARN of a resource to be made; raises `ResourceAlreadyExists` when it is taken."""
        arn = self.caller.arn(suffix)
        if records.find(self.connection, arn) is not None:
            raise ResourceAlreadyExists.of(arn)
        return arn

    def leave_room(self, quota: Quota, group: str | None = None) -> None:
        """Raise `LimitExceeded` when a quota is used up; `group` is the dataset group for quotas of one."""
        quota.check(self.connection, self.caller, self.settings, group=group)

    def create(
        self,
        kind: Kind,
        arn: str,
        name: str,
        attributes: Mapping[str, Any],
        *,
        status: str | None = "CREATE PENDING",
        parent: str | None = None,
        uses: Mapping[str, str] | None = None,
        tags: Sequence[Mapping[str, str]] = (),
        job: JobKind | None = JobKind.SETTLE,
        payload: Mapping[str, Any] | None = None,
    ) -> Resource:
        """Write a new resource with its tags, what it uses (member to ARN) and the job that completes it."""
        resource = records.insert(
            self.connection,
            arn=arn,
            account=self.caller.account,
            region=self.caller.region,
            kind=kind.word,
            name=name,
            parent=parent,
            status=status,
            attributes=attributes,
        )
        records.refer(self.connection, arn, uses or {})
        tagging.put(self.connection, arn, tags)
        if job is not None:
            outbox.enqueue(self.connection, job, arn, payload)
        return resource

    def describe(self, kind: Kind, request: Request) -> Answer:
        """The answer of a Describe operation; while the resource's job runs, its progress beside it as headers."""
        resource = self.find(kind, request[kind.arn_member])
        answer: Answer = {kind.member: kind.describe(resource)}
        if resource.status in states.BUSY and (progress := outbox.progress_of(self.connection, resource.arn)):
            answer["@headers"] = progress_headers(progress)
        return answer

    def list(self, kind: Kind, request: Request, *, arns: sa.Select[Any] | None = None) -> Answer:
        """The answer of a List operation: a page in creation order (newest first for kinds that say so).

        It is narrowed by the request's `kind.within`, or by `arns`, a query of the ARNs to keep.
        """
        narrowed = request.get(kind.within or "")

        def fetch(after: int, limit: int) -> list[Resource]:
            return records.select(
                self.connection,
                account=self.caller.account,
                region=self.caller.region,
                kind=kind.word,
                parent=narrowed if arns is None else None,
                arns=arns,
                after=after,
                limit=limit,
                newest_first=kind.newest_first,
            )

        listing = self.listing(kind.plural, narrowed)
        page, following = paging.paged(listing, request, fetch, lambda resource: resource.seq)
        return {kind.plural: [kind.summarise(resource) for resource in page], **following}

    def listing(self, plural: str, narrowed: str | None) -> str:
        """What a page's token belongs to: this caller's listing of this name and narrowing."""
        return f"{self.caller.account} {self.caller.region} {plural} {narrowed or ''}"

    def delete(self, kind: Kind, request: Request) -> Answer:
        """Start a resource's deletion; raises `ResourceInUse` when its state or what uses it forbids that."""
        resource = self.find(kind, request[kind.arn_member])
        if resource.status in states.DELETING:
            raise ResourceInUse(f"{resource.arn} is already being deleted: its status is {resource.status}.")
        if resource.status not in _DELETABLE:
            raise ResourceInUse(
                f"{resource.arn} is in status {resource.status} and cannot be deleted now. Wait until it is ACTIVE "
                "or CREATE FAILED, then try again."
            )
        updates.refuse_while_running(resource)
        for blocker in kind.blockers:
            self.refuse_while_used(resource, blocker)
        private = {**resource.private, "before_delete": resource.status}
        records.change(self.connection, resource, private=private)
        states.advance(self.connection, resource.arn, "DELETE PENDING", failure_reason=resource.failure_reason)
        outbox.enqueue(self.connection, JobKind.DELETE, resource.arn)
        return {}

    def refuse_while_used(self, resource: Resource, blocker: Blocker) -> None:
        """Raise `ResourceInUse` naming the first resource that keeps `resource` from being deleted."""
        target = resource.arn if blocker.through is None else resource[blocker.through]
        if not blocker.busy:
            for user in records.users(self.connection, target, blocker.kind, without=states.DELETING, limit=1):
                raise ResourceInUse(
                    f"{resource.arn} cannot be deleted: {user.arn} uses it. Delete that first, then try again."
                )
            return
        for user in updates.unfinished(self.connection, target, blocker.kind):
            raise ResourceInUse(
                f"{resource.arn} cannot be deleted while {user.arn} is in progress. Wait until that has ended, "
                "then try again."
            )


def progress_headers(progress: Mapping[str, Any]) -> dict[str, str]:
    """What `outbox.progress_of` gave, as headers; the metrics are one JSON object."""
    found = {
        "x-matinee-progress": str(progress["fraction"]),
        "x-matinee-progress-message": str(progress["message"]),
    }
    if (left := progress.get("seconds_left")) is not None:
        found["x-matinee-progress-seconds-left"] = str(round(left))
    if metrics := progress.get("metrics"):
        found["x-matinee-progress-metrics"] = json.dumps(metrics)
    return found
