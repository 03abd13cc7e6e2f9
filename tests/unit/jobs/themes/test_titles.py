"""Matinee's own titles and how well items fit them, on a small catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.clients.data import schema_text

from matinee.data.schemas import parse_schema, polars_schema
from matinee.filters.columns import Columns as Table
from matinee.jobs.themes.terms import Catalogue, Columns, relevance
from matinee.jobs.themes.titles import title_of
from matinee.serving.dataset_records import DatasetRecords, Layer
from matinee.serving.groups import GroupDataset

_TEXT = schema_text(
    "Items",
    ("ITEM_ID", "string"),
    {"name": "TITLE", "type": ["null", "string"]},
    {"name": "GENRES", "type": ["null", "string"], "categorical": True},
    {"name": "PLOT", "type": ["null", "string"], "textual": True},
)
Row = tuple[str | None, str | None, str | None]


def layer(rows: Mapping[str, Row]) -> Layer:
    """Records by ID: title, genres, plot."""
    schema = parse_schema(_TEXT)
    frame = pl.DataFrame([(item, *row) for item, row in rows.items()], schema=polars_schema(schema), orient="row")
    return Layer(tuple(rows), Table(frame, schema), np.zeros(len(rows), np.int64))


def catalogue(base: Mapping[str, Row], streamed: Mapping[str, Row] | None = None) -> Catalogue:
    """A catalogue of imported and streamed records."""
    schema = parse_schema(_TEXT)
    dataset = GroupDataset("arn", schema, (0, 0))
    records = DatasetRecords(dataset, layer(base), layer(streamed or {}), (), 0, {})
    return Catalogue.of(records, Columns.of(schema, "TITLE"))


FILMS: dict[str, Row] = {
    **{f"a{n}": (f"Toy {n}", "Animation|Children's", "A lonely toy finds friends.") for n in range(6)},
    **{f"d{n}": (f"Drama {n}", "Drama", "A lonely man finds nothing.") for n in range(30)},
    "b1": (None, None, "Dragons burn the old castle."),
    "b2": (None, None, "The castle has no dragons."),
    "n1": ("Heat", None, None),
    "n2": ("Ronin", None, None),
}
WHOLE = catalogue(FILMS)


def titled(items: Sequence[str], among: Catalogue = WHOLE) -> str:
    """The title of some items."""
    return title_of(among, [among.item(item) for item in items])


def test_categories_and_a_word_that_stand_out() -> None:
    assert titled(["a0", "a1", "a2", "d0"]) == "Animation and Children's: friends"


def test_words_alone_where_there_are_no_categories() -> None:
    assert titled(["b1", "b2"]) == "Castle and dragons"


def test_a_list_without_anything_in_common_is_like_its_first() -> None:
    assert titled(["n1", "n2"]) == "Like Heat"
    assert titled(["unheard-of"]) == "Like unheard-of"


def test_the_whole_catalogue_has_nothing_that_stands_out() -> None:
    assert titled(list(FILMS)) == f"Like {FILMS['a0'][0]}"


def test_a_streamed_record_takes_the_place_of_the_imported_one() -> None:
    changed = catalogue(FILMS, {"a0": ("Toy 0", "Western", None), "w1": ("Dust", "Western", None)})
    assert changed.items == len(FILMS) + 1
    assert titled(["a0", "w1"], changed) == "Western"


@settings(max_examples=15, deadline=None)
@given(st.permutations(["a0", "a1", "a2", "d0", "b1"]))
def test_the_order_of_the_list_does_not_change_its_title(items: list[str]) -> None:
    assert titled(items) == titled(sorted(items))


def test_items_of_the_subject_fit_better_than_others() -> None:
    scores = relevance(WHOLE, [WHOLE.item(item) for item in ("d0", "a0", "a1", "n1")], "Animation for children")
    assert scores[1] == pytest.approx(scores[2], rel=0.2)
    assert scores[1] > scores[0]
    assert all(0 <= score <= 1 + 1e-9 for score in scores)


def test_the_words_of_a_title_count() -> None:
    items = [WHOLE.item(item) for item in ("b1", "d0")]
    castle, drama = relevance(WHOLE, items, "Old castle"), relevance(WHOLE, items, "Drama")
    assert castle[0] > drama[0]
    assert drama[1] > castle[1]


def test_an_item_that_nothing_is_known_of_fits_nothing() -> None:
    assert relevance(WHOLE, [WHOLE.item("unheard-of")], "Drama") == [0.0]
