"""A plan: the actions that lead from what exists to what the file asks for, each knowing what it has to wait for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from matinee.project.comparing import Change
from matinee.project.desired import Address, DataFile, Reference
from matinee.project.kinds import MANAGED
from matinee.project.observed import Unmanaged


class Verb(StrEnum):
    """What an action does."""

    CREATE = "create"
    UPDATE = "update"
    TAG = "tag"
    IMPORT = "import"
    TRAIN = "train"
    WAIT = "wait"
    STOP = "stop"
    DELETE = "delete"


@dataclass(frozen=True)
class Action:
    """One thing to do. `request` has members of the operation, references still in it; `arn` is that of what exists.

    `blocked` says why it is not done unless the user asks for it. `after` are the ids of actions that come first.
    `any_end`: a wait that is content with a failure too.
    """

    verb: Verb
    address: Address
    name: str
    reason: str = ""
    request: Mapping[str, Any] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    arn: str = ""
    blocked: str = ""
    data: DataFile | None = None
    any_end: bool = False
    after: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """Unique in a plan."""
        return f"{self.verb} {self.address} {self.name}"


@dataclass(frozen=True)
class Plan:
    """Actions in an order in which they can be done. `arns` are those known already."""

    actions: tuple[Action, ...]
    arns: Mapping[Address, str] = field(default_factory=dict)
    unmanaged: tuple[Unmanaged, ...] = ()

    @property
    def blocked(self) -> tuple[Action, ...]:
        """Actions that need the user's word first."""
        return tuple(action for action in self.actions if action.blocked)

    def as_json(self) -> dict[str, Any]:
        """The plan for `json.dumps`."""
        return {
            "changes": bool(self.actions),
            "actions": [_action_json(action) for action in self.actions],
            "unmanaged": [
                {"kind": one.kind, "name": one.name, "arn": one.arn, "status": one.status} for one in self.unmanaged
            ],
        }


def in_order(actions: Iterable[Action]) -> tuple[Action, ...]:
    """The actions with their `after` filled in, from the references in their requests and from what they do."""
    listed = tuple(actions)
    ranks = {kind.word: rank for rank, kind in enumerate(MANAGED)}
    ordered: list[Action] = []
    for action in listed:
        if action.verb in (Verb.WAIT, Verb.STOP):
            first = []  # what runs already needs nothing
        elif action.verb is Verb.DELETE:
            # Users of a resource go before it; what still runs on it ends first.
            first = [
                other
                for other in listed
                if other.verb in (Verb.STOP, Verb.WAIT)
                or (other.verb is Verb.DELETE and ranks[other.address.kind] > ranks[action.address.kind])
            ]
        else:
            needed = _needed(action)
            first = [other for other in ordered if other.verb is not Verb.DELETE and needed(other)]
            first += [other for other in listed if other.verb is Verb.DELETE and other.address == action.address]
        after = frozenset(other.id for other in first if other is not action)
        ordered.append(replace(action, after=after))
    return tuple(ordered)


def _needed(action: Action) -> Any:
    """Whether an earlier action has to be done before `action`."""
    references = {value.to for value in action.request.values() if isinstance(value, Reference)}
    references.add(action.address)
    kinds = {
        "filter": ("dataset",),
        "solution": ("dataset",),
        "version": ("dataset", "import"),
        "recommender": ("dataset", "import"),
    }.get(action.address.kind, ())
    # A campaign that follows `$LATEST` names the solution, yet needs a version of it.
    references |= {Address("version", to.key) for to in references if action.address.kind == "campaign"}
    return lambda other: other.address in references or other.address.kind in kinds


def _action_json(action: Action) -> dict[str, Any]:
    told = {
        "verb": str(action.verb),
        "kind": action.address.kind,
        "key": action.address.key,
        "name": action.name,
        "reason": action.reason,
        "changes": [
            {"member": change.member, "before": _plain(change.before), "after": _plain(change.after)}
            for change in action.changes
        ],
    }
    return told | ({"blocked": action.blocked} if action.blocked else {}) | ({"arn": action.arn} if action.arn else {})


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value if isinstance(value, bool | int | float | None) else str(value)
