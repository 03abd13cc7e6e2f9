"""Records laid over records."""

from __future__ import annotations

import numpy as np
from tests.unit.filters.films import ITEMS, frame_of, table_of

from matinee.filters.columns import Columns
from matinee.filters.syntax import Among, Dataset, Field
from matinee.filters.table import Segment, Table

DRAMA = ((Among(Field(Dataset.ITEMS, "GENRES"), ("Drama",)),),)
NO_DRAMA = ((Among(Field(Dataset.ITEMS, "GENRES"), ("Drama",), negated=True),),)


def _segment(rows: list[int], *genres: str | None) -> Segment:
    frame = frame_of([{"ITEM_ID": str(row), "GENRES": genre} for row, genre in zip(rows, genres, strict=True)])
    return Segment(np.array(rows, dtype=np.int64), Columns(frame, ITEMS))


def test_the_later_segment_counts() -> None:
    table = Table(4, [_segment([0, 1, 2], "Drama", "Drama", "War"), _segment([1, 3], "War", "Drama")], ITEMS)
    assert table.where(DRAMA).tolist() == [True, False, False, True]


def test_a_thing_without_a_record_is_all_null() -> None:
    table = table_of([{"ITEM_ID": "a", "GENRES": "Drama"}, None])
    assert table.where(DRAMA).tolist() == [True, False]
    assert table.where(NO_DRAMA).tolist() == [False, True]


def test_without_a_schema_nothing_matches() -> None:
    assert Table(2, [], None).where(DRAMA).tolist() == [False, False]


def test_a_mask_is_kept_and_cannot_be_written_to() -> None:
    table = table_of([{"ITEM_ID": "a", "GENRES": "Drama"}])
    assert table.where(DRAMA) is table.where(DRAMA)
    assert not table.where(DRAMA).flags.writeable
