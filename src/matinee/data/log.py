"""Parquet parts and streamed records to what training and serving read: the interaction log and the records."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from matinee.data.interactions import FloatArray, IntArray, InteractionLog, Interactions, LongArray

_COLUMNS = {"USER_ID": pl.String(), "ITEM_ID": pl.String(), "TIMESTAMP": pl.Int64()}
_OPTIONAL = {"EVENT_TYPE": pl.String(), "EVENT_VALUE": pl.Float64()}


@dataclass(frozen=True)
class EventRule:
    """Which events count: those of `event_type` (None: all; case is ignored) with EVENT_VALUE >= `threshold`.

    Beside those of other rules an event counts `weight`, of which only the ratio to the others' matters.
    """

    event_type: str | None = None
    threshold: float | None = None
    weight: float = 1.0


def load_interactions(
    parts: Sequence[Path],
    streamed: pl.DataFrame | None = None,
    *,
    rules: Collection[EventRule] = (),
    columns: Sequence[str] = (),
) -> InteractionLog:
    """The log of everything imported (`parts`, Parquet, in the order of their commits) and then streamed.

    Rows that are equal in every column count once (2.5), the first of them. Rows without a user, an item or a time are
    left out. A row is kept when any of `rules` keeps it (none given: all rows); a rule with a threshold never keeps a
    row without EVENT_VALUE. Where the rules weigh differently, an event has the weight of the first that keeps it, on
    the scale on which the events weigh 1 on average. IDs are in the order of their bytes, event types in the order of
    first appearance and spelled as there, however later rows spell them. Only users and
    items with an event left are in the log. Of the other `columns` those that there are become the log's `occasions`.
    """
    rows = _rows(parts, streamed).filter(pl.all_horizontal(pl.col(name).is_not_null() for name in _COLUMNS))
    events = rows.select(
        *(pl.col(name).cast(dtype) for name, dtype in _COLUMNS.items()),
        *(
            (pl.col(name) if name in rows.columns else pl.lit(None)).cast(dtype).alias(name)
            for name, dtype in _OPTIONAL.items()
        ),
        *(pl.col(name) for name in columns if name in rows.columns),
    )
    if rules:
        events = events.filter(pl.any_horizontal(_keeps(rule) for rule in rules))
    user_ids, user = _numbered(events["USER_ID"])
    item_ids, item = _numbered(events["ITEM_ID"])
    event_types, event_type = _spelled_first(events["EVENT_TYPE"])
    has_values = events["EVENT_VALUE"].null_count() < events.height
    weight = _weights(events, rules)
    return InteractionLog(
        interactions=Interactions.of(
            user,
            item,
            events["TIMESTAMP"].to_numpy(),
            n_users=len(user_ids),
            n_items=len(item_ids),
            event_type=event_type if event_types else None,
            value=events["EVENT_VALUE"].cast(pl.Float32).fill_null(float("nan")).to_numpy() if has_values else None,
            weight=weight,
        ),
        user_ids=user_ids,
        item_ids=item_ids,
        event_types=event_types,
        occasions=_occasions(events, user) if columns else None,
    )


def _occasions(events: pl.DataFrame, user: IntArray) -> pl.DataFrame:
    """The columns beside the usual ones, in the order that `Interactions.of` puts the rows in."""
    order = np.lexsort((events["TIMESTAMP"].to_numpy(), user))
    return events.drop(*_COLUMNS, *_OPTIONAL)[order]


def load_items(parts: Sequence[Path], streamed: pl.DataFrame | None = None) -> pl.DataFrame:
    """The newest record of each ITEM_ID, by ID; columns as in the schema. Streamed records follow imported ones."""
    return _newest(parts, streamed, "ITEM_ID")


def load_users(parts: Sequence[Path], streamed: pl.DataFrame | None = None) -> pl.DataFrame:
    """The newest record of each USER_ID, by ID; columns as in the schema. Streamed records follow imported ones."""
    return _newest(parts, streamed, "USER_ID")


def load_actions(parts: Sequence[Path], streamed: pl.DataFrame | None = None) -> pl.DataFrame:
    """The newest record of each ACTION_ID, by ID; columns as in the schema. Streamed records follow imported ones."""
    return _newest(parts, streamed, "ACTION_ID")


def creation_timestamps(log: InteractionLog, items: pl.DataFrame | None) -> LongArray:
    """When each item of the log came to be, epoch seconds, shape (n_items,).

    CREATION_TIMESTAMP where the item's record has one; else its oldest interaction (2.5).
    """
    events = log.interactions
    created = np.full(events.n_items, np.iinfo(np.int64).max, dtype=np.int64)
    np.minimum.at(created, events.item, events.timestamp)
    if items is None or "CREATION_TIMESTAMP" not in items.columns:
        return created
    given = pl.DataFrame({"ITEM_ID": log.item_ids}, schema={"ITEM_ID": pl.String()}).join(
        items.select("ITEM_ID", pl.col("CREATION_TIMESTAMP").cast(pl.Int64)), on="ITEM_ID", how="left"
    )["CREATION_TIMESTAMP"]
    return np.where(given.is_null().to_numpy(), created, given.fill_null(0).to_numpy())


def _rows(parts: Sequence[Path], streamed: pl.DataFrame | None) -> pl.DataFrame:
    """All rows, in order, without exact repetitions; a column that some part lacks is null there."""
    frames = [pl.scan_parquet(part) for part in parts]
    if streamed is not None and streamed.height:
        frames.append(streamed.lazy())
    if not frames:
        return pl.DataFrame(schema={**_COLUMNS, **_OPTIONAL})
    return pl.concat(frames, how="diagonal_relaxed").unique(keep="first", maintain_order=True).collect()


def _newest(parts: Sequence[Path], streamed: pl.DataFrame | None, key: str) -> pl.DataFrame:
    frames = [pl.scan_parquet(part) for part in parts]
    if streamed is not None and streamed.height:
        frames.append(streamed.lazy())
    if not frames:
        return pl.DataFrame(schema={key: pl.String()})
    records = pl.concat(frames, how="diagonal_relaxed").filter(pl.col(key).is_not_null())
    return records.unique(subset=key, keep="last", maintain_order=True).sort(key).collect()


def _keeps(rule: EventRule) -> pl.Expr:
    # A literal is not stretched to the rows of a frame that lies in several chunks; no row is without a time.
    keep = pl.col("TIMESTAMP").is_not_null()
    if rule.event_type is not None:
        keep = keep & (pl.col("EVENT_TYPE").str.to_lowercase() == rule.event_type.lower())
    if rule.threshold is not None:
        keep = keep & (pl.col("EVENT_VALUE") >= rule.threshold)
    return keep.fill_null(value=False)


def _weights(events: pl.DataFrame, rules: Collection[EventRule]) -> FloatArray | None:
    """The weight of each event (n,), None when all weigh the same."""
    if len({rule.weight for rule in rules}) <= 1 or events.is_empty():
        return None
    found = pl.coalesce(*(pl.when(_keeps(rule)).then(rule.weight) for rule in rules))
    weights = events.select(weight=found.cast(pl.Float64))["weight"].to_numpy()
    scaled: FloatArray = (weights / weights.mean()).astype(np.float32)
    return scaled


def _numbered(ids: pl.Series) -> tuple[tuple[str, ...], np.ndarray[tuple[int], np.dtype[np.int32]]]:
    """The distinct IDs in the order of their bytes, and each row's position among them."""
    distinct = ids.unique().sort()
    codes = ids.cast(pl.Enum(distinct)).to_physical().cast(pl.Int32).to_numpy()
    return tuple(distinct.to_list()), codes


def _spelled_first(types: pl.Series) -> tuple[tuple[str, ...], np.ndarray[tuple[int], np.dtype[np.int16]]]:
    """The event types as first spelled, and each row's position among them; -1 for a row without one."""
    distinct = types.drop_nulls().unique(maintain_order=True)
    numbers: dict[str, int] = {}
    spelled: list[str] = []
    for name in distinct:
        if name.lower() not in numbers:
            numbers[name.lower()] = len(spelled)
            spelled.append(name)
    codes = types.str.to_lowercase().replace_strict(numbers, default=-1, return_dtype=pl.Int16())
    return tuple(spelled), codes.fill_null(-1).to_numpy()
