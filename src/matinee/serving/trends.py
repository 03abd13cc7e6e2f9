"""What trends now: interactions counted by interval from everything imported and streamed, again as time goes on."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import sqlalchemy as sa

from matinee.data.interactions import FloatArray
from matinee.models.trending import growth
from matinee.serving.deployments import Deployment
from matinee.serving.event_loop import leave_event_loop
from matinee.serving.freshness import FreshCache, View
from matinee.serving.item_table import ItemTable
from matinee.storage.metadata import dataset_parts, events
from matinee.storage.objects import ObjectStore
from matinee.training.artifact import Artifact

MOST_KEPT = 64
_COLUMNS = {"ITEM_ID": pl.String(), "TIMESTAMP": pl.Int64(), "EVENT_TYPE": pl.String(), "EVENT_VALUE": pl.Float64()}


#: Which events a training selected: an event type in lower case or None, and the least event value or None.
Rules = tuple[tuple[str | None, float | None], ...]


@dataclass(frozen=True)
class Interval:
    """Two intervals of `seconds` that end at `end`, epoch seconds, of the events of a group that `rules` select."""

    group_arn: str
    end: int
    seconds: int
    rules: Rules


@dataclass(frozen=True, eq=False)
class Counted:
    """Interactions of the items `ids` in the newer and in the older interval."""

    ids: tuple[str, ...]
    now: tuple[int, ...]
    before: tuple[int, ...]


class Trends:
    """Scores by growth for deployments of trending recipes, kept until the next counting."""

    def __init__(self, objects: ObjectStore, refresh: int, clock: Callable[[], float] = time.time) -> None:
        """`refresh`: seconds between countings."""
        self._objects, self._refresh, self._clock = objects, refresh, clock
        self._counted: FreshCache[Interval, Counted] = FreshCache(self._load, MOST_KEPT)
        self._scores: OrderedDict[str, tuple[Counted, ItemTable, FloatArray]] = OrderedDict()
        self._lock = threading.Lock()
        self._done: OrderedDict[Interval, Counted] = OrderedDict()
        self._counting = threading.Lock()

    def scores(self, view: View, deployment: Deployment, artifact: Artifact, items: ItemTable) -> FloatArray:
        """Growth of each item that has a number (items.unknown,), as `models.trending.growth`.

        Items with a record only take part from their first interaction on, before any training.
        """
        counted = self._counted.get(view, self._interval(deployment, artifact))
        with self._lock:
            kept = self._scores.get(deployment.arn)
            if kept is None or kept[0] is not counted or kept[1] is not items:
                kept = (counted, items, _scored(counted, artifact, items))
                self._scores[deployment.arn] = kept
                while len(self._scores) > MOST_KEPT:
                    self._scores.popitem(last=False)
            self._scores.move_to_end(deployment.arn)
            return kept[2]

    def _interval(self, deployment: Deployment, artifact: Artifact) -> Interval:
        """The intervals up to the newest counting: one when the training ended, then one every `refresh` seconds."""
        seconds = int(artifact.manifest["model"]["config"]["interval_seconds"])
        trained, period = int(artifact.manifest["created"]) // 1000, min(self._refresh, seconds)
        passed = max(0, int(self._clock()) - trained)
        # The second that has begun is not over: its events belong to the next counting.
        return Interval(deployment.group_arn, trained + passed // period * period, seconds, rules_of(artifact.manifest))

    def _load(self, view: View, key: Interval, previous: Counted | None) -> Counted:
        if previous is not None:
            return previous
        leave_event_loop()
        with self._counting:  # one thread counts for all that wait for it
            found = self._done.get(key)
            if found is None:
                found = self._done[key] = self._count(view, key)
                while len(self._done) > MOST_KEPT:
                    self._done.popitem(last=False)
            return found

    def _count(self, view: View, key: Interval) -> Counted:
        frames = [_streamed(view.connection, key)]
        for object_key in view.connection.scalars(_parts_of(key.group_arn)):
            part = pl.scan_parquet(self._objects.local(object_key))
            there = part.collect_schema().names()
            cells = [
                (pl.col(name) if name in there else pl.lit(None)).cast(kind).alias(name)
                for name, kind in _COLUMNS.items()
            ]
            recent = pl.col("TIMESTAMP").is_between(key.end - 2 * key.seconds, key.end, closed="left")
            frames.append(part.select(cells).filter(recent).collect())
        rows = pl.concat(frames).filter(pl.any_horizontal(_kept(*rule) for rule in key.rules))
        is_new = pl.col("TIMESTAMP") >= key.end - key.seconds
        found = rows.drop_nulls("ITEM_ID").group_by("ITEM_ID", maintain_order=True)
        table = found.agg(now=is_new.sum().cast(pl.Int64), before=(~is_new).sum().cast(pl.Int64))
        return Counted(tuple(table["ITEM_ID"]), tuple(table["now"]), tuple(table["before"]))


def _scored(counted: Counted, artifact: Artifact, items: ItemTable) -> FloatArray:
    popularity = np.zeros(items.unknown, np.float32)
    popularity[: artifact.n_items] = artifact.popularity
    numbers = np.array([items.number(one) for one in counted.ids], dtype=np.int64)
    known = numbers < items.unknown
    now, before = np.zeros((2, items.unknown), np.int64)
    now[numbers[known]] = np.array(counted.now, np.int64)[known]
    before[numbers[known]] = np.array(counted.before, np.int64)[known]
    scores = growth(now, before, popularity)
    # Neither trained on nor seen lately: nothing speaks for it.
    silent = np.arange(items.unknown) >= artifact.n_items
    scores[silent & (now == 0) & (before == 0)] = -np.inf
    return scores


def _parts_of(group_arn: str) -> sa.Select[str]:
    dataset = f"{group_arn.replace(':dataset-group/', ':dataset/')}/INTERACTIONS"
    query = sa.select(dataset_parts.c.object_key).where(dataset_parts.c.dataset_arn == dataset)
    return query.order_by(dataset_parts.c.seq)


def _streamed(connection: sa.Connection, key: Interval) -> pl.DataFrame:
    c = events.c
    query = sa.select(c.item_id, c.sent_at, c.event_type, c.event_value).where(
        c.group_arn == key.group_arn,
        c.item_id.is_not(None),
        c.sent_at >= key.end - 2 * key.seconds,
        c.sent_at < key.end,
    )
    rows: Sequence[Any] = connection.execute(query).all()
    return pl.DataFrame([tuple(row) for row in rows], schema=_COLUMNS, orient="row")


def rules_of(manifest: Mapping[str, Any]) -> Rules:
    """What the training selected, out of the manifest's data summary."""
    rules = manifest["data"].get("selection") or [{}]
    if isinstance(rules, Mapping):
        rules = rules["rules"]
    kinds = ((rule.get("event_type"), rule.get("threshold")) for rule in rules)
    return tuple((None if kind is None else str(kind).lower(), threshold) for kind, threshold in kinds)


def _kept(event_type: str | None, threshold: float | None) -> pl.Expr:
    # A literal is not stretched to the rows of a frame that lies in several chunks; no row is without a time.
    keep = pl.col("TIMESTAMP").is_not_null()
    if event_type is not None:
        keep = keep & (pl.col("EVENT_TYPE").str.to_lowercase() == event_type)
    if threshold is not None:
        keep = keep & (pl.col("EVENT_VALUE") >= threshold)
    return keep.fill_null(value=False)
