"""What exists, as plain values: the service is the only state there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from matinee.project.desired import Address
from matinee.project.kinds import BY_WORD


@dataclass(frozen=True)
class Found:
    """A resource of the service: its ARN, its Describe object, and its tags where they were asked for."""

    arn: str
    described: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """Its status; a kind without one is always ACTIVE."""
        return str(self.described.get("status", "ACTIVE"))

    @property
    def failed(self) -> bool:
        """Its making, a job or a training ended badly."""
        return self.status.endswith(("FAILED", "STOPPED"))

    @property
    def deleting(self) -> bool:
        """It is on its way out."""
        return self.status.startswith("DELETE")

    @property
    def reason(self) -> str:
        """Why it failed."""
        return str(self.described.get("failureReason", "the service gives no reason"))

    @property
    def created(self) -> datetime:
        """When it was asked for."""
        moment: datetime = self.described["creationDateTime"]
        return moment

    @property
    def updated(self) -> datetime:
        """When it last changed its state."""
        moment: datetime = self.described.get("lastUpdatedDateTime") or self.described["creationDateTime"]
        return moment

    def update(self, kind: str) -> Mapping[str, Any]:
        """The newest update, empty when there was none."""
        member = BY_WORD[kind].update
        return self.described.get(member) or {} if member else {}

    def busy(self, kind: str) -> bool:
        """Whether it, or an update of it, has not come to an end."""
        return is_busy(self.status) or is_busy(str(self.update(kind).get("status", "ACTIVE")))


def is_busy(status: str) -> bool:
    """Whether a status will change by itself."""
    return status.endswith(("PENDING", "IN_PROGRESS", "STOPPING"))


@dataclass(frozen=True)
class Unmanaged:
    """A resource of the dataset group that the file does not name."""

    kind: str
    name: str
    arn: str
    status: str = "ACTIVE"


@dataclass(frozen=True)
class Observed:
    """Everything that bears on a project.

    `imports` by dataset key and `versions` by solution key are newest first; `schemas` by ARN holds the Avro text;
    `fingerprints` by dataset key has the SHA-256 of each of its data files' content.
    """

    found: Mapping[Address, Found] = field(default_factory=dict)
    imports: Mapping[str, tuple[Found, ...]] = field(default_factory=dict)
    versions: Mapping[str, tuple[Found, ...]] = field(default_factory=dict)
    unmanaged: tuple[Unmanaged, ...] = ()
    fingerprints: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    taken_schema_names: frozenset[str] = frozenset()
