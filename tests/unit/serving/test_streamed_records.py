"""Names and types of streamed properties."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.serving.shop import ITEMS

from matinee.data.schemas import parse_schema
from matinee.errors import InvalidInput
from matinee.serving.streamed_records import camel_case, conform

SCHEMA = parse_schema(json.dumps({"type": "record", "name": "Items", "fields": ITEMS}))


@pytest.mark.parametrize(
    ("name", "camel"), [("MEMBERSHIP_STATUS", "membershipStatus"), ("TITLE", "title"), ("GENRE_L2", "genreL2")]
)
def test_column_names_in_camel_case(name: str, camel: str) -> None:
    assert camel_case(name) == camel


@given(st.sampled_from([field["name"] for field in ITEMS if field["name"] != "ITEM_ID"]))
def test_a_column_is_found_under_both_its_names(name: str) -> None:
    value = {"PRICE": 1.5, "RELEASE_YEAR": 3, "ON_DISC": True}.get(name, "x")
    for spelt in (name, camel_case(name)):
        assert conform({"itemId": "a", spelt: value}, SCHEMA, "p")[name] == value


def test_null_is_left_out() -> None:
    assert conform({"itemId": "a", "title": None}, SCHEMA, "p") == {"ITEM_ID": "a"}


@pytest.mark.parametrize(("given_year", "stored"), [("1979", 1979), (1979.0, 1979), (2**53 + 1, 2**53 + 1)])
def test_whole_numbers(given_year: object, stored: int) -> None:
    assert conform({"itemId": "a", "releaseYear": given_year}, SCHEMA, "p")["RELEASE_YEAR"] == stored


def test_true_is_no_number() -> None:
    with pytest.raises(InvalidInput, match="must be a number"):
        conform({"itemId": "a", "price": True}, SCHEMA, "p")
