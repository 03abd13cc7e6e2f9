"""How much of a group's data a training considers: the quotas of its recipe (spec 2.5 and 11.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data.interactions import InteractionLog, LongArray
from matinee.data.log import creation_timestamps
from matinee.recipes.recipe import Method, Recipe
from matinee.settings import Settings
from matinee.training.selection import MOST_EVENT_FEATURES


@dataclass(frozen=True)
class Caps:
    """The most interactions and items that are considered, None for all, and the most event types and optional columns
    of Interactions together, above which a training fails."""

    interactions: int | None = None
    items: int | None = None
    event_features: int | None = MOST_EVENT_FEATURES

    @classmethod
    def of(cls, recipe: Recipe, settings: Settings) -> Self:
        """Those of a recipe."""
        prefix = "v2-" if recipe.name.endswith("-v2") else ""
        items = "semantic-items" if recipe.method is Method.SEMANTICS else f"{prefix}items"
        return cls(
            interactions=settings.quota(f"{prefix}interactions"),
            items=settings.quota(items),
            event_features=settings.quota("event-features"),
        )

    def within(self, log: InteractionLog, items: pl.DataFrame) -> tuple[InteractionLog, pl.DataFrame]:
        """The newest interactions, and of the items those that came or were interacted with last; their records.

        Users and items that lose all their events are left out of the log.
        """
        events = log.interactions
        if self.interactions is not None and len(events) > self.interactions:
            newest = np.argsort(-events.timestamp, kind="stable")[: self.interactions]
            log = _kept(log, np.isin(np.arange(len(events)), newest))
        if self.items is None:
            return log, items
        ids, last = _last_seen(log, items)
        if len(ids) <= self.items:
            return log, items
        chosen = frozenset(ids[at] for at in np.argsort(-last, kind="stable")[: self.items])
        known = np.array([item in chosen for item in log.item_ids], np.bool_)
        return _kept(log, known[log.interactions.item]), items.filter(pl.col("ITEM_ID").is_in(list(chosen)))


def _last_seen(log: InteractionLog, items: pl.DataFrame) -> tuple[list[str], LongArray]:
    """Every item of log and records, and when it was created or last interacted with, whichever is later.

    An item of which neither is known counts as new (spec 2.5).
    """
    events = log.interactions
    last = creation_timestamps(log, items)
    np.maximum.at(last, events.item, events.timestamp)
    now = int(events.timestamp.max()) if len(events) else np.iinfo(np.int64).max
    created = pl.col("CREATION_TIMESTAMP") if "CREATION_TIMESTAMP" in items.columns else pl.lit(None)
    others = items.filter(~pl.col("ITEM_ID").is_in(list(log.item_ids))).select(
        "ITEM_ID", created=created.cast(pl.Int64).fill_null(now)
    )
    return [*log.item_ids, *others["ITEM_ID"]], np.concatenate([last, others["created"].to_numpy()])


def _kept(log: InteractionLog, keep: NDArray[np.bool_]) -> InteractionLog:
    """The events where `keep` is true; users and items without any are left out, the others keep their order."""
    events = log.interactions.select(keep)
    users, user = np.unique(events.user, return_inverse=True)
    items, item = np.unique(events.item, return_inverse=True)
    return replace(
        log,
        interactions=replace(
            events,
            user=user.astype(np.int32),
            item=item.astype(np.int32),
            n_users=len(users),
            n_items=len(items),
            attributes=None if events.attributes is None else events.attributes[users],
        ),
        user_ids=tuple(log.user_ids[at] for at in users),
        item_ids=tuple(log.item_ids[at] for at in items),
        occasions=None if log.occasions is None else log.occasions.filter(pl.Series(keep)),
    )
