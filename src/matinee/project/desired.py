"""What a project file asks for: resources in terms of the service, references between them still by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from matinee.project.problems import Place


@dataclass(frozen=True, order=True)
class Address:
    """Which thing of the file: the word of its kind (see `kinds`) and its key, `campaign home`."""

    kind: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


@dataclass(frozen=True)
class Reference:
    """Stands in a request for an ARN that is known only when the other resource exists."""

    to: Address
    suffix: str = ""

    def __str__(self) -> str:
        return f"<{self.to}{self.suffix}>"


@dataclass(frozen=True)
class Wanted:
    """A resource as it should be.

    `request` holds what Create gets, in the API's own member names; `name` has the environment's prefix already.
    """

    address: Address
    name: str
    request: Mapping[str, Any]
    place: Place


@dataclass(frozen=True)
class DataFile:
    """Bulk data of a dataset: `location` is `s3://…` or an absolute local path (a folder's ends with `/`).

    `request` holds further members of CreateDatasetImportJob. A `version` given by the user stands for the content.
    """

    location: str
    request: Mapping[str, Any]
    version: str | None
    place: Place

    @property
    def is_local(self) -> bool:
        """Whether it lies on this machine."""
        return not self.location.startswith("s3://")


class Retraining(StrEnum):
    """When a solution gets a new version."""

    ON_CHANGE = "onChange"
    ONCE = "once"
    NEVER = "never"


@dataclass(frozen=True)
class Project:
    """Everything that one environment of a project file asks for.

    `data` is by dataset key, `retraining` and `sync` by solution and campaign key; `endpoint` and `region` are None
    where the file leaves them to the command line and the AWS configuration.
    """

    file: str
    environment: str | None
    group: Wanted
    resources: tuple[Wanted, ...]
    data: Mapping[str, tuple[DataFile, ...]] = field(default_factory=dict)
    retraining: Mapping[str, Retraining] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    upload: str | None = None
    endpoint: str | None = None
    region: str | None = None

    def of(self, kind: str) -> Iterator[Wanted]:
        """The resources of one kind, in the order of the file."""
        return (wanted for wanted in self.resources if wanted.address.kind == kind)

    def get(self, address: Address) -> Wanted | None:
        """The resource at `address`, if the file has it."""
        return next((wanted for wanted in self.resources if wanted.address == address), None)
