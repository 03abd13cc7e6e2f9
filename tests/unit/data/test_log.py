"""The interaction log and the records, from parts and what was streamed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from matinee.data.interactions import InteractionLog
from matinee.data.log import EventRule, creation_timestamps, load_interactions, load_items, load_users

Row = tuple[str | None, str | None, int | None, str | None, float | None]
EVENT = {
    "USER_ID": pl.String(),
    "ITEM_ID": pl.String(),
    "TIMESTAMP": pl.Int64(),
    "EVENT_TYPE": pl.String(),
    "EVENT_VALUE": pl.Float64(),
}


def frame_of(*rows: Row) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=EVENT, orient="row")


def part(folder: Path, name: str, frame: pl.DataFrame) -> Path:
    frame.write_parquet(folder / name)
    return folder / name


def events(log: InteractionLog) -> list[tuple[str, str, int]]:
    rows = log.interactions
    return [
        (log.user_ids[user], log.item_ids[item], int(time))
        for user, item, time in zip(rows.user, rows.item, rows.timestamp, strict=True)
    ]


def test_parts_and_streamed_events_are_one_log_by_user_and_time(tmp_path: Path) -> None:
    first = part(tmp_path, "1", frame_of(("b", "x", 5, None, None), ("a", "y", 9, None, None)))
    second = part(tmp_path, "2", frame_of(("a", "x", 3, None, None)))
    log = load_interactions([first, second], frame_of(("a", "z", 4, None, None)))
    assert events(log) == [("a", "x", 3), ("a", "z", 4), ("a", "y", 9), ("b", "x", 5)]
    assert (log.user_ids, log.item_ids, log.event_types) == (("a", "b"), ("x", "y", "z"), ())
    assert log.interactions.event_type is None
    assert log.interactions.value is None


def test_events_of_one_moment_keep_the_order_of_arrival(tmp_path: Path) -> None:
    path = part(tmp_path, "1", frame_of(*(("a", item, 7, None, None) for item in "zxy")))
    assert [item for _, item, _ in events(load_interactions([path]))] == ["z", "x", "y"]


def test_exact_repetitions_count_once_and_near_ones_do_not(tmp_path: Path) -> None:
    same: Row = ("a", "x", 1, "watch", 3.0)
    near: Row = ("a", "x", 1, "watch", 4.0)
    log = load_interactions([part(tmp_path, "1", frame_of(same, near, same))], frame_of(same))
    assert len(log.interactions) == 2


def test_own_columns_tell_events_apart(tmp_path: Path) -> None:
    rows = frame_of(("a", "x", 1, None, None), ("a", "x", 1, None, None)).with_columns(
        DEVICE=pl.Series(["tv", "phone"])
    )
    assert len(load_interactions([part(tmp_path, "1", rows)]).interactions) == 2


def test_rows_without_user_item_or_time_are_left_out(tmp_path: Path) -> None:
    rows = frame_of((None, "x", 1, None, None), ("a", None, 1, None, None), ("a", "x", None, None, None))
    assert len(load_interactions([part(tmp_path, "1", rows)]).interactions) == 0


def test_event_types_are_one_however_they_are_spelled(tmp_path: Path) -> None:
    rows = frame_of(("a", "x", 1, "Watch", None), ("a", "y", 2, "click", None), ("a", "z", 3, "WATCH", None))
    log = load_interactions([part(tmp_path, "1", rows)], frame_of(("b", "x", 1, None, None)))
    assert log.event_types == ("Watch", "click")
    assert log.interactions.event_type is not None
    assert log.interactions.event_type.tolist() == [0, 1, 0, -1]


def test_values_are_nan_where_there_are_none(tmp_path: Path) -> None:
    rows = frame_of(("a", "x", 1, None, 3.5), ("a", "y", 2, None, None))
    value = load_interactions([part(tmp_path, "1", rows)]).interactions.value
    assert value is not None
    np.testing.assert_array_equal(value, np.array([3.5, np.nan], dtype=np.float32))


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        ((), "vwxyz"),
        ((EventRule(),), "vwxyz"),
        ((EventRule("WATCH"),), "wxy"),
        ((EventRule(threshold=3.0),), "xz"),
        ((EventRule("watch", 3.0),), "x"),
        ((EventRule("watch", 3.0), EventRule("click")), "xz"),
        ((EventRule("purchase"),), ""),
    ],
)
def test_rules_say_which_events_count(tmp_path: Path, rules: tuple[EventRule, ...], kept: str) -> None:
    rows = frame_of(
        ("a", "v", 1, None, None),
        ("a", "w", 2, "watch", 2.5),
        ("a", "x", 3, "Watch", 3.0),
        ("a", "y", 4, "watch", None),
        ("a", "z", 5, "click", 5.0),
    )
    log = load_interactions([part(tmp_path, "1", rows)], rules=rules)
    assert "".join(item for _, item, _ in events(log)) == kept
    assert log.item_ids == tuple(kept)


def test_there_may_be_nothing_at_all() -> None:
    log = load_interactions([], None)
    assert (len(log.interactions), log.user_ids, log.item_ids) == (0, (), ())


def test_the_newest_record_of_an_id_counts(tmp_path: Path) -> None:
    first = part(tmp_path, "1", pl.DataFrame({"ITEM_ID": ["b", "a"], "TITLE": ["B", "A"]}))
    second = part(tmp_path, "2", pl.DataFrame({"ITEM_ID": ["a"], "TITLE": ["A 2"], "YEAR": [1999]}))
    items = load_items([first, second], pl.DataFrame({"ITEM_ID": ["c", "b"], "TITLE": ["C", "B 2"]}))
    assert items.rows() == [("a", "A 2", 1999), ("b", "B 2", None), ("c", "C", None)]


def test_users_are_read_like_items(tmp_path: Path) -> None:
    path = part(tmp_path, "1", pl.DataFrame({"USER_ID": ["b", "a", "b"], "AGE": [1, 2, 3]}))
    assert load_users([path]).rows() == [("a", 2), ("b", 3)]
    assert load_users([]).columns == ["USER_ID"]


def test_items_without_creation_timestamp_are_as_old_as_their_first_event(tmp_path: Path) -> None:
    rows = frame_of(("a", "x", 50, None, None), ("b", "x", 40, None, None), ("a", "y", 60, None, None))
    log = load_interactions([part(tmp_path, "1", rows)])
    items = pl.DataFrame({"ITEM_ID": ["y", "q"], "CREATION_TIMESTAMP": [7, 8]})
    assert creation_timestamps(log, items).tolist() == [40, 7]
    assert creation_timestamps(log, None).tolist() == [40, 60]


def test_events_weigh_as_their_rules_say_and_1_on_average(tmp_path: Path) -> None:
    rows = frame_of(("a", "x", 1, "buy", None), ("a", "y", 2, "view", None), ("b", "x", 3, "VIEW", None))
    rules = (EventRule("buy", weight=0.8), EventRule("view", weight=0.2))
    weight = load_interactions([part(tmp_path, "1", rows)], rules=rules).interactions.weight
    assert weight is not None
    assert weight.tolist() == pytest.approx([2.0, 0.5, 0.5])


def test_equal_weights_are_none(tmp_path: Path) -> None:
    rows = frame_of(("a", "x", 1, "buy", None), ("a", "y", 2, "view", None))
    rules = (EventRule("buy", weight=0.4), EventRule("view", weight=0.4))
    assert load_interactions([part(tmp_path, "1", rows)], rules=rules).interactions.weight is None


def test_a_rule_that_keeps_everything_keeps_it_in_a_log_of_many_chunks(tmp_path: Path) -> None:
    imported = part(tmp_path, "1", frame_of(*((f"u{n}", "x", n, "watch", None) for n in range(20_000))))
    streamed = frame_of(*((f"v{n}", "x", n, "watch", None) for n in range(300)))
    assert len(load_interactions([imported], streamed, rules=(EventRule(),)).interactions) == 20_300
