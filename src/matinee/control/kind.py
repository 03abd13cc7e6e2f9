"""A kind of resource: how its ARN, its members and its lists are called, and what keeps it from being deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matinee.control.records import Resource

#: Request and answer of an operation, in the wire's member names.
Request = Mapping[str, Any]
Answer = dict[str, Any]


@dataclass(frozen=True)
class Blocker:
    """Resources of `kind` that keep another one from being deleted while they use it.

    Live ones do, those already being deleted do not; with `busy` only those whose work has not ended. `through` is
    the member that names what they use, when it is not the resource itself: a dataset's group, for example.
    """

    kind: str
    busy: bool = False
    through: str | None = None


@dataclass(frozen=True)
class Kind:
    """One kind of resource.

    `word` begins the ARN's last part and is the kind's key in the tables; `member` is the key of Describe's answer;
    `plural` that of List's. `described` and `summarised` are the members of Describe's object and of a List's
    summary. `within` is the request member by which a List is narrowed.
    """

    word: str
    member: str
    plural: str
    described: tuple[str, ...]
    summarised: tuple[str, ...]
    within: str | None = None
    blockers: tuple[Blocker, ...] = ()
    named: str = "name"
    newest_first: bool = False
    missing: str = "Resource Arn {arn} does not exist."

    @property
    def arn_member(self) -> str:
        """The member that holds the ARN: `campaignArn`."""
        return f"{self.member}Arn"

    @property
    def title(self) -> str:
        """The kind in a sentence: `dataset import job`."""
        return self.word.replace("-", " ")

    def describe(self, resource: Resource) -> Answer:
        """The members of Describe's object; those without a value are left out."""
        return self._view(resource, self.described)

    def summarise(self, resource: Resource) -> Answer:
        """The members of a List's summary; those without a value are left out."""
        return self._view(resource, self.summarised)

    def _view(self, resource: Resource, members: tuple[str, ...]) -> Answer:
        columns = {
            self.named: resource.name,
            self.arn_member: resource.arn,
            "status": resource.status,
            "failureReason": resource.failure_reason,
            "creationDateTime": resource.created_at,
            "lastUpdatedDateTime": resource.updated_at,
        }
        values = {member: columns.get(member, resource.attributes.get(member)) for member in members}
        return {member: value for member, value in values.items() if value is not None}


def members(text: str) -> tuple[str, ...]:
    """Member names from a text, the two dates added, which every object and summary has."""
    return (*text.split(), "creationDateTime", "lastUpdatedDateTime")


def given(request: Request, *names: str) -> dict[str, Any]:
    """The members of a request that were given, of those named."""
    return {name: request[name] for name in names if request.get(name) is not None}
