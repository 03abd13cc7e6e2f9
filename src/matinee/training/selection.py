"""Which events a solution version trains on: event types, thresholds, and what is left over as too little."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from matinee.data.interactions import Interactions
from matinee.data.log import EventRule
from matinee.errors import JobFailed
from matinee.recipes.recipe import INTERACTIONS, Recipe

LEAST_INTERACTIONS = 1000
LEAST_USERS = 25
#: Share of all users who must have two interactions.
LEAST_SHARE = 0.01
#: Distinct event types plus optional columns of Interactions.
MOST_EVENT_FEATURES = 10
_REQUIRED = frozenset({"USER_ID", "ITEM_ID", "TIMESTAMP"})
#: Words of the format itself: as a value of EVENT_TYPE they are a header or a mapping gone astray.
RESERVED_WORDS = frozenset(
    {"EVENT_TYPE", "EVENT_VALUE", "USER_ID", "ITEM_ID", "TIMESTAMP", "IMPRESSION", "RECOMMENDATION_ID"}
)


@dataclass(frozen=True)
class Selection:
    """Events are kept when any rule keeps them. Types are compared without case (spec 4.6)."""

    rules: tuple[EventRule, ...] = (EventRule(),)
    #: Whether there must be enough interactions: not for a recipe that learns from items alone.
    demanding: bool = True

    @classmethod
    def of(cls, recipe: Recipe, solution: Mapping[str, Any]) -> Selection:
        """The selection of a solution: its wire members `eventType` and `solutionConfig`.

        A use case trains on its own event type and ignores event values (spec 4.5).
        """
        if recipe.event_type is not None:
            return cls((EventRule(recipe.event_type),))
        if INTERACTIONS not in recipe.datasets:
            return cls(demanding=False)
        config: Mapping[str, Any] = solution.get("solutionConfig") or {}
        entries = (config.get("eventsConfig") or {}).get("eventParametersList") or ()
        if entries:
            return cls(
                tuple(
                    EventRule(
                        str(entry["eventType"]), entry.get("eventValueThreshold"), float(entry.get("weight", 1.0))
                    )
                    for entry in entries
                    if entry.get("weight", 1.0) > 0
                )
            )
        threshold = config.get("eventValueThreshold")
        return cls((EventRule(solution.get("eventType") or None, float(threshold) if threshold else None),))

    @property
    def event_types(self) -> tuple[str, ...]:
        """The types that are asked for by name."""
        return tuple(rule.event_type for rule in self.rules if rule.event_type is not None)

    def with_other_types(self, types: Collection[str]) -> tuple[EventRule, ...] | None:
        """Rules that keep the events of other types of `types`, too; None when there are none, or none is left out."""
        named = {name.lower() for name in self.event_types}
        others = sorted({name.lower() for name in types} - named)
        if len(self.event_types) < len(self.rules) or not others:
            return None
        return (*self.rules, *(EventRule(name) for name in others))

    def describe(self) -> list[dict[str, Any]]:
        """The rules as JSON-ready values, for the manifest."""
        return [asdict(rule) for rule in self.rules]

    def check_columns(self, columns: Collection[str]) -> None:
        """Raise `JobFailed` when a rule needs a column that the Interactions dataset, with `columns`, does not have."""
        for rule in self.rules:
            if rule.event_type is not None and "EVENT_TYPE" not in columns:
                raise JobFailed(_lacks("EVENT_TYPE", f"the event type {rule.event_type}"))
            if rule.threshold is not None and "EVENT_VALUE" not in columns:
                raise JobFailed(_lacks("EVENT_VALUE", f"the event value threshold {rule.threshold:g}"))


def _lacks(column: str, what: str) -> str:
    return (
        f"The Interactions dataset has no {column} column, which {what} needs. "
        f"Use a schema with {column}, or make the solution without it."
    )


def check_event_types(
    types: Collection[str], columns: Collection[str], *, most: int | None = MOST_EVENT_FEATURES
) -> None:
    """Refuse an EVENT_TYPE column that training cannot read; raises `JobFailed`, for reserved words the service's way.

    `types` are the distinct values before any selection, `columns` those of the Interactions dataset; there may be
    `most` types and optional columns together.
    """
    if "EVENT_TYPE" not in columns:
        return
    if all(value.upper() in RESERVED_WORDS for value in types):
        raise JobFailed("All values in the event_type column are either reserved keywords or null")
    distinct = {value.lower() for value in types}
    optional = sorted(set(columns) - _REQUIRED)
    if most is not None and len(distinct) + len(optional) > most:
        raise JobFailed(
            f"The Interactions dataset has {len(distinct)} event types and {len(optional)} optional columns "
            f"({', '.join(optional)}); together at most {most} are allowed. Use fewer event types."
        )


def within_history_lengths(data: Interactions, low: float, high: float) -> Interactions:
    """The events of users whose number of events lies within the percentiles `low` and `high` of all users'."""
    lengths = np.diff(data.indptr)
    if (low <= 0 and high >= 1) or not lengths.any():
        return data
    bottom, top = np.quantile(lengths[lengths > 0], [low, high])
    return data.select(((lengths >= bottom) & (lengths <= top))[data.user])


def check_enough(data: Interactions, selection: Selection) -> None:
    """Refuse to train on too little (spec 3.3), with the service's sentences; raises `JobFailed`."""
    if not selection.demanding:
        return
    if len(data) < LEAST_INTERACTIONS:
        types = ", ".join(selection.event_types)
        after = f" after filtering by event type: {types}" if types else ""
        raise JobFailed(f"Dataset has fewer than {LEAST_INTERACTIONS} interactions{after}")
    per_user = np.diff(data.indptr)
    users, repeated = int((per_user > 0).sum()), int((per_user >= 2).sum())
    if repeated < LEAST_USERS:
        raise JobFailed(f"Dataset has fewer than {LEAST_USERS} users with at least 2 interactions each.")
    if repeated < LEAST_SHARE * users:
        raise JobFailed(f"Dataset has fewer than {LEAST_SHARE:.0%} of its users with at least 2 interactions each.")
